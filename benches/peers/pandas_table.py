"""From a CSV file to float32 tensors with pandas and scikit-learn, for `tables` of the benchmark.

    python benches/peers/pandas_table.py FILE [--target COLUMN]

A stratified fifth of the rows is for testing, a fifth of the rest for validation. Missing numbers become the mean of the training rows,
missing texts the most frequent one; texts are one-hot encoded, all columns are scaled to mean 0 and standard deviation 1. Prints a line
of JSON: seconds without imports, rows, features, versions.
"""

import argparse
import json
import time

import numpy
import pandas
import sklearn
import torch
from sklearn.impute import SimpleImputer
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import OneHotEncoder, StandardScaler

arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
arguments.add_argument("file")
arguments.add_argument("--target", default="y")
arguments = arguments.parse_args()

began = time.perf_counter()
table = pandas.read_csv(arguments.file)
y = table.pop(arguments.target).to_numpy()
rest, test = train_test_split(numpy.arange(len(y)), test_size=0.2, stratify=y, random_state=42)
train, validation = train_test_split(rest, test_size=0.2, stratify=y[rest], random_state=42)
texts = [name for name in table if not pandas.api.types.is_numeric_dtype(table[name])]
numbers = [name for name in table if name not in texts]
parts = {"train": train, "validation": validation, "test": test}

filled = SimpleImputer(strategy="mean") if table[numbers].isna().any(axis=None) else None
scaler = StandardScaler()
columns = {}
for part, rows in parts.items():
    values = table[numbers].to_numpy()[rows]
    if filled:
        values = filled.fit_transform(values) if part == "train" else filled.transform(values)
    columns[part] = [values]
if texts:
    most_frequent = SimpleImputer(strategy="most_frequent", missing_values=numpy.nan)
    encoder = OneHotEncoder(sparse_output=False, handle_unknown="ignore")
    for part, rows in parts.items():
        values = table[texts].to_numpy(dtype=object)[rows]
        values = most_frequent.fit_transform(values) if part == "train" else most_frequent.transform(values)
        columns[part].append(encoder.fit_transform(values) if part == "train" else encoder.transform(values))
tensors = {}
for part, rows in parts.items():
    values = numpy.hstack(columns[part])
    values = scaler.fit_transform(values) if part == "train" else scaler.transform(values)
    tensors[part] = torch.from_numpy(values.astype(numpy.float32)), torch.from_numpy(y[rows].astype(numpy.float32))
seconds = time.perf_counter() - began
print(json.dumps({
    "seconds": seconds,
    "rows": {part: len(features) for part, (features, _) in tensors.items()},
    "features": tensors["train"][0].shape[1],
    "versions": {"pandas": pandas.__version__, "scikit-learn": sklearn.__version__},
}))
