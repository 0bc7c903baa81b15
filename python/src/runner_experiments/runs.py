"""Loads runs: their trials, curves and metrics."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from runner_experiments import history_files, programs, safetensors
from runner_experiments.errors import RunnerError
from runner_experiments.frames import Frames, frame
from runner_experiments.history_files import trial_name
from runner_experiments.safetensors import Framework


def number(value: object) -> float | None:
    """Returns a number of a history as a float: the strings `"nan"`, `"inf"` and `"-inf"` too. Other values are None."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        return float(value)
    except ValueError:
        return None


def load(run: str | os.PathLike[str] | Run, *, frames: Frames | None = None, out: str | os.PathLike[str] | None = None) -> Run:
    """Loads a run. torch is not needed.

    Args:
        run: Directory of a run, name of an experiment (its newest run that has histories), or id or name of a run.
        frames: Package of the tables, `"polars"` or `"pandas"`; by default polars if it is installed, else pandas.
        out: Directory of the runs; by default `RUNNER_RUNS`, else `runs` in the current directory or, for notebooks in a directory of their
            own, in the one above it.

    Raises:
        RunnerError: If there is no such run, or a history is damaged.
    """
    if isinstance(run, Run):
        return run if frames in (None, run.frames) else Run(run.experiment, run.name, run.histories, run.folder, frames)
    given = os.fspath(run)
    folder = Path(given)
    if folder.is_dir() and (histories := history_files.read_directory(folder)):
        return _run(folder, histories, frames)
    base = Path(out).expanduser() if out is not None else runs_directory()
    experiment = base / given
    if experiment.is_dir():
        for child in sorted(_directories(experiment), key=lambda child: child.name, reverse=True):
            if histories := history_files.read_directory(child):
                return _run(child, histories, frames)
    if folder.is_dir():
        raise RunnerError(f"no run in `{folder}`: the directory has no history")
    if (found := _by_id(given, base)) and (histories := history_files.read_directory(found)):
        return _run(found, histories, frames)
    raise RunnerError(
        f"no run of `{given}` in `{base}`",
        f"run `runner exp {given}`, or name the directory of the runs: RUNNER_RUNS=DIR",
    )


def runs_directory() -> Path:
    """Returns the directory of the runs: `RUNNER_RUNS`, else `runs` in the current directory, else in the one above it."""
    own = os.environ.get("RUNNER_RUNS")
    if own:
        return Path(own).expanduser()
    above = Path("..", "runs")
    return above if above.is_dir() and not Path("runs").is_dir() else Path("runs")


def _directories(folder: Path) -> list[Path]:
    return [child for child in folder.iterdir() if child.is_dir() and not child.is_symlink()]


def _run(folder: Path, histories: list[dict[str, Any]], frames: Frames | None) -> Run:
    folder = folder.resolve()
    return Run(histories[0]["experiment"], folder.name, histories, folder, frames)


def _by_id(given: str, base: Path) -> Path | None:
    """Returns the directory of the run with this id (or its unique beginning) or name, as `runner runs` lists it."""
    if not base.is_dir():
        return None
    try:
        listed = programs.call_json(["runs", "--archived", "--out", str(base)])
    except RunnerError:
        return None
    matching = [run for run in listed if given == run["name"]] or [run for run in listed if run["id"].startswith(given)]
    if len(matching) > 1:
        raise RunnerError(f"`{given}` is the beginning of {len(matching)} ids of runs", "write more of the id: `runner runs` lists them")
    return Path(matching[0]["folder"]) if matching else None


