"""Reads the histories that `runner exp` writes as polars frames.

    run = load("overfit_mnist")          # its newest run below `runs/`, or below the folder in `RUNNER_RUNS`
    run.curves                           # one row for each trial and epoch
    run.ends                             # one row for each trial: where its curves end, and their diagnosis
    run.tests                            # one row for each trial: metrics on the test rows
    sweep("sweep_learning_rate")         # one row for each configuration of a sweep below `sweeps/`, or below `RUNNER_SWEEPS`

All frames start with the columns `variant`, `seed` and `fold`. NaN and infinities are strings in a history (`"nan"`, `"inf"`);
here they are floats.
"""

from __future__ import annotations

import json
import os
import struct
import tomllib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import polars as pl

SCHEMA = "runner.history/2"
FORMER_SCHEMA = "runner.history/1"
HERE = Path(__file__).resolve().parent
EXPERIMENTS = HERE.parent / "experiments"
FORMER_LABELS = {"jumping_about": "unstable"}  # diagnosis labels of earlier histories
# The keys of earlier histories and their current names, by the object that has them.
RENAMED = {
    "": {"asked": "provenance", "theirs": "references"},
    "diagnosis": {"verdict": "label", "gap": "val_loss_rise"},
    "test": {"positives": "prevalence"},
    "resample": {"leak": "leakage", "from": "rows_before", "to": "rows_after"},
    "layer": {"output": "output_shape"},
    "expectation": {"number": "index", "value": "metric", "against": "compared_with"},
    "reference": {"value": "metric", "theirs": "reference", "ours": "this_run"},
}


class Told(Exception):
    """A mistake that its message explains: a notebook shows the message, without the way that led to it."""

    def _render_traceback_(self) -> list[str]:
        return [str(self)]


def runs_folder() -> Path:
    """The folder that runs are in: `RUNNER_RUNS`, else `runs/` of this checkout, else `runs/` where one is."""
    given = os.environ.get("RUNNER_RUNS")
    if given:
        return Path(given).expanduser()
    choices = [HERE.parent / "runs", Path("runs")]
    return next((folder for folder in choices if folder.is_dir()), choices[0])


def load(experiment: str, run: str | Path | None = None) -> Run:
    """The newest run of an experiment that has histories, or the run in the folder `run`."""
    if run is not None:
        folder = Path(run)
        histories = _histories(folder) if folder.is_dir() else []
        if not histories:
            raise Told(f"no run in `{folder}`: the folder holds no history")
        return Run(experiment, folder.name, histories, folder)
    base = runs_folder() / experiment
    folders = [] if not base.is_dir() else [child for child in base.iterdir() if child.is_dir() and not child.is_symlink()]
    for folder in sorted(folders, key=lambda child: child.name, reverse=True):
        if histories := _histories(folder):
            return Run(experiment, folder.name, histories, folder)
    raise Told(
        f"no run of `{experiment}` in `{runs_folder()}`\n"
        f"hint: `runner exp {experiment}` makes one, in the root of the repository;\n"
        f"      `cargo xtask run exp {experiment}` does so where `runner` is not installed;\n"
        "      runs in another folder are found by RUNNER_RUNS=FOLDER"
    )


def sweep(experiment: str) -> pl.DataFrame:
    """The configurations of the newest finished sweep of an experiment, best first, each with its settings and its metric."""
    given = os.environ.get("RUNNER_SWEEPS")
    choices = [Path(given).expanduser()] if given else [HERE.parent / "sweeps", Path("sweeps")]
    folder = next((folder for folder in choices if folder.is_dir()), choices[0])
    tables = [table for table in folder.glob(f"{experiment}/*/table.csv") if not table.parent.is_symlink()]
    if tables:
        return pl.read_csv(max(tables, key=lambda table: table.parent.name))
    raise Told(
        f"no finished sweep of `{experiment}` in `{folder}`\n"
        f"hint: `runner sweep {experiment}` makes one, in the root of the repository;\n"
        "      sweeps in another folder are found by RUNNER_SWEEPS=FOLDER"
    )


