"""Compares runs."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

from runner_experiments import programs
from runner_experiments.frames import Frames, frame
from runner_experiments.runs import Run

_TEST_COLUMNS = ("p", "corrected", "hedges_g", "test", "significance")


@dataclass
class Comparison:
    """The result of `runner compare`. Its statistics are those of `runner`; see `docs/concepts/statistics.md`.

    Attributes:
        data: All that `runner compare --json` prints: groups, settings, metrics, tests and cautions.
        frames: Package of the tables.
    """

    data: dict[str, Any] = field(repr=False)
    frames: Frames | None = None

    @cached_property
    def groups(self) -> list[str]:
        """The labels of the groups. Trials that differ only by seed and fold are one group."""
        return [group["label"] for group in self.data["groups"]]

    @property
    def baseline(self) -> str:
        """The label of the group that the others are compared with."""
        number: int = self.data["baseline"]
        return self.groups[number]

    @cached_property
    def metrics(self) -> Any:
        """One row per metric and group: `metric`, `group`, `n` (trials), `mean`, `std`, `low`, `high` (95 % interval), `min`, `max`."""
        rows = []
        for metric in self.data["metrics"]:
            for label, values in zip(self.groups, metric["groups"], strict=True):
                values = values or {}
                interval = values.get("interval") or {}
                row = {"metric": metric["name"], "group": label, "n": values.get("n")}
                row |= {name: values.get(name) for name in ("mean", "std")} | {name: interval.get(name) for name in ("low", "high")}
                rows.append(row | {name: values.get(name) for name in ("min", "max")})
        return frame(rows, self.frames, ("metric", "group", "n", "mean", "std", "low", "high", "min", "max"))

    @cached_property
    def settings(self) -> Any:
        """One row per setting that differs: `setting`, and a column for each group."""
        rows = [{"setting": row["key"]} | dict(zip(self.groups, row["values"], strict=True)) for row in self.data["settings"]]
        return frame(rows, self.frames, ("setting", *self.groups))

    @cached_property
    def tests(self) -> Any:
        """One row per tested metric and group other than the baseline.

        `difference` is the mean of the group minus that of the baseline, with its interval `low` to `high`; `p` is the p value,
        `corrected` the one corrected for the number of tests, `hedges_g` the effect size; `significance` is `runner`'s answer.
        """
        rows = []
        for test in self.data["tests"]:
            for label, values in zip(self.groups, test["groups"], strict=True):
                if values is not None:
                    interval = values.get("interval") or {}
                    row = {"metric": test["metric"], "group": label, "difference": values.get("difference")}
                    row |= {name: interval.get(name) for name in ("low", "high")}
                    rows.append(row | {name: values.get(name) for name in _TEST_COLUMNS})
        return frame(rows, self.frames, ("metric", "group", "difference", "low", "high", *_TEST_COLUMNS))


def compare(
    *runs: str | os.PathLike[str] | Run,
    metric: str | None = None,
    baseline: str | None = None,
    test: Literal["permutation", "ranks", "t"] | None = None,
    out: str | os.PathLike[str] | None = None,
    frames: Frames | None = None,
) -> Comparison:
    """Compares settings, metrics and curves of runs, and tests whether differences are statistically significant.

    Args:
        runs: Loaded runs, names of experiments (their newest finished runs), ids or directories, `RUN/VARIANT`, or histories of Keras,
            Lightning and others. One run is compared by its variants.
        metric: Metric to test, such as `acc` or `best.val_loss`.
        baseline: Run that the others are compared with; by default the first.
        test: Statistical test; by default a permutation test.
        out: Directory of the runs.
        frames: Package of the tables; see `load`.
    """
    command = ["compare", *(str(run.folder) if isinstance(run, Run) else os.fspath(run) for run in runs)]
    for name, value in [("--metric", metric), ("--baseline", baseline), ("--test", test), ("--out", out)]:
        command += [] if value is None else [name, os.fspath(value)]
    return Comparison(programs.call_json(command), frames)
