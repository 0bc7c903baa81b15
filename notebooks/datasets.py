"""Rows of the data sets, for pictures that need the rows themselves; a history holds figures only.

The small data sets lie in this repository, as they are built into `runner`. MNIST lies where `runner` keeps what it
fetches: `~/.cache/runner`, or the folder in `RUNNER_DATA_DIR`.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import numpy as np
import polars as pl

from runner_experiments import RunnerError

EMBEDDED = Path(__file__).resolve().parent.parent / "src" / "data" / "embedded"


def digits() -> tuple[np.ndarray, np.ndarray]:
    """1,797 images [rows, 8, 8] with values 0–16, and the digit of each."""
    table = np.loadtxt(EMBEDDED / "digits.csv.gz", delimiter=",")
    return table[:, :-1].reshape(-1, 8, 8), table[:, -1].astype(int)


def diabetes() -> tuple[np.ndarray, np.ndarray]:
    """10 measurements of 442 patients, and how far the disease had progressed a year later."""
    return np.loadtxt(EMBEDDED / "diabetes_data_raw.csv.gz"), np.loadtxt(EMBEDDED / "diabetes_target.csv.gz")


def penguins() -> pl.DataFrame:
    """344 penguins; values may be missing."""
    return pl.read_csv(EMBEDDED / "penguins.csv", null_values=["NA", ""])


def mnist_test() -> tuple[np.ndarray, np.ndarray]:
    """10,000 test images [rows, 28, 28] with values 0–255, and the digit of each."""
    folder = Path(os.environ.get("RUNNER_DATA_DIR") or _cache() / "runner") / "mnist"
    try:
        images = (folder / "t10k-images-idx3-ubyte").read_bytes()
        labels = (folder / "t10k-labels-idx1-ubyte").read_bytes()
    except FileNotFoundError:
        raise RunnerError(f"no MNIST in `{folder}`", "run `runner data fetch mnist`; it is kept in RUNNER_DATA_DIR if that is set") from None
    # The IDX format: a header of 16 bytes for images and 8 for labels, then a byte for each value.
    return np.frombuffer(images, np.uint8, offset=16).reshape(-1, 28, 28), np.frombuffer(labels, np.uint8, offset=8).astype(int)


def _cache() -> Path:
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")


def shuffled_split(rows: int, share: float, random_state: int) -> tuple[np.ndarray, np.ndarray]:
    """The rows to train on and those to test on, as scikit-learn's `train_test_split` chooses them without `stratify`."""
    held_out = int(np.ceil(rows * share))
    order = np.random.RandomState(random_state).permutation(rows)
    return order[held_out:], order[:held_out]
