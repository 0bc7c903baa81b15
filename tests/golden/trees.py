"""Decision trees on small data that both sides have: writes trees.json and weighted_trees.json.

    python tests/golden/trees.py

For each case: the data set, the settings of `DecisionTreeClassifier`, and over `random_state` 0 to 9 the depth, the leaves
and the accuracy on training and test rows, least and most. Splits that are equally good may make ten different trees;
the importances, and the shares of the classes that test rows get, are written out where all ten agree on them.
scikit-learn casts features to float32; rows are split 80:20 with `random_state=42`, stratified.

weighted_trees.json has trees with `class_weight` on two noisy tables, which the file holds: the first rows are for training, every
third of the others for testing. Of each case the fewest and the most leaves are written out (of the fewest see `distinct_leaves`), and where all ten trees agree on them the
importances, and of the test rows the shares of the classes and the confusion matrix.
"""

import numpy as np
from sklearn.datasets import load_breast_cancer, load_digits
from sklearn.metrics import confusion_matrix
from sklearn.model_selection import train_test_split
from sklearn.tree import DecisionTreeClassifier
from sklearn.utils.class_weight import compute_class_weight
import torch

import house

DATA = {"breast_cancer": load_breast_cancer, "digits": load_digits}
CASES = [
    ("breast_cancer", {}),
    ("breast_cancer", {"criterion": "entropy"}),
    ("breast_cancer", {"max_depth": 1}),
    ("breast_cancer", {"max_depth": 3}),
    ("breast_cancer", {"max_depth": 3, "criterion": "entropy"}),
    ("breast_cancer", {"min_samples_leaf": 10}),
    ("breast_cancer", {"min_samples_leaf": 20}),
    ("breast_cancer", {"min_samples_leaf": 20, "criterion": "entropy"}),
    ("breast_cancer", {"min_samples_split": 60}),
    ("breast_cancer", {"max_depth": 2, "class_weight": {0: 1, 1: 5}}),
    ("digits", {}),
    ("digits", {"criterion": "entropy"}),
    ("digits", {"max_depth": 3}),
    ("digits", {"max_depth": 4, "criterion": "entropy"}),
    ("digits", {"max_depth": 5, "min_samples_leaf": 10}),
]


def agreed(values):
    """What all ten say, if they do."""
    return values[0].round(12).tolist() if all(np.allclose(value, values[0], rtol=0, atol=1e-12) for value in values) else None


def cases():
    for name, options in CASES:
        x, y = DATA[name](return_X_y=True)
        train, test = train_test_split(np.arange(len(y)), test_size=0.2, random_state=42, stratify=y)
        fit = lambda state: DecisionTreeClassifier(random_state=state, **options).fit(x[train], y[train])
        trees = [fit(state) for state in range(10)]
        figures = {
            "depth": [tree.get_depth() for tree in trees],
            "leaves": [int(tree.get_n_leaves()) for tree in trees],
            "train_acc": [tree.score(x[train], y[train]) for tree in trees],
            "test_acc": [tree.score(x[test], y[test]) for tree in trees],
        }
        case = {"data": name, "options": {key: value for key, value in options.items() if key != "class_weight"}}
        if "class_weight" in options:
            case["options"]["class_weights"] = list(options["class_weight"].values())
        case |= {key: [min(values), max(values)] for key, values in figures.items()}
        importances = agreed([tree.feature_importances_ for tree in trees])
        probabilities = agreed([tree.predict_proba(x[test]) for tree in trees])
        case |= {key: value for key, value in [("importances", importances), ("probabilities", probabilities)] if value}
        yield case


def noisy(rows_of_classes, features, seed):
    """Classes that overlap: normal features whose means differ a little from class to class, rounded to 3 decimals."""
    random = np.random.default_rng(seed)
    y = random.permutation(np.repeat(np.arange(len(rows_of_classes)), rows_of_classes))
    means = random.normal(scale=0.5, size=(len(rows_of_classes), features))
    x = (means[y] + random.normal(size=(len(y), features))).round(3)
    return x.astype(np.float32), y


# of the seeds 0 to 39, those with the fewest splits that are equally good
TABLES = {
    "two_classes": (noisy([347, 253], 4, 34), 420),
    "three_classes": (noisy([300, 90, 30], 5, 37), 320),
}
WEIGHTED_CASES = [
    ("two_classes", options | {"class_weight": weights})
    for options in [
        {"max_depth": 3},
        {"max_depth": 5, "criterion": "entropy"},
        {"max_depth": 8, "min_samples_leaf": 30},
        {"min_samples_split": 40},
    ]
    for weights in [None, "balanced", [1, 1.4], [1, 2], [1, 20], [0.3, 0.1]]
] + [
    ("three_classes", options | {"class_weight": weights})
    for options in [{"max_depth": 4}, {"max_depth": 6, "min_samples_leaf": 12, "criterion": "entropy"}]
    for weights in [None, "balanced", [1, 3.3, 9.7], [1, 1, 1000]]
]


def distinct_leaves(tree):
    """How many leaves there are when a split whose leaves all have the same shares counts as one leaf.

    scikit-learn adds weights up row by row, and the rounding leaves pure nodes an impurity above 0, so that some are split.
    """
    inner = tree.tree_

    def shares(node):
        left, right = inner.children_left[node], inner.children_right[node]
        if left < 0:
            return [tuple(inner.value[node][0].round(12))]
        both = shares(left) + shares(right)
        return both[:1] if len(set(both)) == 1 else both

    return len(shares(0))


def weighted_cases():
    for name, options in WEIGHTED_CASES:
        (x, y), rows = TABLES[name]
        weights = options["class_weight"]
        each = compute_class_weight(weights, classes=np.unique(y), y=y[:rows]) if weights == "balanced" else weights
        # in another unit for each random state, which changes nothing but the rounding: where splits are equally good it decides
        unit = lambda state: None if each is None else {label: weight * (1 + 0.37 * state) for label, weight in enumerate(each)}
        fit = lambda state: DecisionTreeClassifier(random_state=state, **options | {"class_weight": unit(state)})
        trees = [fit(state).fit(x[:rows], y[:rows]) for state in range(10)]
        case = {"data": name, "options": {key: value for key, value in options.items() if key != "class_weight"}}
        if weights is not None:
            case["options"]["class_weights"] = weights
        agreed_on = {
            "importances": agreed([tree.feature_importances_ for tree in trees]),
            "probabilities": agreed([tree.predict_proba(x[rows::3]) for tree in trees]),
            "confusion": agreed([confusion_matrix(y[rows::3], tree.predict(x[rows::3])) for tree in trees]),
        }
        fewest, most = min(map(distinct_leaves, trees)), max(int(tree.get_n_leaves()) for tree in trees)
        yield case | {"leaves": [fewest, most]} | {key: value for key, value in agreed_on.items() if value}


if __name__ == "__main__":
    house.write_fixture("trees.json", __file__, {"random_states": list(range(10))}, cases=list(cases()))
    # the same tables in the fixture, so that nobody has to repeat numpy's generator
    tables = {
        name: {"features": house.numbers(torch.tensor(x)), "classes": y.tolist(), "training_rows": rows}
        for name, ((x, y), rows) in TABLES.items()
    }
    states = {"random_states": list(range(10))}
    house.write_fixture("weighted_trees.json", __file__, states, tables=tables, cases=list(weighted_cases()))
