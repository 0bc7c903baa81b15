"""Splits as scikit-learn draws them, and the NumPy stream under them: writes splits.json.

    python tests/golden/splits.py

Short splits are listed row by row, in the order in which scikit-learn returns them. Long ones are given by their sizes,
their first (and last) twenty rows, and the SHA-256 of all rows written as little-endian 64-bit integers.
"""

import hashlib

import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import GroupKFold, GroupShuffleSplit, KFold, StratifiedKFold, train_test_split

import house


def listed(train, test):
    return {"train": train.tolist(), "test": test.tolist()}


def summarized(train, test):
    def summary(rows):
        digest = hashlib.sha256(rows.astype("<i8").tobytes()).hexdigest()
        return {"size": len(rows), "first": rows[:20].tolist(), "last": rows[-20:].tolist(), "sha256": digest}

    return {"train": summary(train), "test": summary(test)}


def numpy_stream():
    """NumPy's legacy generator (MT19937) as scikit-learn uses it."""
    return {
        "permutation": [
            {"seed": seed, "n": n, "values": np.random.RandomState(seed).permutation(n).tolist()}
            for seed, n in ((777, 12), (0, 12), (42, 33), (42, 1))
        ],
        "permutation_of_list": {
            "seed": 5,
            "values": [10, 20, 30, 40, 50],
            "permuted": np.random.RandomState(5).permutation([10, 20, 30, 40, 50]).tolist(),
        },
        "random_sample": {"seed": 42, "n": 5, "values": np.random.RandomState(42).random_sample(5).tolist()},
        "choice_without_replacement": [
            {"seed": seed, "n": n, "size": size, "values": np.random.RandomState(seed).choice(n, size, replace=False).tolist()}
            for seed, n, size in ((42, 10, 4), (0, 3, 1), (7, 6, 6))
        ],
        # Several draws from one generator: each goes on where the last one stopped.
        "in_a_row": one_after_another(np.random.RandomState(42)),
    }


def one_after_another(rng):
    return {
        "seed": 42,
        "permutation_7": rng.permutation(7).tolist(),
        "choice_5_2": rng.choice(5, 2, replace=False).tolist(),
        "random_sample_2": rng.random_sample(2).tolist(),
        "permutation_4": rng.permutation(4).tolist(),
    }


def shuffled():
    """`train_test_split` without stratification."""
    return [
        {"n": n, "test_size": test_size, "random_state": random_state}
        | listed(*train_test_split(np.arange(n), test_size=test_size, random_state=random_state))
        for n in (10, 25, 101)
        for test_size in (0.2, 0.25, 0.33)
        for random_state in (0, 1, 42)
    ]


def labels_of(counts):
    """Labels with these counts, mixed by a rule without chance: a fixed stride through the sorted labels."""
    ordered = np.repeat(np.arange(len(counts)), counts)
    stride = next(s for s in range(len(ordered) // 3 + 1, len(ordered)) if np.gcd(s, len(ordered)) == 1)
    return ordered[np.arange(len(ordered)) * stride % len(ordered)]


STRATIFIED = [
    ("balanced", [20, 20], 0.25, (0, 42)),
    ("unbalanced", [90, 8, 2], 0.25, (0, 42)),
    # Every class has the same remainder, and fewer rows are left to give than classes: who gets one is drawn.
    ("ties", [11, 11, 11, 11], 0.25, (0, 1, 42)),
    ("seven_classes", [9, 9, 9, 9, 9, 9, 9], 0.3, (0, 42)),
    ("seven_uneven_classes", [15, 12, 11, 10, 9, 8, 7], 0.3, (0, 777)),
    # Here counts / total * wanted, taken in this order in float64, falls just beside a whole number or beside a tie;
    # exact arithmetic gives another allocation, or the same one after drawing other random numbers.
    ("rounding_changes_the_allocation", [29, 35, 26], 0.33, (0, 42)),
    ("rounding_changes_the_draws", [10, 11, 11, 7, 6], 0.2, (3, 42)),
]


def stratified():
    cases = []
    for name, counts, test_size, random_states in STRATIFIED:
        labels = labels_of(counts)
        for random_state in random_states:
            parts = train_test_split(np.arange(len(labels)), test_size=test_size, random_state=random_state, stratify=labels)
            cases.append(
                {"name": name, "labels": labels.tolist(), "test_size": test_size, "random_state": random_state}
                | listed(*parts)
            )
    return cases


def large():
    digits = load_digits().target
    i = np.arange(60_000)
    made = (i * i * 31 + i // 7) % 10
    return [
        {"name": "mnist", "n": 60_000, "labels": None, "test_size": 0.3, "random_state": 777}
        | summarized(*train_test_split(i, test_size=0.3, random_state=777)),
        {"name": "digits_stratified", "n": len(digits), "labels": "sklearn.load_digits", "test_size": 0.25, "random_state": 7}
        | summarized(*train_test_split(np.arange(len(digits)), test_size=0.25, random_state=7, stratify=digits)),
        {"name": "made_stratified", "n": 60_000, "labels": "(i * i * 31 + i / 7) % 10", "test_size": 0.3, "random_state": 777}
        | summarized(*train_test_split(i, test_size=0.3, random_state=777, stratify=made)),
    ]


def folds():
    """Five folds of 53 rows. StratifiedKFold numbers the classes by first appearance: these labels begin with 2."""
    labels = (2 - labels_of([25, 17, 11])) % 3
    splitters = [
        ("KFold", KFold(5, shuffle=True, random_state=42)),
        ("KFold_unshuffled", KFold(5)),
        ("StratifiedKFold", StratifiedKFold(5, shuffle=True, random_state=42)),
        ("StratifiedKFold_unshuffled", StratifiedKFold(5)),
    ]
    return {
        "labels": labels.tolist(),
        "splits": 5,
        "random_state": 42,
        "cases": [
            {"name": name, "folds": [listed(*fold) for fold in splitter.split(np.zeros((53, 1)), labels)]}
            for name, splitter in splitters
        ],
    }


def groups():
    """Rows of 13 groups of unequal size, in no order; no group is in two parts."""
    ids = labels_of([1, 2, 9, 4, 3, 7, 1, 5, 6, 2, 8, 3, 4]) * 10 + 7
    rows = np.zeros((len(ids), 1))
    shuffled = [
        {"test_size": test_size, "random_state": random_state}
        | listed(*next(GroupShuffleSplit(1, test_size=test_size, random_state=random_state).split(rows, groups=ids)))
        for test_size in (0.2, 0.25, 0.5)
        for random_state in (0, 42)
    ]
    folds = [
        {"folds": count, "random_state": random_state, "parts": [listed(*fold) for fold in splitter.split(rows, groups=ids)]}
        for count in (2, 5, 13)
        for random_state in (0, 42)
        for splitter in [GroupKFold(count, shuffle=True, random_state=random_state)]
    ]
    return {"groups": ids.tolist(), "shuffled": shuffled, "folds": folds}


if __name__ == "__main__":
    house.write_fixture(
        "splits.json",
        __file__,
        {"sha256": "of the rows as little-endian int64"},
        numpy=numpy_stream(),
        shuffled=shuffled(),
        stratified=stratified(),
        large=large(),
        folds=folds(),
        groups=groups(),
    )