def _histories(folder: Path) -> list[dict]:
    """The histories in a run's folder, in the order in which the experiment names its variants."""
    found = []
    for file in sorted(folder.glob("*.json")):
        if file.name.endswith(".tree.json") or file.name in ("run.json", "preprocessing.json"):
            continue
        try:
            history = json.loads(file.read_text(encoding="utf-8"))
        except ValueError as error:
            raise Told(f"`{file}` is damaged or incomplete: {error}\nhint: run its experiment again") from None
        schema = history.get("schema") if isinstance(history, dict) else None
        if schema is None:
            continue
        if schema not in (SCHEMA, FORMER_SCHEMA):
            raise Told(f"`{file}` has the schema `{schema}`; this notebook reads `{SCHEMA}` and `{FORMER_SCHEMA}`\nhint: use the version of runner that wrote it")
        found.append(_with_current_keys(history))
    # The variants' order is the experiment's, and the files' order that of the alphabet.
    order = {name: place for place, name in enumerate(_variants_in(folder / "experiment.toml"))}
    return sorted(found, key=lambda trial: (order.get(trial["variant"], len(order)), trial["seed"], trial["fold"] or 0))


def _with_current_keys(history: dict) -> dict:
    """Returns a history with the current names of its keys: histories of earlier versions have former names."""

    def renamed(what: str, fields: dict | None) -> dict | None:
        return fields and {RENAMED[what].get(key, key): value for key, value in fields.items()}

    history = renamed("", history)
    history |= {key: renamed(key, history[key]) for key in ("diagnosis", "test") if key in history}
    if diagnosis := history.get("diagnosis"):
        diagnosis["label"] = FORMER_LABELS.get(diagnosis.get("label"), diagnosis.get("label"))
    if "resample" in (data := history.get("data") or {}):
        data["resample"] = renamed("resample", data["resample"])
    for parent, key, what in [(history.get("network") or {}, "layers", "layer"), (history, "expectations", "expectation"), (history, "references", "reference")]:
        if key in parent:
            parent[key] = [renamed(what, fields) for fields in parent[key]]
    return history


def _variants_in(file: Path) -> list[str]:
    if not file.is_file():
        return []
    with file.open("rb") as text:
        return [variant["name"] for variant in tomllib.load(text).get("variants", [])]


