"""Decision trees on small data that both sides have: writes trees.json.

    python tests/golden/trees.py

For each case: the data set, the settings of `DecisionTreeClassifier`, and over `random_state` 0 to 9 the depth, the leaves
and the accuracy on training and test rows, least and most. Splits that are equally good may make ten different trees;
the importances, and the shares of the classes that test rows get, are written out where all ten agree on them.
scikit-learn casts features to float32; rows are split 80:20 with `random_state=42`, stratified.
"""

import numpy as np
from sklearn.datasets import load_breast_cancer, load_digits
from sklearn.model_selection import train_test_split
from sklearn.tree import DecisionTreeClassifier

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


if __name__ == "__main__":
    house.write_fixture("trees.json", __file__, {"random_states": list(range(10))}, cases=list(cases()))
