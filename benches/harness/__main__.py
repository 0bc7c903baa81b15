"""Measure runner, PyTorch, Keras and scikit-learn, and write docs/BENCHMARKS.md.

`cargo xtask bench` builds the programs, installs the packages and calls this:

    python3 benches/harness --runner target/release/runner [--rounds N] [--threads N,…] [--quick] [--ours] [--only PART,…]

Exit code 1 means that programs did different work, or that runner could not be measured.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from measure import Failure, cpus, limit_threads, note, use_cpus
from page import Section, different_work, machine, page
from parts import PARTS, ROOT, Bench, Python

PACKAGES = {
    "torch": ["torch", "scikit-learn", "imbalanced-learn", "optuna", "pandas", "numpy"],
    "keras": ["keras", "tensorflow-cpu", "scikit-learn", "numpy"],
}
# PyTorch's package does not say what it was built for, but PyTorch does.
VERSIONS = """
import importlib.metadata, json, platform, sys
def version(name):
    try:
        return __import__(name).__version__ if name == "torch" else importlib.metadata.version(name)
    except (importlib.metadata.PackageNotFoundError, ImportError):
        return None
print(json.dumps([platform.python_version()] + [version(name) for name in sys.argv[1:]]))
"""


def find_python(name: str, program: Path | None, missing: str | None) -> Python:
    """The Python of a peer, with the versions of its packages."""
    if program is None:
        return Python(None, missing or f"no `--{name}`", [])
    command = [program, "-c", VERSIONS, *PACKAGES[name]]
    done = subprocess.run(command, capture_output=True, text=True, env=limit_threads(None))
    if done.returncode != 0:
        return Python(None, f"`{program}` failed: {done.stderr.strip().splitlines()[-1]}", [])
    versions = dict(zip(["Python", *PACKAGES[name]], json.loads(done.stdout)))
    lacking = [package for package, version in versions.items() if version is None]
    if lacking:
        return Python(None, f"`{program}` has no {lacking[0]}: install `benches/requirements-{name}.txt`", [])
    return Python(program, None, [f"{package} {version}" for package, version in versions.items()])


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    split = lambda text: text.split(",")
    parser.add_argument("--runner", type=Path, required=True, help="the program")
    parser.add_argument("--bench", action="append", default=[], metavar="NAME=PATH", help="a program of `cargo bench`")
    for name in PACKAGES:
        parser.add_argument(f"--{name}", type=Path, metavar="PYTHON", help=f"Python with benches/requirements-{name}.txt")
        parser.add_argument(f"--{name}-missing", metavar="REASON", help="why there is none")
    parser.add_argument("--rounds", type=int, help="how often to run each program (default: 5, with --quick 1)")
    parser.add_argument("--threads", type=split, default=[], help="number of threads, or several as 1,2 (default: all)")
    parser.add_argument("--quick", action="store_true", help="one round with few epochs, to test that everything runs")
    parser.add_argument("--ours", action="store_true", help="only runner: phases of training and start-up time")
    parser.add_argument("--only", type=split, default=[], help=f"only these parts: {', '.join(PARTS)}")
    arguments = parser.parse_args()
    arguments.threads = [int(threads) for threads in arguments.threads]
    if unknown := [part for part in arguments.only if part not in PARTS]:
        parser.error(f"unknown part `{unknown[0]}`; the parts are {', '.join(PARTS)}")
    available = len(cpus())
    if too_many := [threads for threads in arguments.threads if not 1 <= threads <= available]:
        parser.error(f"`--threads` must be between 1 and {available} (the CPUs of this machine), found {too_many[0]}")
    return arguments


def command_line(arguments: argparse.Namespace) -> str:
    """The command as typed."""
    words = ["cargo xtask bench"]
    words += [f"--rounds {arguments.rounds}"] if arguments.rounds else []
    words += [f"--threads {','.join(map(str, arguments.threads))}"] if arguments.threads else []
    words += [f"--{flag}" for flag in ("quick", "ours") if getattr(arguments, flag)]
    words += [f"--only {','.join(arguments.only)}"] if arguments.only else []
    return " ".join(words)


def measure_parts(bench: Bench, parts: list[str], threads: list[int]) -> tuple[list[Section], list[str]]:
    """The sections, and why parts could not be measured. Only `mnist` is measured with each number of threads."""
    sections, broken, all_cpus = [], [], cpus()
    for part in parts:
        for count in threads if part == "mnist" else [max(threads)]:
            bench.threads, bench.is_limited = count, use_cpus(all_cpus, count)
            try:
                measured = PARTS[part](bench)
            except Failure as failure:
                broken.append(f"`{part}` could not be measured: {failure}")
                note(broken[-1])
                measured = [Section(f"`{part}`", missing=[str(failure)])]
            for section in measured:
                print(f"\n{section.markdown().rstrip()}\n", flush=True)
            sections += measured
    return sections, broken


def main() -> int:
    arguments = parse_arguments()
    started = time.monotonic()
    threads = arguments.threads or [len(cpus())]
    parts = arguments.only or (["start", "phases"] if arguments.ours else list(PARTS))
    reason = "`--ours`" if arguments.ours else None
    torch, keras = (
        find_python(name, getattr(arguments, name), reason or getattr(arguments, f"{name}_missing")) for name in PACKAGES
    )
    rounds = arguments.rounds or (1 if arguments.quick else 5)
    epochs, stack_epochs = (4, 3) if arguments.quick else (30, 6)
    with tempfile.TemporaryDirectory(prefix="runner-bench-") as scratch:
        benches = {name: Path(path) for name, path in (bench.split("=", 1) for bench in arguments.bench)}
        bench = Bench(
            arguments.runner.resolve(), benches, torch, keras, Path(scratch), rounds, epochs, stack_epochs, is_ours_only=arguments.ours
        )
        lines = machine(bench.ask("--version"), len(cpus()))
        if not arguments.ours:
            for name, python in (("PyTorch", torch), ("Keras", keras)):
                lines.append((name, ", ".join(python.versions) if python else f"missing: {python.missing}"))
        sections, broken = measure_parts(bench, [part for part in PARTS if part in parts], threads)

    is_complete = not (arguments.quick or arguments.ours or arguments.only or any(section.missing for section in sections))
    recorded = [path for name in ("gpu", "early_stopping", "regret") if (path := ROOT / f"benches/{name}.md").is_file() and is_complete]
    recorded = [path.read_text(encoding="utf-8") for path in recorded]
    name = "docs/BENCHMARKS.md" if is_complete else "target/bench/BENCHMARKS.md"
    (ROOT / name).parent.mkdir(parents=True, exist_ok=True)
    (ROOT / name).write_text(page(command_line(arguments), rounds, lines, sections, recorded), encoding="utf-8")
    note(f"wrote `{name}` after {time.monotonic() - started:.0f} s")
    broken += different_work(sections)
    if broken:
        print(f"error: {'; '.join(broken)}\nhint: see `{name}`", file=sys.stderr)
    return 1 if broken else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Failure as failure:
        print(f"error: {failure}", file=sys.stderr)
        sys.exit(2)