@dataclass
class Run:
    """A run of an experiment: its trials, one for each variant, seed and fold.

    All tables start with the columns `variant`, `seed` and `fold` (null without folds). Losses and metrics have no unit; times
    are in seconds.

    Attributes:
        experiment: Name of the experiment.
        name: Name of the run directory.
        histories: The history of each trial; see `docs/reference/history.md` for its fields.
        folder: The run directory.
        frames: Package of the tables, `"polars"` or `"pandas"`; None is the one that is installed.
    """

    experiment: str
    name: str
    histories: list[dict[str, Any]] = field(repr=False)
    folder: Path
    frames: Frames | None = None

    @cached_property
    def variants(self) -> list[str]:
        """The names of the variants, in the experiment's order; `["base"]` without variants."""
        return list(dict.fromkeys(trial["variant"] for trial in self.histories))

    @cached_property
    def seeds(self) -> list[int]:
        """The seeds, sorted."""
        return sorted({trial["seed"] for trial in self.histories})

    @cached_property
    def trial_names(self) -> list[str]:
        """The names of the trials, such as `base-seed0`. `weights` and `to_onnx` take them."""
        return [trial_name(trial) for trial in self.histories]

    def of_first_seed(self) -> Run:
        """Returns the run with only the trials of its first seed."""
        return Run(
            self.experiment, self.name, [trial for trial in self.histories if trial["seed"] == self.seeds[0]], self.folder, self.frames
        )

    def trial(self, variant: str | None = None, seed: int | None = None, fold: int | None = None) -> dict[str, Any]:
        """Returns the history of the first trial with this variant, seed and fold; None matches all."""
        for trial in self.histories:
            if variant in (None, trial["variant"]) and seed in (None, trial["seed"]) and fold in (None, trial["fold"]):
                return trial
        wanted = ", ".join(f"{key} {value}" for key, value in [("variant", variant), ("seed", seed), ("fold", fold)] if value is not None)
        raise RunnerError(f"the run of `{self.experiment}` has no trial of {wanted}", f"its trials are {', '.join(self.trial_names)}")

    def named(self, trial: str | dict[str, Any] | None = None) -> dict[str, Any]:
        """Returns the history of the trial of this name; without a name, of the only trial."""
        if isinstance(trial, dict):
            return trial
        if trial is None and len(self.histories) == 1:
            return self.histories[0]
        if trial is None:
            raise RunnerError(
                f"the run of `{self.experiment}` has {len(self.histories)} trials", f"name one: {', '.join(self.trial_names)}"
            )
        for history, name in zip(self.histories, self.trial_names, strict=True):
            if name == trial:
                return history
        raise RunnerError(f"the run of `{self.experiment}` has no trial `{trial}`", f"its trials are {', '.join(self.trial_names)}")

    def _table(self, rows_of: Callable[[dict[str, Any]], list[dict[str, Any]]]) -> Any:
        rows = []
        for trial in self.histories:
            key = {"variant": trial["variant"], "seed": trial["seed"], "fold": trial["fold"]}
            rows += [key | row for row in rows_of(trial)]
        return frame(rows, self.frames, ("variant", "seed", "fold"))

    @cached_property
    def curves(self) -> Any:
        """One row per trial and epoch: `epoch` (from 1), `lr`, `seconds` (duration of the epoch), and each metric: `loss`, `val_loss`, …"""

        def rows(trial: dict[str, Any]) -> list[dict[str, Any]]:
            series = {name: list(map(number, values)) for name, values in trial["history"].items() if name != "epoch"}
            return [
                {"epoch": epoch} | {name: values[place] for name, values in series.items()}
                for place, epoch in enumerate(trial["history"]["epoch"])
            ]

        return self._table(rows)

    def curve(self, metric: str, variant: str | None = None, seed: int | None = None, fold: int | None = None) -> Any:
        """Returns one metric of one trial: the columns `epoch` and `metric`."""
        trial = self.trial(variant, seed, fold)
        if metric not in trial["history"]:
            raise RunnerError(f"`{self.experiment}` has no curve `{metric}`", f"its curves are {', '.join(trial['history'])}")
        pairs = zip(trial["history"]["epoch"], trial["history"][metric], strict=True)
        return frame([{"epoch": epoch, metric: number(value)} for epoch, value in pairs], self.frames, ("epoch", metric))

    @cached_property
    def trials(self) -> Any:
        """One row per trial: status, epochs, first and last values of the curves, the best epoch, and the diagnosis.

        `label` is the diagnosis, such as `overfitting`; `val_loss_rise` is the last validation loss minus the lowest one.
        """

        def rows(trial: dict[str, Any]) -> list[dict[str, Any]]:
            row: dict[str, Any] = {"status": trial["status"], "epochs": len(trial["history"]["epoch"])}
            for name, values in trial["history"].items():
                if name in ("loss", "acc", "val_loss", "val_acc") and values:
                    row |= {f"first_{name}": number(values[0]), f"last_{name}": number(values[-1])}
            diagnosis = trial["diagnosis"] or {}
            row["best_epoch"] = (trial["best"] or {}).get("epoch")
            row["label"] = diagnosis.get("label")
            row["overfits_from"] = diagnosis.get("overfits_from")
            row |= {name: number(diagnosis.get(name)) for name in ("val_loss_rise", "generalization_gap", "acc_gap")}
            return [row]

        return self._table(rows)

    @cached_property
    def metrics(self) -> Any:
        """One row per trial: the metrics of the test rows that are single numbers: `loss`, `acc`, `f1`, …

        A run without test rows has only the first three columns.
        """

        def rows(trial: dict[str, Any]) -> list[dict[str, Any]]:
            test = trial["test"] or {}
            row = {name: value for name, value in ((name, number(value)) for name, value in test.items()) if value is not None}
            # With other metrics in the experiment, only the classification report has the accuracy.
            if "acc" not in row and test.get("report"):
                row["acc"] = test["report"]["accuracy"]
            return [row]

        return self._table(rows)

    def by_layer(self, observed: str) -> Any:
        """Returns what `train.observe` recorded in the layers, such as `gradient_norm`.

        One row per trial, layer and epoch: `layer` (its name), `depth` (from 1), `epoch` and `value`.
        """

        def rows(trial: dict[str, Any]) -> list[dict[str, Any]]:
            layers = [name for name in trial["history"] if name.startswith(f"{observed}.")]
            layers.sort(key=lambda name: [(not part.isdigit(), int(part) if part.isdigit() else 0, part) for part in name.split(".")[1:]])
            return [
                {"layer": name.split(".", 1)[1], "depth": depth, "epoch": epoch, "value": number(value)}
                for depth, name in enumerate(layers, start=1)
                for epoch, value in zip(trial["history"]["epoch"], trial["history"][name], strict=True)
            ]

        return self._table(rows)

    @cached_property
    def references(self) -> Any:
        """Published values beside those of this run: `metric`, `reference`, `this_run`, `exact`."""
        return self._table(
            lambda trial: [
                {"metric": row["metric"], "reference": number(row["reference"]), "this_run": number(row["this_run"]), "exact": row["exact"]}
                for row in trial.get("references", [])
            ]
        )

    @cached_property
    def expectations(self) -> Any:
        """The expectations and their results: `claim`, `variant`, `metric`, `expected`, `found` (text), `met`."""
        seen: dict[tuple[Any, ...], tuple[dict[str, Any], Any]] = {}
        for trial in self.histories:
            for row in trial["expectations"]:
                found = row.get("found")
                found = found if isinstance(found, str) else number(found)
                seen.setdefault((row["index"], trial["variant"], trial["seed"], trial["fold"]), (row, found))
        rows = [
            {
                "claim": row.get("claim"),
                "variant": row.get("variant"),
                "metric": row["metric"],
                "expected": row["expected"],
                "found": f"{found:.4g}" if isinstance(found, float) else str(found),
                "met": row["met"],
            }
            for _, (row, found) in sorted(seen.items(), key=lambda item: item[0][0])
        ]
        return frame(rows, self.frames, ("claim", "variant", "metric", "expected", "found", "met"))

    def weights(
        self, variant: str | None = None, seed: int | None = None, fold: int | None = None, *, framework: Framework = "torch"
    ) -> dict[str, Any]:
        """Returns the kept weights of the first trial with this variant, seed and fold; see `weights`."""
        return safetensors.of_trial(self.folder, trial_name(self.trial(variant, seed, fold)), framework)


def weights(
    run: str | os.PathLike[str] | Run, trial: str | dict[str, Any] | None = None, *, framework: Framework = "torch"
) -> dict[str, Any]:
    """Returns the kept weights of a trial, as a state dict.

    Args:
        run: A loaded run, or what `load` takes.
        trial: Name of the trial, such as `base-seed0`, or its history; may be left out if the run has one trial.
        framework: `"torch"` returns tensors on the CPU, `"numpy"` arrays, for which torch is not needed.

    Returns:
        The parameters and buffers by their names in the `state_dict` of an `nn.Sequential` of the layers, with PyTorch's shapes:
        `0.weight` of a `linear` layer is [outputs, inputs], that of a `conv2d` layer [channels out, channels in, height, width].
    """
    run = load(run)
    return safetensors.of_trial(run.folder, trial_name(run.named(trial)), framework)
