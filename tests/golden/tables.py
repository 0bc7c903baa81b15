"""Tables as scikit-learn and pandas load, split, fill in, encode and scale them: writes tables.json.

    python tests/golden/tables.py

The loaders' tables are given by their shape, the sum of each column, and their first and last rows. Whatever is fitted
is fitted to training rows only.
"""

import numpy as np
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits
from sklearn.impute import SimpleImputer
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, OneHotEncoder, OrdinalEncoder, StandardScaler

import house


def loaded(name, bunch):
    x, y = bunch.data, bunch.target
    return {
        "name": name,
        "shape": list(x.shape),
        "features": ", ".join(bunch.feature_names),
        "classes": [str(label) for label in bunch.get("target_names", [])],
        "sums": x.sum(axis=0).tolist(),
        "first": x[0].tolist(),
        "last": x[-1].tolist(),
        "target_sum": float(y.sum()),
        "target_first": y[:10].tolist(),
        "target_last": y[-10:].tolist(),
    }


# Ordinary numbers; a constant; a constant that float64 does not hold exactly; nearly constant at a great height; zeros and ones.
TRAINING = [
    [1.5, 7.0, 0.1, 1e9 + 1, 0.0],
    [-2.25, 7.0, 0.1, 1e9 + 2, 1.0],
    [1e-3, 7.0, 0.1, 1e9 + 1, 1.0],
    [40.0, 7.0, 0.1, 1e9 + 4, 1.0],
    [3.0, 7.0, 0.1, 1e9 + 1, 0.0],
    [3.5, 7.0, 0.1, 1e9 + 1, 1.0],
    [-1.0, 7.0, 0.1, 1e9 + 3, 1.0],
]
OTHERS = [[100.0, 8.0, 0.1, 1e9, 1.0], [0.0, 7.0, 0.3, 1e9 + 2.5, 0.0]]


def scaled():
    cases = []
    for name, scaler in (("standard", StandardScaler()), ("min_max", MinMaxScaler())):
        training = scaler.fit_transform(TRAINING)
        cases.append({"name": name, "training": training.tolist(), "others": scaler.transform(OTHERS).tolist()})
    return {"training": TRAINING, "others": OTHERS, "cases": cases}


def parts(name, train, validation, test, **more):
    def summary(x):
        return {"rows": len(x), "sums": x.sum(axis=0).tolist(), "first": x[0].tolist(), "last": x[-1].tolist()}

    return {"name": name} | more | {key: summary(x) for key, x in (("train", train), ("validation", validation), ("test", test))}


def split_twice(x, y):
    rest, test, y_rest, _ = train_test_split(x, y, test_size=0.2, random_state=42, stratify=y)
    train, validation = train_test_split(rest, test_size=0.25, random_state=42, stratify=y_rest)
    return train, validation, test


def cancer_scaled():
    """Breast cancer in three parts, scaled by the training rows."""
    bunch = load_breast_cancer()
    train, *others = split_twice(bunch.data, bunch.target)
    return [
        parts(name, scaler.fit_transform(train), *(scaler.transform(part) for part in others))
        for name, scaler in (("standard", StandardScaler()), ("min_max", MinMaxScaler()))
    ]


def digits_scaled():
    """Pixels, each with its own mean; some are constant."""
    bunch = load_digits()
    train, *others = split_twice(bunch.data, bunch.target)
    scaler = StandardScaler()
    return parts("standard", scaler.fit_transform(train), *(scaler.transform(part) for part in others))


def penguins():
    """Penguins in three parts: filled in, encoded, numbers scaled."""
    table = pd.read_csv(house.HERE.parent.parent / "src/data/embedded/penguins.csv")
    numbers = ["bill_length_mm", "bill_depth_mm", "flipper_length_mm", "body_mass_g"]
    cases = []
    for missing in ("mean", "most_frequent", "drop"):
        for encode in ("one_hot", "label"):
            used = table.drop(columns="year")
            used = used.dropna() if missing == "drop" else used
            impute = "most_frequent" if missing == "drop" else missing  # nothing is left to fill in
            encoder = OneHotEncoder(sparse_output=False) if encode == "one_hot" else OrdinalEncoder()
            if encode == "label":
                encoder = make_pipeline(encoder, StandardScaler())  # a number like any other
            text = make_pipeline(SimpleImputer(strategy="most_frequent"), encoder)
            pipeline = make_column_transformer(
                (text, ["island"]),
                (make_pipeline(SimpleImputer(strategy=impute), StandardScaler()), numbers),
                (text, ["sex"]),
            )
            train, validation, test = split_twice(used, used["species"])
            cases.append(
                parts(
                    f"{missing}_{encode}",
                    pipeline.fit_transform(train),
                    pipeline.transform(validation),
                    pipeline.transform(test),
                    missing=missing,
                    encode=encode,
                )
            )
    return {"missing": table.isna().sum().to_dict(), "duplicates": int(table.duplicated().sum()), "cases": cases}


def digits_labels():
    y = load_digits().target
    labels = {"even": y % 2 == 0, "odd": y % 2 == 1, "at_least_5": y >= 5, "prime": np.isin(y, [2, 3, 5, 7])}
    return {name: {"sum": int(label.sum()), "first": label[:20].astype(int).tolist()} for name, label in labels.items()}


if __name__ == "__main__":
    house.write_fixture(
        "tables.json",
        __file__,
        {"split": "test 0.2, then validation 0.25 of the rest, random_state 42, stratified"},
        loaded=[
            loaded("breast_cancer", load_breast_cancer()),
            loaded("diabetes", load_diabetes(scaled=False)),
        ],
        scaled=scaled(),
        breast_cancer=cancer_scaled(),
        digits=digits_scaled(),
        digits_labels=digits_labels(),
        penguins=penguins(),
    )
