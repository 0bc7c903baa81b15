"""Runs that are shorter than the included experiment: their results do not show the lesson."""

from __future__ import annotations

import tomllib
from pathlib import Path

from runner_experiments import Run

EXPERIMENTS = Path(__file__).resolve().parent.parent / "experiments"


def shortened(run: Run) -> str | None:
    """Returns how a run is shorter than the included experiment, in words; None if it is not."""
    shipped = _shipped(run.experiment)
    missing = [name for name in shipped if name not in run.variants]
    epochs, rows, interrupted = set(), set(), False
    for trial in run.histories:
        whole = shipped.get(trial["variant"])
        if whole is None:
            continue
        planned = (trial["config"].get("train") or {}).get("epochs")
        if planned is not None and whole["epochs"] is not None and planned < whole["epochs"]:
            epochs.add((planned, whole["epochs"]))
        (data,) = trial["config"]["data"].values()
        taken = (data.get("split") or {}).get("train_rows")
        if taken is not None and taken != whole["train_rows"]:
            rows.add(taken)
        interrupted |= trial["status"] == "interrupted"
    said = [f"without {', '.join(missing)}"] if missing else []
    if epochs:
        short, whole = ({pair[side] for pair in epochs} for side in (0, 1))
        said.append(f"{_range(short)} epoch{'' if short == {1} else 's'} in place of {_range(whole)}")
    if rows:
        said.append(f"{_range(rows)} training rows")
    if interrupted:
        said.append("interrupted")
    return "; ".join(said) or None


def _range(numbers: set[int]) -> str:
    low, high = min(numbers), max(numbers)
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"


def _shipped(experiment: str) -> dict[str, dict]:
    """Returns the epochs and the training rows of each variant of the experiment in `experiments/`."""
    file = EXPERIMENTS / f"{experiment}.toml"
    if not file.is_file():
        return {}
    with file.open("rb") as text:
        spec = tomllib.load(text)
    (data,) = spec["data"].values()
    epochs, rows = spec.get("train", {}).get("epochs"), data.get("split", {}).get("train_rows")
    name = next(iter(spec["data"]))
    return {
        variant["name"]: {
            "epochs": variant.get("set", {}).get("train.epochs", epochs),
            "train_rows": variant.get("set", {}).get(f"data.{name}.split.train_rows", rows),
        }
        for variant in spec.get("variants", [{"name": "base"}])
    }
