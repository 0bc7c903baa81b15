#!/usr/bin/env python3
"""Regenerate the program output shown in README.md and docs/.

Usage:
    python3 docs/update_outputs.py --runner target/release/runner            # rewrite the blocks
    python3 docs/update_outputs.py --runner target/release/runner --check    # compare, exit 1 on a difference
    python3 docs/update_outputs.py --runner PATH docs/guide/first-run.md     # some files only

Markers are HTML comments, each followed (except `run`) by a fenced block:

    <!-- output: runner show digits_mlp | head 15 -->
        Run the command and replace the block by the command line and its stdout; if the command fails, its stderr
        follows. Filters, applied from left to right:
            stderr         show stderr too (before stdout), without the lines of single epochs
            from REGEX     start with the first line that matches (the expression has no ` | `)
            until REGEX    end before the first line that matches
            head N, tail N keep N lines
        A `…` line marks every cut.
    <!-- run: runner exp digits_mlp -->
        Run the command and show nothing.
    <!-- file: idea.toml -->
        Write the block's content to this file in the scratch folder.

Each file has a scratch folder of its own. A `runner exp` command that several files contain is run once; the others get a
copy of its run directory. The environment has OMP_NUM_THREADS=1, NO_COLOR=1 and COLUMNS=80.
"""

import argparse
import difflib
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

MARKER = re.compile(r"^<!-- (output|run|file): (.+?) -->$")
FENCE = re.compile(r"^```(\w*)$")
EPOCH_LINE = re.compile(r"^epoch +\d+/\d+ ")

