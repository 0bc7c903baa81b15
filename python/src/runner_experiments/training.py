"""Trains experiments."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

from runner_experiments import programs
from runner_experiments.arguments import option, seeds_text, settings
from runner_experiments.frames import Frames
from runner_experiments.progress import Progress
from runner_experiments.runs import Run, load


def run(
    experiment: str | os.PathLike[str],
    *,
    set: Mapping[str, Any] | None = None,
    seeds: int | Sequence[int] | str | None = None,
    epochs: int | None = None,
    variants: str | Sequence[str] | None = None,
    device: str | None = None,
    threads: int | None = None,
    out: str | os.PathLike[str] | None = None,
    name: str | None = None,
    tags: Sequence[str] = (),
    note: str | None = None,
    resume: bool = False,
    strict: bool = False,
    max_time: str | None = None,
    arguments: Sequence[str] = (),
    frames: Frames | None = None,
    progress: bool = True,
) -> Run:
    """Trains an experiment as `runner exp` does, and loads the run.

    Ctrl-C, and the stop button of a notebook, save a checkpoint; `resume=True` continues.

    Args:
        experiment: Name of an experiment, or path of its TOML file.
        set: Settings to change: `{"lr": 0.01, "train.optimizer": {"sgd": {"lr": 0.1}}}`.
        seeds: One seed, or several, which are trained together: `3`, `range(5)`, `[1, 5]` or `"0..4"`.
        epochs: Number of epochs.
        variants: Names of variants, or patterns such as `"lr_*"`.
        device: `"auto"`, `"cpu"`, `"cuda"` or `"cuda:1"`.
        threads: Maximum number of CPU threads.
        out: Directory of the runs; by default `RUNNER_RUNS`, else `runs` in the current directory.
        name: Name of the run.
        tags: Tags of the run.
        note: Note about the run.
        resume: Resumes the newest run with these settings, or starts one.
        strict: Raises an error if an expectation is missed.
        max_time: Stops after this time: `"90s"`, `"10m"`.
        arguments: More arguments of `runner exp`.
        frames: Package of the tables; see `load`.
        progress: Shows the progress, in a terminal or a notebook.

    Raises:
        RunnerError: With the message and the hint of `runner`. With `strict`, the run directory has the results anyway.
    """
    command = ["exp", os.fspath(experiment), *settings(set)]
    command += option("--seeds", None if seeds is None else seeds_text(seeds)) + option("--epochs", epochs)
    for variant in [variants] if isinstance(variants, str) else variants or []:
        command += ["--variant", variant]
    command += option("--device", device) + option("--threads", threads) + option("--name", name) + option("--note", note)
    for tag in [tags] if isinstance(tags, str) else tags:
        command += ["--tag", tag]
    command += option("--out", None if out is None else os.fspath(out)) + option("--max-time", max_time)
    command += ["--resume"] * resume + ["--strict"] * strict + [*arguments]
    with Progress(progress) as shown:
        result = programs.call_json(command, shown.line)
    return load(result["run"], frames=frames)
