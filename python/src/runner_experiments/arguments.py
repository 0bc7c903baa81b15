"""Python values as arguments of the program."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from runner_experiments.errors import RunnerError


def option(name: str, value: object) -> list[str]:
    """Returns an option with its value; nothing if the value is None."""
    return [] if value is None else [f"{name}={value}"]


def settings(changes: Mapping[str, Any] | None) -> list[str]:
    """Returns `--set KEY=VALUE` for each setting, and `--unset KEY` for those that are None."""
    found = []
    for key, value in (changes or {}).items():
        found += ["--unset", key] if value is None else ["--set", f"{key}={toml(value)}"]
    return found


def seeds_text(seeds: int | Sequence[int] | str) -> str:
    """Returns seeds as `--seeds` takes them: `1,5,7`."""
    if isinstance(seeds, str):
        return seeds
    found = [seeds] if isinstance(seeds, int) else list(seeds)
    if not found:
        raise RunnerError("`seeds` is empty", "name at least one seed")
    return ",".join(str(int(seed)) for seed in found)


def toml(value: object) -> str:
    """Returns a value as TOML: `0.1`, `true`, `"adam"`, `[1, 2]`, `{ sgd = { lr = 0.1 } }`."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{json.dumps(str(key), ensure_ascii=False)} = {toml(entry)}" for key, entry in value.items()) + " }"
    if isinstance(value, (list, tuple, range)):
        return "[" + ", ".join(map(toml, value)) + "]"
    if hasattr(value, "item"):  # a number of numpy or torch
        return toml(value.item())
    if isinstance(value, (int, float)):
        return repr(value)
    raise RunnerError(f"a setting is a number, a text, a truth value, a list or a dict; found {type(value).__name__}: {value!r}")
