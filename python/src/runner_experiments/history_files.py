"""Reads the history files in a run directory."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from runner_experiments.errors import RunnerError

SCHEMA = "runner.history/2"
FORMER_SCHEMA = "runner.history/1"
# Labels of the diagnosis in earlier histories, with their current names.
_FORMER_LABELS = {"jumping_about": "unstable"}
# The keys of earlier histories and their current names, by the object that has them.
_RENAMED = {
    "": {"asked": "provenance", "theirs": "references"},
    "diagnosis": {"verdict": "label", "gap": "val_loss_rise"},
    "test": {"positives": "prevalence"},
    "resample": {"leak": "leakage", "from": "rows_before", "to": "rows_after"},
    "layer": {"output": "output_shape"},
    "expectation": {"number": "index", "value": "metric", "against": "compared_with"},
    "reference": {"value": "metric", "theirs": "reference", "ours": "this_run"},
}
# Other JSON files in a run directory.
_OTHER_FILES = ("run.json", "preprocessing.json")


def trial_name(history: dict[str, Any]) -> str:
    """Returns the name of a trial, such as `base-seed0` or `dropout-seed3-fold1`. Its files have this name."""
    fold = history.get("fold")
    return f"{history['variant']}-seed{history['seed']}" + ("" if fold is None else f"-fold{fold}")


def read_directory(folder: Path) -> list[dict[str, Any]]:
    """Returns the histories in a run directory, in the experiment's order of the variants; empty if there are none."""
    found = []
    for file in sorted(folder.glob("*.json")):
        if file.name.endswith(".tree.json") or file.name in _OTHER_FILES:
            continue
        history = read_file(file)
        if history is not None:
            found.append(history)
    order = {name: place for place, name in enumerate(_variants_in(folder / "experiment.toml"))}
    return sorted(found, key=lambda trial: (order.get(trial["variant"], len(order)), trial["seed"], trial["fold"] or 0))


def read_file(file: Path) -> dict[str, Any] | None:
    """Returns a history with the current names of its keys; None if the file is no history of runner."""
    try:
        history = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise RunnerError(f"`{file}` is damaged or incomplete: {error}", "run its experiment again") from None
    schema = history.get("schema") if isinstance(history, dict) else None
    if schema is None:
        return None
    if schema not in (SCHEMA, FORMER_SCHEMA):
        raise RunnerError(
            f"`{file}` has the schema `{schema}`, which is not `{SCHEMA}` or `{FORMER_SCHEMA}`", "use the version of runner that wrote it"
        )
    return _with_current_keys(history)


def _with_current_keys(history: dict[str, Any]) -> dict[str, Any]:
    def renamed(what: str, fields: dict[str, Any] | None) -> Any:
        return fields and {_RENAMED[what].get(key, key): value for key, value in fields.items()}

    history = renamed("", history)
    history |= {key: renamed(key, history[key]) for key in ("diagnosis", "test") if key in history}
    if diagnosis := history.get("diagnosis"):
        diagnosis["label"] = _FORMER_LABELS.get(diagnosis.get("label"), diagnosis.get("label"))
    if "resample" in (data := history.get("data") or {}):
        data["resample"] = renamed("resample", data["resample"])
    for parent, key, what in [
        (history.get("network") or {}, "layers", "layer"),
        (history, "expectations", "expectation"),
        (history, "references", "reference"),
    ]:
        if key in parent:
            parent[key] = [renamed(what, fields) for fields in parent[key]]
    return history


def _variants_in(file: Path) -> list[str]:
    """Returns the names of the variants in the resolved experiment, in their order."""
    if not file.is_file():
        return []
    text = file.read_text(encoding="utf-8")
    try:
        import tomllib
    except ModuleNotFoundError:  # Python 3.10
        return re.findall(r'^\[\[variants\]\]\s*\nname\s*=\s*"([^"]+)"', text, re.MULTILINE)
    return [variant["name"] for variant in tomllib.loads(text).get("variants", [])]
