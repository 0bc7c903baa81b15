"""Metrics of scores, labels and numbers, by scikit-learn: writes metrics_more.json.

    python tests/golden/metrics_more.py

ROC and precision–recall curves with the areas under them, ties, equal scores, saturated logits and one class only; the
threshold that is best by F1 or by a cost; Matthews' correlation and balanced accuracy; top-k accuracy; precision, recall
and F1 of several labels; regression metrics, some with targets of zero, and balanced class weights. Scores and numbers are ones
that float32 holds exactly, so that the figures do not depend on the kind. A value that is not defined is null: areas
and curves where one class has no row, Matthews' correlation where a side is constant (scikit-learn gives 0), R² where all
targets are equal. Areas over labels are means over those that have a
value; in means of precision, recall and F1 a missing value counts as 0, which is scikit-learn's default.
"""

import math
import warnings

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


def average_precision(true, scores):
    return float(metrics.average_precision_score(true, scores)) if len(set(true)) == 2 else None


def curves(true, scores):
    """Both curves with what lies between corners left out; the precision–recall curve's last point has no threshold."""
    if len(set(true)) < 2:
        return {"roc": None, "precision_recall": None}
    fpr, tpr, thresholds = metrics.roc_curve(true, scores, drop_intermediate=True)
    precision, recall, at = metrics.precision_recall_curve(true, scores, drop_intermediate=True)
    f1 = [float(metrics.f1_score(true, np.array(scores) >= threshold)) for threshold in at]
    return {
        # the first threshold is infinite
        "roc": {"fpr": fpr.tolist(), "tpr": tpr.tolist(), "threshold_from_second": thresholds[1:].tolist()},
        "precision_recall": {
            "precision": precision.tolist(),
            "recall": recall.tolist(),
            "f1_but_last": f1,
            "threshold_but_last": at.tolist(),
        },
    }


MISS, FALSE_ALARM = 10, 1


def best_thresholds(true, scores):
    """The highest of the best thresholds, each a score that occurs: by F1, and by cost (null where none is predicted)."""
    if len(set(true)) < 2:
        return None
    true, scores = np.array(true), np.array(scores)
    choices = {}
    for name, cost in (
        ("f1", lambda predicted: -metrics.f1_score(true, predicted, zero_division=0.0)),
        ("cost", lambda predicted: int(MISS * (true & ~predicted).sum() + FALSE_ALARM * (~(true == 1) & predicted).sum())),
    ):
        candidates = [np.inf, *sorted(set(scores.tolist()), reverse=True)]
        values = [cost(scores >= threshold) for threshold in candidates]
        best = candidates[int(np.argmin(values))]
        predicted = scores >= best
        choices[name] = {
            "at": None if math.isinf(best) else best,
            "value": abs(float(min(values))),
            "confusion": metrics.confusion_matrix(true, predicted, labels=[0, 1]).tolist(),
        }
    return choices


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
        # logits beyond which a sigmoid in float32 is 1 or 0
        ("saturated", [0, 1, 1, 0, 1, 0], [-200.0, 200.0, 104.0, 90.0, -90.0, -104.0]),
        ("rare", (np.arange(300) % 60 == 7).astype(int).tolist(), rare_scores(generator)),
    ]
    for name, true, scores in cases:
        yield {
            "name": name,
            "true": true,
            "scores": scores,
            "roc_auc": area(true, scores),
            "ap": average_precision(true, scores),
            **curves(true, scores),
            "best": best_thresholds(true, scores),
        }


def rare_scores(generator):
    """Scores of 300 rows, five of them of class 1, which mostly score higher."""
    return (sixteenths(generator, 300, -4, 2) + 3 * (np.arange(300) % 60 == 7)).tolist()


def correlations():
    """Matthews' correlation and balanced accuracy of predicted classes."""
    generator = np.random.default_rng(4)
    four = generator.integers(0, 4, 80)
    cases = [
        ("two_classes", [0, 0, 0, 1, 1, 0], [0, 1, 0, 1, 0, 0]),
        ("all_right", [0, 1, 2], [0, 1, 2]),
        ("all_wrong", [0, 1, 1], [1, 0, 0]),
        ("never_predicted", [0, 0, 1, 2, 2], [0, 0, 0, 2, 2]),
        ("never_true", [0, 0, 2, 2], [0, 1, 2, 2]),
        ("one_predicted", [0, 1, 1], [0, 0, 0]),
        ("one_true", [1, 1, 1], [1, 0, 1]),
        ("four_classes", four.tolist(), np.where(generator.random(80) < 0.6, four, generator.integers(0, 4, 80)).tolist()),
    ]
    for name, true, predicted in cases:
        is_constant = len(set(true)) == 1 or len(set(predicted)) == 1
        with warnings.catch_warnings(action="ignore"):  # of a class that is predicted and never true
            balanced = float(metrics.balanced_accuracy_score(true, predicted))
        yield {
            "name": name,
            "classes": max(*true, *predicted) + 1,
            "true": true,
            "predicted": predicted,
            "mcc": None if is_constant else float(metrics.matthews_corrcoef(true, predicted)),
            "balanced_acc": balanced,
        }


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
            true, predicted, average="macro", zero_division=0.0
        )
        yield {
            "name": name,
            "true": true.tolist(),
            "scores": scores.tolist(),
            "acc": float((true == predicted).mean()),
            "precision": float(precision),
            "recall": float(recall),
            "f1": float(f1),
            "roc_auc": mean_of_defined([area(*columns) for columns in zip(true.T, scores.T, strict=True)]),
            "ap": mean_of_defined([average_precision(*columns) for columns in zip(true.T, scores.T, strict=True)]),
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
        {
            "scores": "class 1, or the label, is predicted from 0 up",
            "cost": {"miss": MISS, "false_alarm": FALSE_ALARM},
            "me": "predicted - true",
            "null": "no value",
        },
        roc_auc=list(areas()),
        correlations=list(correlations()),
        top_k=top_k(),
        labels=list(labels()),
        regression=list(numbers()),
        class_weights=class_weights(),
    )
