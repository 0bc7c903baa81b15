"""Confusion matrices and what follows from them, by scikit-learn: writes metrics.json.

    python tests/golden/metrics.py

A confusion matrix has one row per true class and one column per predicted class. Precision has no value for a class that
was never predicted, recall none for a class that never occurred, F1 none for a class that did neither: such a value is
null (nan in the text of the report). Averages are scikit-learn's by default: over the classes that occur or were predicted,
with 0 in place of a missing value.
"""

import math
import warnings

import numpy as np
from sklearn.metrics import (
    accuracy_score,
    classification_report,
    confusion_matrix,
    precision_recall_fscore_support,
)

import house

NAMES = ("precision", "recall", "f1")


def or_null(value):
    return None if math.isnan(value) else float(value)


def averages(true, predicted, average):
    with warnings.catch_warnings(action="ignore"):
        values = precision_recall_fscore_support(true, predicted, average=average)[:3]
    return dict(zip(NAMES, map(float, values), strict=True))


def report_text(true, predicted, labels):
    """The report with nan for the missing values of a class, and the averages as scikit-learn gives them by default."""
    with warnings.catch_warnings(action="ignore"):
        by_class = classification_report(true, predicted, labels=labels, digits=4, zero_division=np.nan).splitlines()
        default = classification_report(true, predicted, digits=4).splitlines()
    is_average = [line.strip().startswith(("macro avg", "weighted avg")) for line in by_class]
    averages = iter(line for line in default if line.strip().startswith(("macro avg", "weighted avg")))
    lines = [next(averages) if average else line for line, average in zip(by_class, is_average, strict=True)]
    # where a label is in neither, scikit-learn writes the accuracy as an average over the labels
    accuracy = next(line for line in default if line.strip().startswith("accuracy"))
    return "\n".join(accuracy if line.strip().startswith(("accuracy", "micro avg")) else line for line in lines) + "\n"


def report(name, true, predicted, labels, show_rows=True):
    *values, support = precision_recall_fscore_support(true, predicted, labels=labels, average=None, zero_division=np.nan)
    return {
        "name": name,
        "labels": labels,
        "true": list(map(int, true)) if show_rows else None,
        "predicted": list(map(int, predicted)) if show_rows else None,
        "confusion": confusion_matrix(true, predicted, labels=labels).tolist(),
        "accuracy": float(accuracy_score(true, predicted)),
        "per_class": {key: [or_null(v) for v in value] for key, value in zip(NAMES, values, strict=True)}
        | {"support": support.tolist()},
        "macro": averages(true, predicted, "macro"),
        "weighted": averages(true, predicted, "weighted"),
        "text": report_text(true, predicted, labels),
    }


def from_confusion(confusion):
    """True and predicted labels that give this confusion matrix."""
    cells = [(i, j) for i, row in enumerate(confusion) for j, count in enumerate(row) for _ in range(count)]
    return [i for i, _ in cells], [j for _, j in cells]


def reports():
    true, predicted = [0, 0, 0, 0, 1, 1, 1, 2, 2, 2, 2, 2], [0, 0, 1, 0, 1, 1, 0, 2, 2, 0, 1, 2]
    yield report("three_classes", true, predicted, [0, 1, 2])
    yield report("one_class_never_predicted", [0, 0, 1, 1, 1, 2, 2, 0], [0, 1, 1, 1, 0, 1, 0, 0], [0, 1, 2])
    yield report("one_class_never_true", [0, 0, 1, 1, 1, 0], [0, 2, 1, 1, 0, 0], [0, 1, 2])
    yield report("one_class_in_neither", [0, 0, 1, 1, 1, 0], [0, 1, 1, 1, 0, 0], [0, 1, 2])
    yield report("binary", [0, 0, 0, 0, 0, 0, 1, 1, 1, 1], [0, 0, 1, 1, 0, 0, 1, 0, 1, 1], [0, 1])
    yield report("binary_no_positive_predicted", [0, 0, 0, 1, 1], [0, 0, 0, 0, 0], [0, 1])
    yield report("binary_all_right", [0, 1, 1, 0], [0, 1, 1, 0], [0, 1])
    # LESSONS.md G: the decision tree on the credit-card rows, and after the honest SMOTE.
    for name, confusion in (
        ("creditcard_tree", [[56840, 24], [25, 73]]),
        ("creditcard_tree_honest_smote", [[56758, 106], [20, 78]]),
    ):
        yield report(name, *from_confusion(confusion), [0, 1], show_rows=False)


if __name__ == "__main__":
    house.write_fixture(
        "metrics.json",
        __file__,
        {"confusion": "[true][predicted]", "null": "the metric has no value"},
        cases=list(reports()),
    )