# What differs from one execution to the next: (pattern, placeholder).
VOLATILE = [
    (re.compile(r"\d{4}-\d\d-\d\dT\d{6}Z-[0-9a-f]{6}"), "RUN"),
    (re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?Z?"), "TIME"),
    (re.compile(r"\d{4}-\d\d-\d\d"), "DATE"),
    (re.compile(r"tfevents\.\d+"), "tfevents.SECONDS"),
    (re.compile(r"[0-9a-f]{10}\+?(?=[,)])"), "COMMIT"),
    (re.compile(r"^[0-9a-f]{4,7}(?=  )|(?<=\(id )[0-9a-f]+"), "ID"),
    (re.compile(r"\b\d+(\.\d+)? (ms|s|min|h|days?)\b"), "DURATION"),
    (re.compile(r"\b\d[\d.,e]* epochs/s"), "SPEED"),
    (re.compile(r"\b\d+(\.\d+)? (MiB|GiB)\b"), "MEMORY"),
    (re.compile(r" +DURATION"), " DURATION"),
    (re.compile(r"\b\d+:\d\d\b"), "DURATION"),
    (re.compile(r" +$"), ""),
]


def without_volatile(lines: list[str]) -> list[str]:
    """The lines with times, dates and run ids replaced by placeholders.

    A longer time widens its column in all rows of a table. So in fenced blocks with a time, gaps between columns are two
    spaces wide.
    """
    result: list[str] = []
    block_start = 0
    for line in lines:
        for pattern, placeholder in VOLATILE:
            line = pattern.sub(placeholder, line)
        result.append(line)
        if line.startswith("```"):
            block = result[block_start:]
            if any("DURATION" in row for row in block):
                result[block_start:] = [re.sub(r"(?<=\S) {2,}", "  ", row) for row in block]
            block_start = len(result)
    return result


# The results of a trained model differ from one processor to the next. Their values are checked by other tests.
NUMBER = re.compile(r"-?\d[\d,]*(\.\d+)?(e-?\d+)?")


def without_numbers(lines: list[str]) -> list[str]:
    """The lines with all numbers replaced by a placeholder, and gaps of one space."""
    return [re.sub(r"(?<=\S) +", " ", NUMBER.sub("N", line)) for line in without_volatile(lines)]


class Trained:
    """Output and run directories of the `runner exp` commands so far."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.outputs: dict[str, tuple[list[str], list[str], int]] = {}

    def place(self, command: str) -> Path:
        return self.folder / str(list(self.outputs).index(command))

    def keep(self, command: str, output: tuple[list[str], list[str], int], runs: Path, new: set[Path]) -> None:
        self.outputs[command] = output
        for run in new:
            shutil.copytree(runs / run, self.place(command) / run, symlinks=True)

    def copy_to(self, command: str, runs: Path) -> None:
        """Copies the run directories of a command, and lets `latest` point to them."""
        for run in run_directories(self.place(command)):
            shutil.copytree(self.place(command) / run, runs / run, symlinks=True, dirs_exist_ok=True)
            latest = runs / run.parent / "latest"
            latest.unlink(missing_ok=True)
            latest.symlink_to(run.name)


def run_directories(runs: Path) -> set[Path]:
    """The run directories, relative to the folder of the runs."""
    return {found.parent.relative_to(runs) for found in runs.glob("*/*/run.json") if not found.parent.is_symlink()}


class Scratch:
    """The folder that the commands of one file run in."""

    def __init__(self, folder: Path, runner: Path, trained: Trained):
        self.folder = folder
        self.runner = runner
        self.trained = trained
        self.here: set[str] = set()
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("RUNNER_RUNS", "CLICOLOR"))},
            "OMP_NUM_THREADS": "1",
            "NO_COLOR": "1",
            "COLUMNS": "80",
        }

    def run(self, command: str) -> tuple[list[str], list[str], int]:
        """The lines of stdout, the lines of stderr, and the exit code."""
        words = shlex.split(command)
        if words[0] not in ("runner", "cat"):
            sys.exit(f"error: only `runner` and `cat` can be run, found `{command}`")
        runs = self.folder / "runs"
        is_training = words[:2] == ["runner", "exp"] and not words[2].endswith(".toml")
        if is_training and command in self.trained.outputs:
            if command not in self.here:
                self.trained.copy_to(command, runs)
                self.here.add(command)
            return self.trained.outputs[command]
        before = run_directories(runs)
        program = str(self.runner) if words[0] == "runner" else words[0]
        print(f"  {command}", file=sys.stderr)
        done = subprocess.run(
            [program, *words[1:]], cwd=self.folder, env=self.environment, capture_output=True, text=True, check=False
        )
        hide = str(self.folder.resolve()) + "/"
        stdout, stderr = (text.replace(hide, "").splitlines() for text in (done.stdout, done.stderr))
        result = (stdout, [line for line in stderr if not EPOCH_LINE.match(line)], done.returncode)
        if is_training and done.returncode == 0:
            self.trained.keep(command, result, runs, run_directories(runs) - before)
            self.here.add(command)
        return result


def find_line(lines: list[str], expression: str, command: str) -> int:
    for number, line in enumerate(lines):
        if re.search(expression, line):
            return number
    sys.exit(f"error: the output of `{command}` has no line that matches `{expression}`:\n" + "\n".join(lines))


def rendered(marker: str, scratch: Scratch) -> list[str]:
    """The content of the fenced block behind an `output` marker."""
    command, *filters = (part.strip() for part in marker.split(" | "))
    stdout, stderr, code = scratch.run(command)
    lines = stdout + (stderr if code != 0 else [])
    for text in filters:
        name, _, argument = text.partition(" ")
        before = lines
        if name == "stderr":
            lines = stderr + stdout
            continue
        if name == "from":
            lines = lines[find_line(lines, argument, command):]
            lines = lines if len(lines) == len(before) else ["…", *lines]
        elif name == "until":
            lines = [*lines[: find_line(lines, argument, command)], "…"]
        elif name == "head":
            lines = lines if len(lines) <= int(argument) else [*lines[: int(argument)], "…"]
        elif name == "tail":
            lines = lines if len(lines) <= int(argument) else ["…", *lines[-int(argument):]]
        else:
            sys.exit(f"error: unknown filter `{text}` in `{marker}`")
    while lines and not lines[-1].strip():
        lines.pop()
    return [f"$ {command}", *(line.rstrip() for line in lines)]


def fenced_block(lines: list[str], start: int, path: Path) -> tuple[int, int]:
    """The first and the last line of the fenced block that starts at `start`."""
    if start < len(lines) and FENCE.match(lines[start]):
        for end in range(start + 1, len(lines)):
            if lines[end] == "```":
                return start, end
    sys.exit(f"error: {path.relative_to(ROOT)}:{start + 1}: a fenced block must follow the marker")


def updated(path: Path, scratch: Scratch) -> tuple[list[str], list[str]]:
    """The lines of a file, and the same with all blocks regenerated."""
    lines = path.read_text(encoding="utf-8").splitlines()
    result: list[str] = []
    place = 0
    while place < len(lines):
        line = lines[place]
        result.append(line)
        place += 1
        if not (match := MARKER.match(line)):
            continue
        kind, argument = match.groups()
        if kind == "run":
            _, stderr, code = scratch.run(argument)
            if code != 0:
                sys.exit(f"error: `{argument}` ends with exit code {code}:\n" + "\n".join(stderr))
            continue
        start, end = fenced_block(lines, place, path)
        if kind == "file":
            target = scratch.folder / argument
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text("\n".join(lines[start + 1 : end]) + "\n", encoding="utf-8")
            result.extend(lines[start : end + 1])
        else:
            result.extend([lines[start], *rendered(argument, scratch), lines[end]])
        place = end + 1
    return lines, result


def main() -> int:
    parser = argparse.ArgumentParser(description="Regenerate the program output shown in README.md and docs/.")
    parser.add_argument("--runner", type=Path, required=True, help="the program")
    parser.add_argument("--check", action="store_true", help="compare only, except for numbers; exit with 1 on a difference")
    parser.add_argument("files", nargs="*", type=Path, help="Markdown files [default: README.md and docs/]")
    arguments = parser.parse_args()
    files = [file.resolve() for file in arguments.files]
    files = files or [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    different = 0
    with tempfile.TemporaryDirectory() as folder:
        trained = Trained(Path(folder) / "trained")
        for number, file in enumerate(files):
            text = file.read_text(encoding="utf-8")
            if not any(MARKER.match(line) for line in text.splitlines()):
                continue
            name = str(file.relative_to(ROOT))
            print(name, file=sys.stderr)
            scratch = Scratch(Path(folder) / str(number), arguments.runner.resolve(), trained)
            scratch.folder.mkdir()
            old, new = updated(file, scratch)
            if not arguments.check:
                if old != new:
                    file.write_text("\n".join(new) + "\n", encoding="utf-8")
                continue
            diff = list(difflib.unified_diff(without_numbers(old), without_numbers(new), name, "now", lineterm=""))
            if diff:
                print("\n".join(diff))
                different += 1
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
