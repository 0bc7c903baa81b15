"""Under-sampling, over-sampling, SMOTE and Borderline-SMOTE on small tables: writes resampling.json.

    python tests/golden/resampling.py

For each case: the sampler's class and settings of imbalanced-learn, and the rows and classes that it returns, in its order,
in float64. The tables have two and three classes, one of them with rows that occur twice (distances of 0).
"""

import numpy as np
from imblearn.over_sampling import SMOTE, BorderlineSMOTE, RandomOverSampler
from imblearn.under_sampling import RandomUnderSampler

import house


def table(sizes, features, seed, duplicates=0):
    """Overlapping clouds of points, one for each class; the last rows of the last class repeat its first."""
    random = np.random.RandomState(seed)
    clouds = [random.normal(loc=1.5 * number, size=(rows, features)) for number, rows in enumerate(sizes)]
    for number in range(duplicates):
        clouds[-1][-1 - number] = clouds[-1][number]
    x = np.concatenate(clouds).round(3)
    y = np.repeat(np.arange(len(sizes)), sizes)
    order = random.permutation(len(y))
    return x[order], y[order]


TABLES = {
    "two": table([40, 12], 3, seed=1),
    "duplicates": table([30, 10], 4, seed=2, duplicates=3),
    "three": table([9, 25, 14], 3, seed=3),
    "ties": table([8, 20, 8], 2, seed=4),
}

CASES = [
    ("under", RandomUnderSampler, [{"random_state": 0}, {"random_state": 42}]),
    ("over", RandomOverSampler, [{"random_state": 0}, {"random_state": 42}]),
    ("smote", SMOTE, [{"random_state": 42}, {"random_state": 7, "k_neighbors": 3}]),
    (
        "borderline_smote",
        BorderlineSMOTE,
        [
            {"random_state": 42},
            {"random_state": 7, "k_neighbors": 3, "m_neighbors": 6},
            {"random_state": 42, "kind": "borderline-2"},
        ],
    ),
]
HALF = [("under", RandomUnderSampler), ("over", RandomOverSampler), ("smote", SMOTE), ("borderline_smote", BorderlineSMOTE)]


def cases():
    for name, (x, y) in TABLES.items():
        runs = [(kind, sampler, options) for kind, sampler, all_options in CASES for options in all_options]
        if name == "two":
            runs += [(kind, sampler, {"random_state": 3, "sampling_strategy": 0.6}) for kind, sampler in HALF]
        for kind, sampler, options in runs:
            new_x, new_y = sampler(**options).fit_resample(x, y)
            yield {"table": name, "sampler": kind, "options": options, "x": new_x.tolist(), "y": new_y.tolist()}


if __name__ == "__main__":
    tables = {name: {"x": x.tolist(), "y": y.tolist()} for name, (x, y) in TABLES.items()}
    house.write_fixture("resampling.json", __file__, {"dtype": "float64"}, tables=tables, cases=list(cases()))
