"""Metrics about the positive class, whichever of two it is, and means over classes, by scikit-learn: writes
positive_class.json.

    python tests/golden/positive_class.py

Precision, recall, F1, average precision and the area under the ROC curve with class 0 and with class 1 as the positive
one, as given by one probability of class 1; the precision–recall curve of either; macro and weighted means where a class
is never predicted, never true, or neither, all by scikit-learn's defaults; balanced class weights where a class has no
training row (`compute_sample_weight`). Probabilities are ones that float32 holds exactly. Null: the value of the lone
positive class is not defined (scikit-learn warns and gives 0).
"""

import warnings

import numpy as np
from sklearn import metrics
from sklearn.utils.class_weight import compute_sample_weight

import house

warnings.filterwarnings("ignore")


def of_positive(true, probability, positive):
    true, probability = np.array(true), np.array(probability)
    predicted = (probability >= 0.5).astype(int)  # class 1 from one half on
    is_positive, score = true == positive, probability if positive == 1 else 1 - probability
    defined = {
        "precision": (predicted == positive).any(),
        "recall": is_positive.any(),
        "f1": is_positive.any() or (predicted == positive).any(),
    }
    scores = {
        "precision": metrics.precision_score,
        "recall": metrics.recall_score,
        "f1": metrics.f1_score,
    }
    values = {name: float(of(true, predicted, pos_label=positive)) if defined[name] else None for name, of in scores.items()}
    has_both = 0 < is_positive.sum() < len(true)
    values["ap"] = float(metrics.average_precision_score(is_positive, score)) if has_both else None
    values["roc_auc"] = float(metrics.roc_auc_score(is_positive, score)) if has_both else None
    if has_both:
        precision, recall, at = metrics.precision_recall_curve(is_positive, score, drop_intermediate=True)
        values["curve"] = {"precision": precision.tolist(), "recall": recall.tolist(), "threshold_but_last": at.tolist()}
    return values


def two_classes():
    generator = np.random.default_rng(15)
    rare_first = (generator.random(160) >= 0.15).astype(int)
    probability = np.clip(generator.integers(0, 12, 160) + 5 * rare_first, 0, 16) / 16
    cases = [
        ("rare_first_class", rare_first.tolist(), probability.tolist()),
        ("few_rows", [0, 1, 1, 1, 0, 1], [0.25, 0.75, 0.5, 0.125, 0.875, 1.0]),
        ("first_class_never_predicted", [0, 1, 1, 0], [0.5, 0.75, 1.0, 0.625]),
        ("second_class_never_predicted", [0, 1, 1, 0], [0.25, 0.375, 0.125, 0.0]),
        ("equal_scores", [0, 1, 1, 0, 1], [0.5] * 5),
        ("one_class", [0, 0, 0], [0.25, 0.75, 0.5]),
    ]
    for name, true, probability in cases:
        of = {str(positive): of_positive(true, probability, positive) for positive in (0, 1)}
        yield {"name": name, "true": true, "probability": probability, "positive": of}


def several_classes():
    generator = np.random.default_rng(16)
    five = generator.integers(0, 5, 60)
    cases = [
        ("never_predicted", 3, [0, 0, 1, 1, 1, 2, 2, 0], [0, 1, 1, 1, 0, 1, 0, 0]),
        ("never_true", 3, [0, 0, 1, 1, 1, 0], [0, 2, 1, 1, 0, 0]),
        ("in_neither", 4, [0, 0, 1, 3, 1, 0], [0, 1, 1, 3, 0, 0]),
        ("first_in_neither", 3, [1, 1, 2, 2], [1, 2, 2, 2]),
        ("one_class_alone", 3, [2, 2], [2, 2]),
        ("none_right", 3, [0, 0], [1, 1]),
        ("five_classes_and_two_without_a_row", 7, five.tolist(), np.where(generator.random(60) < 0.7, five, 5).tolist()),
    ]
    for name, classes, true, predicted in cases:
        means = {
            average: dict(
                zip(
                    ("precision", "recall", "f1"),
                    map(float, metrics.precision_recall_fscore_support(true, predicted, average=average)[:3]),
                    strict=True,
                )
            )
            for average in ("macro", "weighted")
        }
        yield {
            "name": name,
            "classes": classes,
            "true": true,
            "predicted": predicted,
            **means,
            "balanced_acc": float(metrics.balanced_accuracy_score(true, predicted)),
        }


def class_weights():
    """The weight of each class where the last row, the only one of class 2, is no training row."""
    true = np.array([0] * 7 + [1] * 3 + [2])
    weights = compute_sample_weight("balanced", true, indices=np.arange(10))
    return {"training": true[:10].tolist(), "balanced": [float(weights[true == label][0]) for label in range(3)]}


if __name__ == "__main__":
    house.write_fixture(
        "positive_class.json",
        __file__,
        {"probability": "of class 1, which is predicted from 0.5 up", "null": "no value"},
        two_classes=list(two_classes()),
        several_classes=list(several_classes()),
        class_weights=class_weights(),
    )
