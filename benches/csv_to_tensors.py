"""From a CSV file to resampled training tensors, with pandas, scikit-learn and imbalanced-learn.

Like `csv_to_tensors.rs`: the same file, the same stratified split (a fifth for testing, random_state 42), the same
SMOTE of the training rows (5 neighbors, random_state 42) in float64, no scaling; then float32 tensors and int64 classes.
Prints the seconds of each stage, counted after the imports, and the peak memory; `--check` also prints sums and rows, to
compare them.

    python benches/csv_to_tensors.py creditcard.csv
"""

import argparse
import json
import resource
import time

import numpy as np
import pandas
import torch
from imblearn.over_sampling import SMOTE
from sklearn.model_selection import train_test_split

arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
arguments.add_argument("path")
arguments.add_argument("--target", default="Class")
arguments.add_argument("--check", action="store_true")
arguments = arguments.parse_args()

before_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
seconds = {}
began = start = time.perf_counter()


def stage(name):
    global start
    now = time.perf_counter()
    seconds[name] = round(now - start, 4)
    start = now


table = pandas.read_csv(arguments.path)
x, y = table.drop(columns=[arguments.target]), table[arguments.target]
stage("read")
x_train, x_test, y_train, y_test = train_test_split(x, y, test_size=0.2, stratify=y, random_state=42)
stage("split")
x_resampled, y_resampled = SMOTE(random_state=42).fit_resample(x_train, y_train)
stage("resample")
features = torch.tensor(x_resampled.to_numpy(dtype=np.float32))
classes = torch.tensor(y_resampled.to_numpy(dtype=np.int64))
stage("tensors")
seconds["all"] = round(time.perf_counter() - began, 4)

peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps({
    "seconds": seconds,
    "peak_mb": round(peak_mb),
    "mb_before_reading": round(before_mb),
    "shape": list(features.shape),
}))
if arguments.check:
    rows = x_resampled.to_numpy()
    print(json.dumps({
        "sums": rows.sum(axis=0).tolist(),
        "classes": [int((classes == 0).sum()), int((classes == 1).sum())],
        "first": rows[0].tolist(),
        "last": rows[-1].tolist(),
    }))
