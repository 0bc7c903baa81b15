"""`runner setup`: downloads libtorch with pip into the user's cache.

The download is that of `cargo xtask setup`: the wheel contains its scripts in `downloads/`. Packages are downloaded one by one,
a complete one is kept, and `READY` is written last, so an interrupted set-up continues.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path

from runner_experiments import libtorch
from runner_experiments.errors import RunnerError

_SCRIPT = Path(__file__).resolve().parent / "downloads" / "libtorch.py"
_DRIVERS = ("/proc/driver/nvidia/version", "/dev/nvidiactl", "/dev/dxg")


def main(arguments: Sequence[str]) -> int:
    """Runs the command and returns its exit code."""
    parser = argparse.ArgumentParser(
        prog="runner setup",
        description="Download libtorch into the user's cache",
        epilog=f"libtorch {libtorch.VERSION} is not needed if this Python environment has torch {libtorch.VERSION}, or `LIBTORCH` names one.",
    )
    variant = parser.add_mutually_exclusive_group()
    variant.add_argument("--cpu", action="store_true", help="Without CUDA (0.5 GB) [default: with CUDA if an NVIDIA driver is found]")
    variant.add_argument("--cuda", action="store_true", help="With CUDA (3 GB)")
    parser.add_argument("--force", action="store_true", help="Download it again")
    chosen = parser.parse_args(arguments)
    home = libtorch.home()
    wanted = "cuda" if chosen.cuda else "cpu" if chosen.cpu else None
    ready = _ready(home)
    if ready and not chosen.force and (wanted in (None, ready) or ready == "cuda"):
        print(f"libtorch {libtorch.VERSION} ({ready}) is ready in `{home}`")
        return 0
    if not _SCRIPT.is_file():
        raise RunnerError("`runner setup` is part of the wheel, and this is the source", "run `cargo xtask setup` in the clone", 2)
    if find_spec("pip") is None:
        raise RunnerError(
            f"`{sys.executable}` has no pip, which downloads libtorch",
            f"run `{sys.executable} -m ensurepip`, or install `torch=={libtorch.VERSION}` into this environment",
            2,
        )
    wanted = wanted or ("cuda" if any(map(os.path.exists, _DRIVERS)) else "cpu")
    print(
        f"downloading libtorch {libtorch.VERSION} for {'CUDA, 3 GB' if wanted == 'cuda' else 'the CPU, 0.5 GB'}, into `{home}`",
        file=sys.stderr,
    )
    home.mkdir(parents=True, exist_ok=True)
    with _lock(home):
        if _ready(home) != wanted or chosen.force:
            _install(home, wanted)
    print(f"libtorch {libtorch.VERSION} ({wanted}) is ready in `{home}`")
    return 0


def _ready(home: Path) -> str | None:
    """Returns the variant in a directory that is complete: `cpu` or `cuda`."""
    stamp = home / "READY"
    return stamp.read_text(encoding="utf-8").split()[-1] if stamp.is_file() else None


def _install(home: Path, variant: str) -> None:
    staging = home / "staging"
    shutil.rmtree(staging, ignore_errors=True)
    staging.mkdir()
    command = [sys.executable, str(_SCRIPT), "fetch", str(home), variant]
    names = {
        "RUNNER_SETUP_PROGRAM": "runner",
        "RUNNER_SETUP_COMMAND": "runner setup",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONIOENCODING": "utf-8",
    }
    done = subprocess.run(command, env=os.environ | names, stdout=subprocess.PIPE, encoding="utf-8")
    if done.returncode != 0:
        message, _, hint = done.stdout.strip().partition("\nhint: ")
        raise RunnerError(
            f"failed to download libtorch: {message}" if message else "the download was interrupted", hint or "run `runner setup` again", 2
        )
    (home / "READY").unlink(missing_ok=True)
    for part in ("nvidia", "torch"):  # `torch` last: it is what `libtorch.find` looks for
        if (staging / "new" / part).exists():
            shutil.rmtree(home / part, ignore_errors=True)
            os.replace(staging / "new" / part, home / part)
    (home / "READY").write_text(f"libtorch {libtorch.VERSION} {variant}\n", encoding="utf-8")
    for leftover in ("wheels", "staging"):
        shutil.rmtree(home / leftover, ignore_errors=True)


@contextlib.contextmanager
def _lock(home: Path) -> Iterator[None]:
    """Waits for another set-up in the same directory."""
    with (home / "lock").open("w") as file:
        try:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX)
        except OSError:  # some network file systems have no locks
            pass
        yield