def number(value: object) -> float | None:
    """Returns a number of a history as a float; `"nan"` and `"inf"` are converted, other values are `None`."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        return float(value)
    except ValueError:
        return None


@dataclass
class Run:
    """One run of an experiment: its trials, one for each variant, seed and fold."""

    experiment: str
    name: str
    histories: list[dict]
    folder: Path | None = None

    @cached_property
    def variants(self) -> list[str]:
        """The names of the variants, in the experiment's order; `["base"]` where it has none."""
        return list(dict.fromkeys(trial["variant"] for trial in self.histories))

    @cached_property
    def seeds(self) -> list[int]:
        return sorted({trial["seed"] for trial in self.histories})

    def of_first_seed(self) -> Run:
        """The same run with the trials of its first seed alone."""
        return Run(self.experiment, self.name, [trial for trial in self.histories if trial["seed"] == self.seeds[0]], self.folder)

    def trial(self, variant: str | None = None, seed: int | None = None, fold: int | None = None) -> dict:
        """The history of one trial, whole; the first that fits what is asked for."""
        for trial in self.histories:
            fits = [variant in (None, trial["variant"]), seed in (None, trial["seed"]), fold in (None, trial["fold"])]
            if all(fits):
                return trial
        wanted = ", ".join(f"{key} {value}" for key, value in [("variant", variant), ("seed", seed), ("fold", fold)] if value is not None)
        raise Told(f"the run of `{self.experiment}` has no trial of {wanted}; it has the variants {', '.join(self.variants)}")

    def _frame(self, rows_of) -> pl.DataFrame:
        rows = []
        for trial in self.histories:
            key = {"variant": trial["variant"], "seed": trial["seed"], "fold": trial["fold"]}
            rows += [key | row for row in rows_of(trial)]
        return pl.DataFrame(rows, infer_schema_length=None)

    @cached_property
    def curves(self) -> pl.DataFrame:
        """`epoch`, and every metric of the learning curves: `loss`, `acc`, `val_loss`, …"""

        def rows(trial: dict) -> list[dict]:
            series = {name: list(map(number, values)) for name, values in trial["history"].items() if name != "epoch"}
            return [
                {"epoch": epoch} | {name: values[place] for name, values in series.items()}
                for place, epoch in enumerate(trial["history"]["epoch"])
            ]

        return self._frame(rows)

    def curve(self, metric: str, variant: str | None = None, seed: int | None = None, fold: int | None = None) -> pl.DataFrame:
        """One metric of one trial: `epoch` and `metric`."""
        trial = self.trial(variant, seed, fold)
        if metric not in trial["history"]:
            raise Told(f"`{self.experiment}` has no curve `{metric}`; it has {', '.join(trial['history'])}")
        values = [number(value) for value in trial["history"][metric]]
        return pl.DataFrame({"epoch": trial["history"]["epoch"], metric: values})

    @cached_property
    def ends(self) -> pl.DataFrame:
        """First and last values of the curves, the best epoch, and the diagnosis: `label`, `val_loss_rise`, …"""

        def rows(trial: dict) -> list[dict]:
            row: dict = {"status": trial["status"], "epochs": len(trial["history"]["epoch"])}
            for name, values in trial["history"].items():
                if name in ("loss", "acc", "val_loss", "val_acc") and values:
                    row |= {f"first_{name}": number(values[0]), f"last_{name}": number(values[-1])}
            diagnosis = trial["diagnosis"] or {}
            row["best_epoch"] = (trial["best"] or {}).get("epoch")
            row["label"] = diagnosis.get("label")
            row["overfits_from"] = diagnosis.get("overfits_from")
            row |= {name: number(diagnosis.get(name)) for name in ("val_loss_rise", "generalization_gap", "acc_gap")}
            return [row]

        return self._frame(rows)

    @cached_property
    def tests(self) -> pl.DataFrame:
        """Metrics on the test rows that are single numbers: `loss`, `acc`, `f1`, `ap`, …"""

        def rows(trial: dict) -> list[dict]:
            test = trial["test"] or {}
            row = {name: number(value) for name, value in test.items() if number(value) is not None}
            # Where other metrics were named, accuracy stands in the classification report alone.
            if "acc" not in row and test.get("report"):
                row["acc"] = test["report"]["accuracy"]
            return [row]

        return self._frame(rows)

    def by_layer(self, observed: str) -> pl.DataFrame:
        """What was observed in the layers: `layer` (its name), `depth` (from 1), `epoch` and `value`."""

        def rows(trial: dict) -> list[dict]:
            layers = [name for name in trial["history"] if name.startswith(f"{observed}.")]
            layers.sort(key=lambda name: int(name.split(".")[1]))
            return [
                {"layer": name.split(".")[1], "depth": depth, "epoch": epoch, "value": number(value)}
                for depth, name in enumerate(layers, start=1)
                for epoch, value in zip(trial["history"]["epoch"], trial["history"][name], strict=True)
            ]

        return self._frame(rows)

    @cached_property
    def references(self) -> pl.DataFrame:
        """Published values next to the values of this run: `metric`, `reference`, `this_run`, `exact`."""
        return self._frame(
            lambda trial: [
                {"metric": row["metric"], "reference": number(row["reference"]), "this_run": number(row["this_run"]), "exact": row["exact"]}
                for row in trial.get("references", [])
            ]
        )

    @cached_property
    def expectations(self) -> pl.DataFrame:
        """The expectations and their results: `claim`, `metric`, `expected`, `found`, `met`."""
        seen: dict = {}
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
            for (_, (row, found)) in sorted(seen.items(), key=lambda item: item[0][0])
        ]
        return pl.DataFrame(rows, infer_schema_length=None)

    def weights(self, variant: str | None = None, seed: int | None = None) -> dict[str, np.ndarray]:
        """The parameters that were kept, by their names in `nn.Sequential`'s `state_dict`: `0.weight` is [out, in]."""
        trial = self.trial(variant, seed)
        return read_safetensors(self.folder / f"{trial['variant']}-seed{trial['seed']}.safetensors")

    @cached_property
    def shortened(self) -> str | None:
        """How this run is shorter than the experiment as it is shipped, in words; nothing where it is not."""
        shipped = _shipped(self.experiment)
        missing = [name for name in shipped if name not in self.variants]
        epochs, rows, interrupted = set(), set(), False
        for trial in self.histories:
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
    """For each variant of the experiment in `experiments/`, how many epochs it has and how many rows it trains on."""
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


def read_safetensors(file: Path) -> dict[str, np.ndarray]:
    """The arrays in a safetensors file: eight bytes that say how long the header is, the header as JSON, the numbers."""
    types = {"F32": np.float32, "F64": np.float64, "I64": np.int64}
    content = file.read_bytes()
    (length,) = struct.unpack("<Q", content[:8])
    header, numbers = json.loads(content[8 : 8 + length]), content[8 + length :]
    return {
        name: np.frombuffer(numbers[slice(*entry["data_offsets"])], types[entry["dtype"]]).reshape(entry["shape"])
        for name, entry in header.items()
        if name != "__metadata__"
    }
