"""Check that programs do the same work, by their rows and their learning curves.

A program that draws the same random numbers as runner must have the `same` curve, except for rounding, which grows from epoch
to epoch. A program with its own random numbers must have a `similar` curve.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

# Rounding, which depends on the number of threads, changes these epochs by 1e-8; other batches or initial weights by 1e-2.
# From the fourth epoch on it grows tenfold in each.
EARLY_EPOCHS, EARLY = 3, 1e-5
ROUNDING_OF_OTHERS = 5e-3  # between two programs of PyTorch, which Adam enlarges to 2e-3
ANY_ACC = 0.01  # accuracies of the same curve, in any epoch
FIRST_LOSS = 0.3  # first loss of a similar curve, relative: Keras draws smaller initial weights
LAST_ACC = 0.015  # last accuracies of a similar curve
LEAVES = 0.05  # leaves of a tree, relative: equally good splits are drawn


@dataclass
class Check:
    """What was compared, and whether it agrees."""

    text: str
    is_good: bool


@dataclass
class Curves:
    """Rows and curves of a training run."""

    rows: dict
    loss: list[float]
    acc: list[float]
    val_loss: list[float]
    val_acc: list[float]

    @staticmethod
    def from_history(history: dict) -> Curves:
        rows = {part: history["data"]["rows"][part] for part in ("train", "validation", "test")}
        return Curves(rows, *(history["history"][name] for name in ("loss", "acc", "val_loss", "val_acc")))

    @staticmethod
    def from_lines(lines: list[dict]) -> Curves:
        """From the lines that a peer prints: one for each epoch, and one with the rows."""
        *epochs, end = lines
        return Curves(end["rows"], *([epoch[name] for epoch in epochs] for name in ("loss", "acc", "val_loss", "val_acc")))


def largest(values) -> float:
    """The largest value; NaN if one is NaN."""
    values = list(values)
    return math.nan if any(math.isnan(value) for value in values) else max(values, default=0.0)


def same(name: str, ours: Curves, other: Curves, allowed: float = EARLY) -> Check:
    """Whether the curves are the same except for rounding. `allowed` is for the losses of early epochs, relative."""
    early = min(len(ours.loss), EARLY_EPOCHS)
    pairs = [*zip(ours.loss[:early], other.loss[:early]), *zip(ours.val_loss[:early], other.val_loss[:early])]
    loss = largest(abs(b / a - 1) for a, b in pairs)
    acc = largest(abs(b - a) for a, b in [*zip(ours.acc, other.acc), *zip(ours.val_acc, other.val_acc)])
    text = (
        f"{name}, same random numbers: the losses of the first {early} epochs differ by at most {loss:.1e} (allowed {allowed:g}), "
        f"the accuracies of all {len(ours.loss)} epochs by {acc:.4f} (allowed {ANY_ACC})"
    )
    return Check(text + different_rows(ours, other), has_same_shape(ours, other) and loss <= allowed and acc <= ANY_ACC)


def same_as_one(ours: Curves, others: dict[str, Curves]) -> list[Check]:
    """Checks the curves against programs that differ only in rounding, which training by Adam enlarges: one must agree closely, the
    others within `ROUNDING_OF_OTHERS` of it."""
    checks = {name: same(name, ours, other) for name, other in others.items()}
    nearest = next((name for name, check in checks.items() if check.is_good), None)
    if nearest is None:
        return list(checks.values())
    found = [checks[nearest]]
    for name, other in others.items():
        if name != nearest:
            check = same(f"{name}, compared with {nearest}", others[nearest], other, ROUNDING_OF_OTHERS)
            found.append(checks[name] if checks[name].is_good else check)
    return found


def similar(name: str, ours: Curves, other: Curves) -> Check:
    """Whether the curves start and end near each other."""
    ratio = other.loss[0] / ours.loss[0]
    acc, val_acc = abs(other.acc[-1] - ours.acc[-1]), abs(other.val_acc[-1] - ours.val_acc[-1])
    text = (
        f"{name}, its own random numbers: its first loss is {ratio:.3f} times that of runner (allowed {1 - FIRST_LOSS:.1f}–"
        f"{1 + FIRST_LOSS:.1f}), its last training and validation accuracy differ by {acc:.4f} and {val_acc:.4f} (allowed {LAST_ACC})"
    )
    is_near = abs(ratio - 1) <= FIRST_LOSS and acc <= LAST_ACC and val_acc <= LAST_ACC
    return Check(text + different_rows(ours, other), has_same_shape(ours, other) and is_near)


def has_same_shape(ours: Curves, other: Curves) -> bool:
    return ours.rows == other.rows and len(ours.loss) == len(other.loss)


def different_rows(ours: Curves, other: Curves) -> str:
    return "" if ours.rows == other.rows else f"; its rows are {other.rows}, those of runner {ours.rows}"


def same_losses(ours: list[float], other: list[float], allowed: float) -> Check:
    apart = largest(abs(b - a) for a, b in zip(ours, other))
    text = f"the losses of {len(ours)} and {len(other)} epochs differ by at most {apart:.1e} (allowed {allowed:g})"
    return Check(text, 0 < len(ours) == len(other) and apart <= allowed)


def same_output(ours: dict, other: dict, allowed: float) -> Check:
    """Compares the results that both programs print with `--check`."""
    names = [name for name in ours if name in other]
    different = [name for name in names if not is_same(ours[name], other[name], allowed)]
    if different or not names:
        return Check(f"the results differ: {', '.join(different) or 'nothing to compare'}", False)
    return Check(f"the results are the same within {allowed:g}: {', '.join(names)}", True)


def is_same(ours, other, allowed: float) -> bool:
    if isinstance(ours, dict) and isinstance(other, dict):
        return ours.keys() == other.keys() and all(
            is_same(value, other[name], LEAVES if name == "leaves" else allowed) for name, value in ours.items()
        )
    if isinstance(ours, list) and isinstance(other, list):
        return len(ours) == len(other) and all(is_same(a, b, allowed) for a, b in zip(ours, other))
    if isinstance(ours, (int, float)) and isinstance(other, (int, float)):
        return abs(ours - other) <= allowed * max(abs(ours), abs(other), 1.0)
    return ours == other
