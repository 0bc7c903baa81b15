"""Tables as polars or pandas frames. Both packages are optional."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from typing import Any, Literal

from runner_experiments.errors import RunnerError

Frames = Literal["polars", "pandas"]


def choose(frames: Frames | None) -> Frames:
    """Returns the package that makes the frames; by default polars if it is installed, else pandas."""
    if frames not in (None, "polars", "pandas"):
        raise RunnerError(f'`frames` is "polars" or "pandas", found {frames!r}')
    wanted: Sequence[Frames] = ("polars", "pandas") if frames is None else (frames,)
    for name in wanted:
        if find_spec(name) is not None:
            return name
    raise RunnerError(
        f"tables need {' or '.join(f'`{name}`' for name in wanted)}, which is not installed", f"run `pip install {wanted[0]}`"
    )


def frame(rows: Sequence[Mapping[str, Any]], frames: Frames | None, columns: Sequence[str] = ()) -> Any:
    """Returns a frame with one row per mapping. A key that a row lacks is null. `columns` are those of a table without rows."""
    names = list(dict.fromkeys([*columns, *(key for row in rows for key in row)]))
    if choose(frames) == "polars":
        import polars

        return polars.DataFrame({name: polars.Series(name, [row.get(name) for row in rows], strict=False) for name in names})
    import pandas

    return pandas.DataFrame([dict(row) for row in rows], columns=names)
