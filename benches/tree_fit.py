"""Fits decision trees to the training rows of a CSV file, original and with SMOTE, with scikit-learn.

Like `tree_fit.rs`: the same file, the same stratified split (a fifth for testing, random_state 42), the same SMOTE
of the training rows (5 neighbors, random_state 42) in float64, and float32 features, as in scikit-learn's trees.
Prints the seconds of each fit and the peak memory; `--check` also prints depth, leaves and accuracy of the trees.

    python benches/tree_fit.py creditcard.csv
"""

import argparse
import json
import resource
import time

import numpy as np
import pandas
from imblearn.over_sampling import SMOTE
from sklearn.model_selection import train_test_split
from sklearn.tree import DecisionTreeClassifier

arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
arguments.add_argument("path")
arguments.add_argument("--target", default="Class")
arguments.add_argument("--check", action="store_true")
arguments = arguments.parse_args()


def peak_mb():
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


table = pandas.read_csv(arguments.path)
x, y = table.drop(columns=[arguments.target]), table[arguments.target]
x_train, _, y_train, _ = train_test_split(x, y, test_size=0.2, stratify=y, random_state=42)
del table, x, y
parts = {"plain": (x_train, y_train), "smote": SMOTE(random_state=42).fit_resample(x_train, y_train)}
parts = {name: (x.to_numpy(dtype=np.float32), y.to_numpy()) for name, (x, y) in parts.items()}
parts = {name: (np.ascontiguousarray(x), y) for name, (x, y) in parts.items()}
del x_train, y_train

seconds, trees, before_mb = {}, {}, peak_mb()
for name, (x, y) in parts.items():
    start = time.perf_counter()
    tree = DecisionTreeClassifier(random_state=42).fit(x, y)
    seconds[name] = round(time.perf_counter() - start, 4)
    if arguments.check:
        trees[name] = {
            "depth": int(tree.get_depth()),
            "leaves": int(tree.get_n_leaves()),
            "train_acc": float(tree.score(x, y)),
        }

print(json.dumps({"seconds": seconds, "peak_mb": peak_mb(), "mb_before_fitting": before_mb}))
if arguments.check:
    print(json.dumps(trees))
