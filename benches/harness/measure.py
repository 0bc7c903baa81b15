"""Measure programs: run them in turn (A B C A B C …), so that a change of the machine affects all of them equally."""

from __future__ import annotations

import json
import os
import resource
import shlex
import statistics
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Callable

# Numbers of threads for the libraries of Python and of Rust.
THREADS = ["OMP", "MKL", "OPENBLAS", "NUMEXPR"]
THREADS = [f"{name}_NUM_THREADS" for name in THREADS] + ["POLARS_MAX_THREADS", "RAYON_NUM_THREADS"]


class Failure(Exception):
    """A program that could not be measured, with the reason."""


def note(line: str) -> None:
    print(f"xtask: {line}", file=sys.stderr, flush=True)


@dataclass
class Run:
    """One run: seconds from start to end, seconds of all CPUs, peak memory in MB (2²⁰ bytes), stdout, and parsed results."""

    wall: float
    cpu: float
    peak_mb: float
    stdout: str = ""
    results: dict = field(default_factory=dict)

    def lines(self) -> list[dict]:
        """The lines of JSON on stdout."""
        try:
            return [json.loads(line) for line in self.stdout.splitlines() if line.startswith("{")]
        except ValueError as error:
            raise Failure(f"stdout is not JSON: {error}") from error


def run(command: list, environment: dict[str, str], folder: Path) -> Run:
    """Runs a program. The system counts CPU time and memory of it and of its children."""
    command = [str(word) for word in command]
    shown = f"`{shlex.join([Path(command[0]).name, *command[1:]])}`"
    start = time.perf_counter()
    try:
        process = subprocess.Popen(
            command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
    except OSError as error:
        raise Failure(f"failed to run {shown}: {error}") from error
    errors: list[bytes] = []
    reader = threading.Thread(target=lambda: errors.append(process.stderr.read()))
    reader.start()
    stdout = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    reader.join()
    process.stdout.close()
    process.stderr.close()
    if process.returncode != 0:
        raise Failure(f"{shown} failed (exit code {process.returncode}): {last_error(errors[0].decode(errors='replace'))}")
    return Run(wall, usage.ru_utime + usage.ru_stime, megabytes(usage.ru_maxrss), stdout.decode())


def megabytes(peak: int) -> float:
    """`ru_maxrss` is in kilobytes, on macOS in bytes."""
    return peak / 2**20 if sys.platform == "darwin" else peak / 2**10


def own_peak_mb() -> float:
    """The peak memory of this process. A child counts it as its own until it needs more."""
    return megabytes(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)


def last_error(text: str) -> str:
    """The last line that contains "error", else the last line, shortened."""
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("hint: ")]
    errors = [line for line in lines if "error" in line.lower()]
    return (errors or lines or ["no reason given"])[-1].removeprefix("error: ")[:240]


def limit_threads(threads: int | None) -> dict[str, str]:
    """The environment with this number of threads; without one, a program chooses by its CPUs."""
    environment = {name: value for name, value in os.environ.items() if name not in THREADS}
    if threads:
        environment |= dict.fromkeys(THREADS, str(threads))
    return environment | {"TF_CPP_MIN_LOG_LEVEL": "3", "KERAS_BACKEND": "tensorflow", "PYTHONDONTWRITEBYTECODE": "1"}


def cpus() -> list[int]:
    """The CPUs of this process."""
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return list(range(os.cpu_count() or 1))


def use_cpus(all_cpus: list[int], count: int) -> bool:
    """Limits this process and its children to the first CPUs; False if the system cannot (macOS)."""
    if not hasattr(os, "sched_setaffinity"):
        return False
    os.sched_setaffinity(0, all_cpus[:count])
    return True


@dataclass(frozen=True)
class Spread:
    """Median, minimum and maximum."""

    median: float
    least: float
    most: float

    def shown(self, decimals: int) -> str:
        """`0.241 (0.238–0.260)`; `0.241` for a single value."""
        if self.least == self.most:
            return f"{self.median:.{decimals}f}"
        return f"{self.median:.{decimals}f} ({self.least:.{decimals}f}–{self.most:.{decimals}f})"

    def __truediv__(self, count: float) -> Spread:
        return Spread(self.median / count, self.least / count, self.most / count)


def spread(values: list[float]) -> Spread | None:
    return Spread(statistics.median(values), min(values), max(values)) if values else None


def steady(seconds: list[float]) -> float:
    """Seconds of a steady epoch: the median without the first two epochs, if there are more."""
    return statistics.median(seconds[2:] if len(seconds) > 2 else seconds)


@dataclass
class Program:
    """A program to measure: its name, and a function that runs it, or the reason why it is missing."""

    name: str
    act: Callable[[], Run] | None
    missing: str | None = None
    runs: list[Run] = field(default_factory=list)

    def spread(self, value: Callable[[Run], float | None]) -> Spread | None:
        """The spread of a value over all runs; None if the program is missing or a run does not have it."""
        values = [] if self.missing else [value(run) for run in self.runs]
        return None if None in values else spread(values)

    def result(self, name: str) -> Spread | None:
        return self.spread(lambda run: run.results.get(name))

    @property
    def wall(self) -> Spread | None:
        return self.spread(lambda run: run.wall)

    @property
    def cpu(self) -> Spread | None:
        return self.spread(lambda run: run.cpu)

    @property
    def peak_mb(self) -> Spread | None:
        return self.spread(lambda run: run.peak_mb)

    @property
    def last(self) -> Run | None:
        """The last run, unless the program is missing."""
        return self.runs[-1] if self.runs and not self.missing else None


def run_in_turn(title: str, programs: list[Program], rounds: int, required: int = 1) -> None:
    """Runs all programs in turn. One that fails is not run again; the first `required` must not fail."""
    for program in programs:
        if program.missing:
            note(f"{title}: {program.name} is missing: {program.missing}")
    for number in range(1, rounds + 1):
        for program in programs:
            if program.missing:
                continue
            place = f"{title}, round {number} of {rounds}: {program.name}"
            try:
                program.runs.append(program.act())
                note(f"{place}, {program.runs[-1].wall:.2f} s")
            except (Failure, OSError, ValueError, KeyError) as error:
                note(f"{place} failed: {error}")
                program.missing = str(error).splitlines()[0]
    for program in programs[:required]:
        if program.missing:
            raise Failure(program.missing)


def ratio(ours: Spread | None, other: Spread | None) -> float | None:
    """How many times as much as ours the other one takes."""
    return other.median / ours.median if ours and other else None
