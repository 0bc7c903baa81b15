"""The page `docs/BENCHMARKS.md`: tables, sections, targets and the machine."""

from __future__ import annotations

import platform
import re
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from measure import Program, Spread, own_peak_mb, ratio
from same_work import Check


def table(rows: list[list[str]]) -> str:
    """A Markdown table with padded cells; the first row is the header, the first column is text."""
    columns = max(len(row) for row in rows)
    rows = [[cell.replace("|", "\\|") for cell in row] + [""] * (columns - len(row)) for row in rows]
    widths = [max(3, *(len(row[column]) for row in rows)) for column in range(columns)]
    rule = "|" + "".join(("-" * (width + 2) if place == 0 else "-" * (width + 1) + ":") + "|" for place, width in enumerate(widths))
    lines = ["|" + "".join(f" {cell:{'<' if place == 0 else '>'}{widths[place]}} |" for place, cell in enumerate(row)) for row in rows]
    return "\n".join([lines[0], rule, *lines[1:]]) + "\n"


@dataclass(frozen=True)
class Target:
    """A bound that a value should meet, and optionally a goal beyond it."""

    bound: float
    goal: float | None = None
    is_upper: bool = False

    def is_met(self, value: float, bound: float | None = None) -> bool:
        bound = self.bound if bound is None else bound
        return value <= bound if self.is_upper else value >= bound

    def shown(self, value: float) -> str:
        """`≥ 2 yes, goal ≥ 3 **no**`"""
        sign = "≤" if self.is_upper else "≥"
        answer = lambda bound: f"{sign} {bound:g} {'yes' if self.is_met(value, bound) else '**no**'}"
        return answer(self.bound) + (f", goal {answer(self.goal)}" if self.goal else "")


@dataclass
class Section:
    title: str
    text: str = ""
    targets: list[tuple[str, float, str, Target]] = field(default_factory=list)
    checks: list[Check] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)

    def paragraph(self, text: str) -> None:
        if text.strip():
            self.text += f"{text.strip()}\n\n"

    def table(self, rows: list[list[str]]) -> None:
        self.text += table(rows) + "\n"

    def target(self, what: str, value: float | None, target: Target | None, unit: str = "×") -> list[str]:
        """Records a value with its target; returns two cells: the value, and whether it meets the target."""
        if value is None:
            return ["", ""]
        shown = f"{value:.2f}×" if unit == "×" else f"{value:.3f} {unit}"
        if target is None:
            return [shown, ""]
        self.targets.append((what, value, shown, target))
        return [shown, target.shown(value)]

    def ratio(self, what: str, ours: Spread | None, other: Spread | None, target: Target | None = None) -> list[str]:
        return self.target(what, ratio(ours, other), target)

    def memory(self, what: str, ours: Program, program: Program) -> list[str]:
        """Two cells: peak memory in MB, and the ratio to that of runner, which should not need more."""
        times = ["", ""]
        if program is not ours:
            times = self.ratio(f"{program.name}: peak memory of {what}", ours.peak_mb, program.peak_mb, Target(1))
        return [memory(program.peak_mb), times[0]]

    def note_missing(self, programs: list[Program]) -> None:
        self.missing += [f"{program.name}: {program.missing}" for program in programs if program.missing]

    def markdown(self) -> str:
        text = f"## {self.title}\n\n{self.text}"
        text += "".join(f"Missing: {why.rstrip('.')}.\n\n" for why in self.missing)
        if self.checks:
            lines = [f"- {'agreed' if check.is_good else '**not agreed**'}: {check.text}\n" for check in self.checks]
            text += f"The same work:\n\n{''.join(lines)}\n"
        return text


def memory(peak: Spread | None) -> str:
    """Peak memory in MB; what is below that of this process cannot be measured."""
    if peak and peak.median <= own_peak_mb():
        return f"≤ {own_peak_mb():.0f}"
    return peak.shown(0) if peak else ""


def first_line(*command: str) -> str:
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()[0].strip()
    except (OSError, subprocess.CalledProcessError, IndexError):
        return "unknown"


def read_field(path: str, pattern: str) -> str | None:
    try:
        found = re.search(pattern, Path(path).read_text(encoding="utf-8"), re.MULTILINE)
    except OSError:
        return None
    return found and found.group(1)


def machine(runner: str, cpus: int) -> list[tuple[str, str]]:
    """The machine and the versions."""
    kilobytes = read_field("/proc/meminfo", r"^MemTotal:\s*(\d+)")
    memory = int(kilobytes) * 1024 if kilobytes else first_line("sysctl", "-n", "hw.memsize")
    load = read_field("/proc/loadavg", r"^(\S+)")
    system = read_field("/etc/os-release", r'^PRETTY_NAME="?([^"\n]*)')
    kernel = f"{platform.system()} {platform.release()} {platform.machine()}"
    processor = read_field("/proc/cpuinfo", r"^model name\s*: (.*)") or first_line("sysctl", "-n", "machdep.cpu.brand_string")
    return [
        ("date", first_line("date", "-u", "+%Y-%m-%d")),
        ("processor", f"{processor}, {cpus} CPUs available"),
        ("memory", f"{int(memory) / 1e9:.0f} GB" if str(memory).isdigit() else "unknown"),
        ("system", f"{system}, {kernel}" if system else kernel),
        ("load", f"{load} processes in the minute before" if load else "unknown"),
        ("runner", runner),
        ("compiler", first_line("rustc", "--version")),
    ]


def page(command: str, rounds: int, machine_lines: list[tuple[str, str]], sections: list[Section], recorded: list[str]) -> str:
    spread = f"Each value is the median of {rounds} rounds, with minimum and maximum in parentheses"
    if rounds == 1:
        spread = "Each value is from a single round, which only shows that everything runs"
    lines = "".join(f"- {name}: {value}\n" for name, value in machine_lines)
    text = (
        f"<!-- Generated by `{command}`. Do not edit it: measure again. -->\n\n# Benchmarks\n\n"
        f"Written by `{command}`: programs that do the same work with the same files and the same number of threads, run in turn "
        "(A B C A B C …), so that a change of the machine affects all of them equally. "
        f"{spread}; *× runner* is the median of another program divided by that of runner.\n\n{lines}\n## At a glance\n\n{overview(sections)}"
    )
    text += "".join(f"\n{section.markdown().rstrip()}\n" for section in sections)
    return text + "".join(f"\n{section.strip()}\n" for section in recorded)


def overview(sections: list[Section]) -> str:
    """All values with a target, and whether they meet it."""
    targets = [target for section in sections for target in section.targets]
    met = sum(target.is_met(value) for _, value, _, target in targets)
    rows = [["", "value", "target"], *([what, shown, target.shown(value)] for what, value, shown, target in targets)]
    different = different_work(sections)
    work = "no results were compared"
    if any(section.checks for section in sections):
        work = f"**different work**: {'; '.join(different)}" if different else "all programs that were compared did the same work"
    missing = sum(len(section.missing) for section in sections)
    missing = f" {missing} missing: see the sections." if missing else ""
    return f"{met} of {len(targets)} values meet their target; {work}.{missing}\n\n{table(rows)}"


def different_work(sections: list[Section]) -> list[str]:
    return [check.text for section in sections for check in section.checks if not check.is_good]
