"""Trains and loads sweeps."""

from __future__ import annotations

import csv
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from runner_experiments import programs
from runner_experiments.arguments import option, seeds_text, settings, toml
from runner_experiments.errors import RunnerError
from runner_experiments.frames import Frames, frame
from runner_experiments.progress import Progress
from runner_experiments.runs import runs_directory


@dataclass
class Sweep:
    """A sweep: its configurations, best first.

    Attributes:
        folder: Directory of the sweep.
        frames: Package of the table.
    """

    folder: Path
    frames: Frames | None = None

    @cached_property
    def table(self) -> Any:
        """One row per configuration, best first.

        `rank`, `configuration`, its settings, the metric (mean over seeds) and its standard deviation, `n` (seeds), `trials`, `epochs`,
        `status`, `error`.
        """
        with (self.folder / "table.csv").open(encoding="utf-8", newline="") as file:
            header, *lines = csv.reader(file)
        return frame([dict(zip(header, map(_value, line), strict=True)) for line in lines], self.frames, header)

    def best_experiment(self, path: str | os.PathLike[str]) -> Path:
        """Writes the experiment of the best configuration as a TOML file, which `run` takes; returns the path."""
        programs.call(["sweep", "best", str(self.folder), "--toml", os.fspath(path)])
        return Path(path)


def _value(text: str) -> Any:
    """Returns a cell of a table: a number, a text, or None."""
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            pass
    return {"true": True, "false": False, "": None}.get(text, text)


def load_sweep(sweep: str | os.PathLike[str], *, frames: Frames | None = None, out: str | os.PathLike[str] | None = None) -> Sweep:
    """Loads a sweep that has a table.

    Args:
        sweep: Directory of a sweep, or name of an experiment: its newest sweep with results.
        frames: Package of the table; see `load`.
        out: Directory of the sweeps; by default `RUNNER_SWEEPS`, else `sweeps` beside the directory of the runs.
    """
    given = Path(sweep)
    if (given / "table.csv").is_file():
        return Sweep(given.resolve(), frames)
    if out is None:
        out = os.environ.get("RUNNER_SWEEPS") or runs_directory().parent / "sweeps"
    base = Path(out).expanduser()
    tables = [table for table in base.glob(f"{given}/*/table.csv") if not table.parent.is_symlink()]
    if not tables:
        raise RunnerError(
            f"no sweep of `{given}` with results in `{base}`",
            f"run `runner sweep {given}`, or name the directory of the sweeps: RUNNER_SWEEPS=DIR",
        )
    return Sweep(max(tables, key=lambda table: table.parent.name).parent.resolve(), frames)


def sweep(
    experiment: str | os.PathLike[str],
    *,
    space: Mapping[str, str | Sequence[Any]] | None = None,
    trials: int | None = None,
    seeds: int | Sequence[int] | str | None = None,
    method: str | None = None,
    metric: str | None = None,
    halving: str | None = None,
    set: Mapping[str, Any] | None = None,
    epochs: int | None = None,
    device: str | None = None,
    workers: int | None = None,
    out: str | os.PathLike[str] | None = None,
    resume: bool = False,
    arguments: Sequence[str] = (),
    frames: Frames | None = None,
    progress: bool = True,
) -> Sweep:
    """Trains many configurations of an experiment as `runner sweep` does, and loads the result.

    Ctrl-C, and the stop button of a notebook, save checkpoints; `resume=True` continues.

    Args:
        experiment: Name of an experiment, or path of its TOML file.
        space: Settings to vary: `{"lr": "log:1e-4..1e-1", "train.batch": [32, 64]}`; see `docs/guide/sweeps.md`.
        trials: Number of configurations.
        seeds: Seeds of each configuration: `3`, `range(3)` or `"0..2"`; with `halving` also `"first=1,then=3"`.
        method: `"grid"`, `"random"` or `"sobol"`.
        metric: Metric that ranks the configurations, such as `best.val_loss`.
        halving: Drops configurations early: `"first=3"`; `"none"` ignores the halving of the file.
        set: Settings of all configurations to change.
        epochs: Number of epochs.
        device: `"auto"`, `"cpu"`, `"cuda"` or `"cuda:1"`.
        workers: Number of worker processes.
        out: Directory of the sweeps; by default `RUNNER_SWEEPS`, else `sweeps`.
        resume: Continues the newest sweep with these settings.
        arguments: More arguments of `runner sweep`.
        frames: Package of the table; see `load`.
        progress: Shows the progress, in a terminal or a notebook.

    Raises:
        RunnerError: With the message and the hint of `runner`.
    """
    command = ["sweep", os.fspath(experiment), *settings(set)]
    for key, values in (space or {}).items():
        text = values if isinstance(values, str) else ",".join(value if isinstance(value, str) else toml(value) for value in values)
        command += ["--space", f"{key}={text}"]
    command += option("--trials", trials) + option("--seeds", None if seeds is None else seeds_text(seeds))
    for name, value in [
        ("--method", method),
        ("--metric", metric),
        ("--halving", halving),
        ("--epochs", epochs),
        ("--device", device),
        ("--workers", workers),
    ]:
        command += option(name, value)
    command += option("--out", None if out is None else os.fspath(out)) + ["--resume"] * resume + [*arguments]
    with Progress(progress) as shown:
        result = programs.call_json(command, shown.line)
    return Sweep(Path(result["sweep"]).resolve(), frames)
