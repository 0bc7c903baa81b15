"""Metrics of scores, labels and numbers, by scikit-learn: writes metrics_more.json.

    python tests/golden/metrics_more.py

The area under the ROC curve with ties, equal scores and one class only; top-k accuracy; precision, recall and F1 of
several labels; regression metrics, some with targets of zero, and balanced class weights. Scores and numbers are ones
that float32 holds exactly, so that the figures do not depend on the kind. A value that is not defined is null: the area
where one class has no row, R² where all targets are equal. Averages over labels are over those that have a value.
"""

import math

import numpy as np
from sklearn import metrics
from sklearn.utils.class_weight import compute_class_weight

import house


def mean_of_defined(values):
    values = [value for value in values if value is not None and math.isfinite(value)]
    return float(np.mean(values)) if values else None


def sixteenths(generator, shape, low, high):
    return generator.integers(low * 16, high * 16, shape) / 16


def area(true, scores):
    return float(metrics.roc_auc_score(true, scores)) if len(set(true)) == 2 else None


def areas():
    generator = np.random.default_rng(0)
    true, scores = generator.integers(0, 2, 200), sixteenths(generator, 200, -1, 2)
    cases = [
        ("distinct", [0, 0, 1, 1], [0.125, 0.5, 0.375, 0.75]),
        ("ties", [0, 1, 0, 1, 1, 0], [0.5, 0.5, 0.25, 0.75, 0.5, 0.75]),
        ("all_equal", [0, 1, 1, 0, 0], [0.5] * 5),
        ("perfect", [0, 0, 1], [-2.0, -1.0, 3.0]),
        ("reversed", [1, 1, 0], [-2.0, -1.0, 3.0]),
        ("class_1_only", [1, 1, 1], [0.25, 0.5, 0.75]),
        ("class_0_only", [0, 0], [0.25, 0.5]),
        ("many_ties", true.tolist(), scores.tolist()),
    ]
    for name, true, scores in cases:
        yield {"name": name, "true": true, "scores": scores, "roc_auc": area(true, scores)}


def top_k():
    generator = np.random.default_rng(1)
    # no two scores of a row are equal: scikit-learn and argmax take different ones of equal scores
    scores = np.array([generator.permutation(6) for _ in range(50)]) / 4 - 0.5
    true = generator.integers(0, 6, 50)
    values = {
        str(k): float(metrics.top_k_accuracy_score(true, scores, k=k, labels=list(range(6)))) for k in (1, 2, 3, 5)
    }
    return {"true": true.tolist(), "scores": scores.tolist(), "top_k": values}


def labels():
    generator = np.random.default_rng(2)
    for name, shape, fixed in (("three_labels", (40, 3), {}), ("a_label_never_true", (12, 3), {1: 0})):
        true, scores = generator.integers(0, 2, shape), sixteenths(generator, shape, -2, 2)
        for label, value in fixed.items():
            true[:, label] = value
        if name == "a_label_never_true":
            scores[:, 2] = -np.abs(scores[:, 2]) - 1 / 16  # and one that is never predicted
        predicted = (scores >= 0).astype(int)
        precision, recall, f1, _ = metrics.precision_recall_fscore_support(
            true, predicted, average=None, zero_division=np.nan
        )
        yield {
            "name": name,
            "true": true.tolist(),
            "scores": scores.tolist(),
            "acc": float((true == predicted).mean()),
            "precision": mean_of_defined(precision),
            "recall": mean_of_defined(recall),
            "f1": mean_of_defined(f1),
            "roc_auc": mean_of_defined([area(*columns) for columns in zip(true.T, scores.T, strict=True)]),
        }


def numbers():
    generator = np.random.default_rng(3)
    one = sixteenths(generator, (30, 1), 5, 40), sixteenths(generator, (30, 1), 5, 40)
    several = sixteenths(generator, (20, 3), -4, 4), sixteenths(generator, (20, 3), -4, 4)
    cases = [
        ("one_value", *one),
        ("several_values", np.where(several[0] == 0, 0.5, several[0]), several[1]),
        ("targets_of_zero", np.array([[0.0], [1.0], [2.0], [0.0]]), np.array([[0.5], [1.0], [1.5], [0.0]])),
        ("exact", one[0], one[0]),
        ("mean_of_targets", np.array([[1.0], [2.0], [3.0]]), np.full((3, 1), 2.0)),
        ("equal_targets", np.full((3, 1), 2.0), np.array([[1.0], [2.0], [3.0]])),
        ("equal_targets_met", np.full((3, 1), 2.0), np.full((3, 1), 2.0)),
        (
            "one_value_of_equal_targets",
            np.array([[1.0, 5.0], [2.0, 5.0], [4.0, 5.0]]),
            np.array([[1.5, 5.0], [2.0, 4.0], [3.0, 5.0]]),
        ),
    ]
    for name, true, predicted in cases:
        yield {
            "name": name,
            "true": true.tolist(),
            "predicted": predicted.tolist(),
            "me": float((predicted - true).mean()),
            "mae": float(metrics.mean_absolute_error(true, predicted)),
            "mse": float(metrics.mean_squared_error(true, predicted)),
            "rmse": float(metrics.root_mean_squared_error(true, predicted)),
            "mape": float(metrics.mean_absolute_percentage_error(true, predicted)),
            "r2": mean_of_defined(metrics.r2_score(true, predicted, multioutput="raw_values", force_finite=False)),
        }


def class_weights():
    true = [0] * 7 + [1] * 2 + [2] * 11
    return {"true": true, "balanced": compute_class_weight("balanced", classes=np.arange(3), y=np.array(true)).tolist()}


if __name__ == "__main__":
    house.write_fixture(
        "metrics_more.json",
        __file__,
        {"scores": "class 1, or the label, is predicted from 0 up", "me": "predicted - true", "null": "no value"},
        roc_auc=list(areas()),
        top_k=top_k(),
        labels=list(labels()),
        regression=list(numbers()),
        class_weights=class_weights(),
    )
