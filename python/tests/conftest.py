"""Real runs for the tests: trained once by the program that the package finds (`RUNNER_PROGRAM`, the wheel's, or the one on `PATH`)."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

import runner_experiments as rx


@pytest.fixture(scope="session")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of the runs. No setting of the user's own is used."""
    base = tmp_path_factory.mktemp("work")
    os.environ.pop("RUNNER_RUNS", None)
    os.environ.pop("RUNNER_SWEEPS", None)
    os.environ["XDG_CONFIG_HOME"] = str(base / "config")
    os.chdir(base)
    return base / "runs"


@pytest.fixture(scope="session")
def digits(out: Path) -> rx.Run:
    """Two seeds of `digits_mlp`."""
    return rx.run("digits_mlp", seeds=range(2), epochs=20, out=out, progress=False)


@pytest.fixture(scope="session")
def faster(out: Path, digits: rx.Run) -> rx.Run:
    """The same with a larger learning rate."""
    return rx.run("digits_mlp", set={"lr": 0.01}, seeds="0..1", epochs=20, out=out, tags=["fast"], progress=False)


@pytest.fixture(scope="session")
def penguins(out: Path) -> rx.Run:
    """A run with two variants and test rows."""
    return rx.run("encoding_penguins", epochs=5, out=out, progress=False)
