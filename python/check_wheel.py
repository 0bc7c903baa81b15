"""Installs the wheel into an empty environment and trains with it. `cargo xtask wheel --check` runs this.

    check_wheel.py WHEEL

The environment's own programs are all that is on `PATH`, and its home directory is empty: no Rust, no compiler, no libtorch. Exit codes:
0 passed, 1 failed, 3 not tested, because the package registry cannot be reached. What was found goes to stdout.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "xtask" / "scripts"))
import pip_tools  # noqa: E402

NOT_TESTED = 3
# The torch whose libraries the programs load, with the two that `libtorch_cpu.so` is linked with; the rest of torch's dependencies is CUDA.
TORCH = ["torch==2.11.0", "nvidia-cuda-runtime==13.0.96", "nvidia-cuda-cupti==13.0.85"]


class Failed(Exception):
    """What the wheel did wrong."""


class Machine:
    """An empty home directory and an environment of Python without pip."""

    def __init__(self, folder: Path) -> None:
        self.work = folder / "work"
        self.work.mkdir()
        self.environment = folder / "environment"
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(self.environment)], check=True)
        self.variables = {"PATH": str(self.environment / "bin"), "HOME": str(folder / "home"), "LANG": "C.UTF-8"}
        if "RUNNER_DATA_DIR" in os.environ:
            self.variables["RUNNER_DATA_DIR"] = os.environ["RUNNER_DATA_DIR"]

    def install(self, *packages: str) -> None:
        arguments = ["--python", str(self.environment / "bin" / "python"), "install", "--quiet", "--no-deps", "--only-binary=:all:"]
        errors = pip_tools.run([*arguments, *packages], PIP_USER="0")
        if errors is not None and re.search(f"{pip_tools.UNREACHABLE}|{pip_tools.NOT_FOUND}", errors):
            print(f"not tested: {pip_tools.explain(errors, str(self.environment), '3 GB')}")
            sys.exit(NOT_TESTED)
        if errors is not None:
            raise Failed(f"pip cannot install {' '.join(packages)}: {pip_tools.last_error(errors)}")

    def run(self, *words: str, code: int = 0, **variables: str) -> subprocess.CompletedProcess[str]:
        """Runs a program of the environment, which must end with this exit code."""
        program = self.environment / "bin" / words[0]
        done = subprocess.run([str(program), *words[1:]], cwd=self.work, env=self.variables | variables, capture_output=True, text=True)
        if done.returncode != code:
            raise Failed(
                f"`{' '.join(words)}` ended with exit code {done.returncode} instead of {code}: {done.stderr.strip() or done.stdout.strip()}"
            )
        return done

    def must_say(self, *words: str, said: str, **variables: str) -> None:
        """Runs a command that must fail with one error that contains `said`, and a hint."""
        lines = self.run(*words, code=2, **variables).stderr.splitlines()
        if len(lines) != 2 or not lines[0].startswith("error: ") or said not in lines[0] or not lines[1].startswith("hint: "):
            raise Failed(f"`{' '.join(words)}` must say `{said}` and a hint, and says: {lines}")


def check(machine: Machine, wheel: str) -> None:
    machine.install(wheel)
    site = Path(machine.run("python", "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").stdout.strip())

    listed = json.loads(machine.run("runner", "list", "--json").stdout)
    if "digits_mlp" not in [entry["name"] for entry in listed]:
        raise Failed("`runner list` does not list `digits_mlp`")
    machine.run("python", "-c", "import runner_experiments as rx; rx.Run, rx.load, rx.RunnerError")
    machine.must_say("runner", "exp", "digits_mlp", said="has no torch")
    machine.must_say("runner", "exp", "digits_mlp", said="`LIBTORCH` is `/nowhere`", LIBTORCH="/nowhere")

    other = site / "torch"
    (other / "lib").mkdir(parents=True)
    (other / "version.py").write_text("__version__ = '2.9.1+cu128'\n")
    machine.must_say("runner", "exp", "digits_mlp", said="is version 2.9.1")
    (other / "version.py").unlink()
    (other / "lib").rmdir()
    other.rmdir()

    machine.install(*TORCH)
    machine.run("runner", "exp", "digits_mlp", "--quiet", "--strict")
    histories = list(machine.work.glob("runs/digits_mlp/*/base-seed0.json"))
    if not histories or json.loads(histories[0].read_text())["status"] != "completed":
        raise Failed(f"`runner exp digits_mlp` wrote no history: {histories}")
    shown = machine.run("runner", "doctor").stdout
    if str(site / "torch" / "lib") not in shown:
        raise Failed(f"runner does not use the torch of the environment: {shown}")
    code = (
        "import runner_experiments as rx\n"
        "run = rx.run('digits_mlp', seeds=range(2), epochs=5, progress=False)\n"
        "assert rx.load('digits_mlp').seeds == run.seeds == [0, 1]"
    )
    machine.run("python", "-c", code)
    if "RUNNER_DATA_DIR" in machine.variables and (Path(machine.variables["RUNNER_DATA_DIR"]) / "mnist").is_dir():
        machine.run("runner", "exp", "overfit_mnist", "--epochs", "1", "--quiet")
        print("trained digits_mlp and overfit_mnist in an empty environment")
    else:
        print("trained digits_mlp in an empty environment")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="runner-wheel-") as scratch:
        try:
            check(Machine(Path(scratch)), sys.argv[1])
        except Failed as failed:
            print(failed)
            sys.exit(1)
