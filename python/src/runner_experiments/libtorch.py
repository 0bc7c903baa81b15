"""Finds the libtorch that `runner-engine` loads.

The first of these that exists is used:

1. the directory in `LIBTORCH`,
2. the `torch` of this Python environment,
3. the libtorch that `runner setup` downloaded into the user's cache.

A `torch` of another version is passed over if the cache has a libtorch.
"""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

from runner_experiments.errors import RunnerError

VERSION = "2.11.0"
_LIBRARY = "libtorch_cpu.dylib" if sys.platform == "darwin" else "libtorch_cpu.so"
_GET = f"run `runner setup` (libtorch for runner alone), or `pip install torch=={VERSION}`"


def find() -> Path:
    """Returns the directory of libtorch's libraries.

    Raises:
        RunnerError: If there is no libtorch of the right version; says what was found.
    """
    own = os.environ.get("LIBTORCH")
    if own:
        return _own(Path(own))
    found = _of_this_python()
    if found and _version(found) == VERSION and (found / "lib" / _LIBRARY).is_file():
        return found / "lib"
    downloaded = home() / "torch" / "lib"
    if (home() / "READY").is_file() and (downloaded / _LIBRARY).is_file():
        return downloaded
    if found:
        version = _version(found)
        what = f"is version {version}" if version and version != VERSION else "is incomplete"
        raise RunnerError(f"runner needs libtorch {VERSION}, but the torch in `{found}` {what}", _GET, 2)
    raise RunnerError(f"runner needs libtorch {VERSION} to train, and this Python environment has no torch", _GET, 2)


def home() -> Path:
    """Returns the directory into which `runner setup` downloads libtorch."""
    if sys.platform == "darwin":
        cache = Path.home() / "Library" / "Caches"
    else:
        cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return cache / "runner" / f"libtorch-{VERSION}"


def _own(folder: Path) -> Path:
    remedy = f"set `LIBTORCH` to the directory of a libtorch {VERSION}, which contains `lib`, or unset it"
    if not (folder / "lib" / _LIBRARY).is_file():
        raise RunnerError(f"`LIBTORCH` is `{folder}`, which has no `lib/{_LIBRARY}`", remedy, 2)
    version = _version(folder)
    if version not in (None, VERSION):
        raise RunnerError(f"`LIBTORCH` is `{folder}`, which is version {version}; runner needs {VERSION}", remedy, 2)
    return (folder / "lib").resolve()


def _of_this_python() -> Path | None:
    """Returns the directory of the package `torch`, without importing it, which takes seconds."""
    for entry in sys.path:
        folder = Path(entry or ".") / "torch"
        if (folder / "version.py").is_file():
            return folder.resolve()
    return None


def _version(folder: Path) -> str | None:
    """Returns the version of the torch or libtorch in a directory, such as `2.11.0`; None if no file states it."""
    for name, pattern in [("version.py", r"__version__ = ['\"]([\d.]+)"), ("build-version", r"([\d.]+)")]:
        file = folder / name
        if file.is_file() and (found := re.search(pattern, file.read_text(encoding="utf-8", errors="replace"))):
            return found.group(1)
    return None
