"""Write the measurements of `gpu.sh` as a section of docs/BENCHMARKS.md to stdout.

    python gpu_report.py FOLDER --device cuda --epochs 12
    python gpu_report.py --machine cuda        # the machine, as JSON, with the reason if torch.compile does not work

The folder has `steps.tsv` (name, status, seconds, MiB of the GPU), the output of each step in `steps/`, and the runs of `runner`
in `runs/STEP/`. Exit code 1 means that a step failed, that losses do not agree, or that a fault has a wrong message.
"""

import argparse
import json
import platform
import re
import statistics
import sys
from pathlib import Path

ALLOWED, ALLOWED_FIRST = 1e-3, 1e-2
EARLY = 3
NETWORKS = {"plain": "overfit_mnist", "cnn": "small CNN", "wide": "1,024 units", "lstm": "LSTM"}
PROGRAMS = {
    "runner": "runner",
    "eager": "PyTorch eager",
    "fused": "PyTorch eager, fused Adam",
    "compiled": "`torch.compile`",
    "graphs": "`torch.compile`, fused Adam, CUDA graphs",
    "dataloader": "PyTorch DataLoader",
}
# How many times runner's seconds a program should take, and how many times those of one seed all others together may take.
TARGETS = {("plain", "eager"): 3, ("plain", "compiled"): 1.5}
MOST_FOR_SEEDS = 3


def machine(device):
    import torch

    found = {"torch": torch.__version__, "python": platform.python_version(), "processor": platform.machine()}
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
        found["processor"] = f"{names[0]}, {len(names)} cores"
    except (OSError, IndexError):
        pass
    if device != "cpu":
        found["device"] = torch.cuda.get_device_name(device)
        found["memory_gb"] = round(torch.cuda.get_device_properties(device).total_memory / 1e9)
    try:
        torch.compile(lambda x: (x * 2 + 1).relu())(torch.ones(8, device=device))
    except Exception as error:  # the compilers fail in many ways
        found["no_compile"] = f"{type(error).__name__}: {error}".splitlines()[0][:240]
    print(json.dumps(found))


def steady(seconds):
    return statistics.median(seconds[2:] if len(seconds) > 2 else seconds)


class Steps:
    """The results of the steps."""

    def __init__(self, folder):
        self.folder = folder
        rows = [line.split("\t") for line in (folder / "steps.tsv").read_text().splitlines()]
        self.status = {name: status for name, status, _, _ in rows}
        self.seconds = {name: float(seconds) for name, _, seconds, _ in rows if seconds}
        self.memory = {name: int(memory) for name, _, _, memory in rows if memory}

    def text(self, name, stream="out"):
        file = self.folder / "steps" / f"{name}.{stream}"
        return file.read_text(errors="replace") if file.exists() else ""

    def done(self, name):
        return self.status.get(name) == "done"

    def rounds(self, name):
        return [step for step in self.status if step.rsplit("-", 1)[0] == name and self.done(step)]

    def histories(self, name):
        files = sorted((self.folder / "runs" / name / "overfit_mnist" / "latest").glob("*.json"))
        read = [json.loads(file.read_text()) for file in files] if self.done(name) else []
        return [history for history in read if str(history.get("schema", "")).startswith("runner.history/")]

    def lines(self, name):
        """The lines of a PyTorch program: its epochs, and the last line."""
        lines = [json.loads(line) for line in self.text(name).splitlines() if line.startswith("{")]
        return lines[:-1], lines[-1]

    def epoch(self, name):
        """Seconds of a steady epoch of all seeds together: those of a stack count once."""
        if histories := self.histories(name):
            return sum(steady(history["history"]["seconds"]) / history["environment"]["replicas"] for history in histories)
        return steady([line["seconds"] for line in self.lines(name)[0]])

    def losses(self, name):
        """The training and the validation losses of the first epochs."""
        if histories := self.histories(name):
            first = histories[0]["history"]
            return first["loss"][:EARLY] + first["val_loss"][:EARLY]
        epochs = self.lines(name)[0][:EARLY]
        return [line["loss"] for line in epochs] + [line["val_loss"] for line in epochs]

    def error(self, name):
        """The error of a step with its reason, without hints; else its last line."""
        lines = [line for line in self.text(name, "err").strip().splitlines() if not line.startswith("hint:")]
        first = next((place for place, line in enumerate(lines) if line.startswith("error:")), len(lines) - 1)
        return " ".join(line.strip() for line in lines[max(first, 0) :])[:240]


def spread(values, decimals=3):
    if len(values) == 1:
        return f"{values[0]:.{decimals}f}"
    least, most = min(values), max(values)
    return f"{statistics.median(values):.{decimals}f} ({least:.{decimals}f}–{most:.{decimals}f})"


def table(rows):
    """A table with padded cells; the first row is the header, the first column is text."""
    widths = [max(3, *(len(row[column]) for row in rows)) for column in range(len(rows[0]))]
    def line(row):
        cells = (f" {cell:<{width}} |" if place == 0 else f" {cell:>{width}} |" for place, (cell, width) in enumerate(zip(row, widths)))
        return "|" + "".join(cells)
    rules = "|" + "".join("-" * (width + 2) + "|" if place == 0 else "-" * (width + 1) + ":|" for place, width in enumerate(widths))
    return "\n".join([line(rows[0]), rules, *map(line, rows[1:])])


def yes(good):
    return "yes" if good else "**no**"


def comparison(steps):
    """The rows of all networks and programs."""
    rows = [["", "epoch, s", "× runner", "target", "complete command, s", "× runner", "GPU memory, MiB"]]
    for network, title in NETWORKS.items():
        ours = None
        for program, shown in PROGRAMS.items():
            if not (rounds := steps.rounds(f"{program}-{network}")):
                continue
            seconds = [steps.epoch(step) for step in rounds], [steps.seconds[step] for step in rounds]
            medians = [statistics.median(values) for values in seconds]
            ours = medians if program == "runner" else ours
            ratios = [theirs / mine for theirs, mine in zip(medians, ours)] if ours and program != "runner" else None
            epoch, whole = [f"{ratio:.2f}×" for ratio in ratios] if ratios else ["", ""]
            wanted = TARGETS.get((network, program)) if ratios else None
            target = f"≥ {wanted} {yes(ratios[0] >= wanted)}" if wanted else ""
            memory = max((steps.memory[step] for step in rounds if step in steps.memory), default="")
            rows.append([f"{title}: {shown}", spread(seconds[0]), epoch, target, spread(seconds[1], 2), whole, str(memory)])
    return rows


def stacks(steps):
    """The rows of one seed and of several seeds, and what is wrong."""
    rows = [["seeds", "stacks of", "epoch of all seeds, s", "× one", "target", "complete command, s", "× one", "GPU memory, MiB"]]
    wrong, one = [], None
    for step in steps.rounds("seeds"):
        seeds, trained = int(step.rsplit("-", 1)[1]), steps.histories(step)
        seconds = steps.epoch(step), steps.seconds[step]
        one = seconds if seeds == 1 else one
        epoch, whole = [many / single for many, single in zip(seconds, one)] if one and seeds > 1 else [None, None]
        target = f"≤ {MOST_FOR_SEEDS} {yes(epoch <= MOST_FOR_SEEDS)}" if epoch else ""
        cells = [str(seeds), str(trained[0]["environment"]["replicas"]), f"{seconds[0]:.3f}", f"{epoch:.2f}×" if epoch else "", target]
        rows.append([*cells, f"{seconds[1]:.2f}", f"{whole:.2f}×" if whole else "", str(steps.memory.get(step, ""))])
        if len(trained) != seeds:
            wrong.append(f"**{len(trained)} histories, expected {seeds}.**")
    return rows, wrong


def report(arguments):
    steps = Steps(arguments.folder)
    found = json.loads(steps.text("machine")) if steps.done("machine") else {}
    where = found.get("device", "no GPU, a test on the CPU" if arguments.device == "cpu" else "unknown")
    shown = [f"## On a GPU: {where}", ""]
    version = steps.text("version").strip() or "runner of an unknown version"
    about = [version, f"PyTorch {found.get('torch', 'unknown')}", found.get("processor", "unknown processor")]
    if "memory_gb" in found:
        about.append(f"{found['memory_gb']} GB on the device")
    shown += [f"Written by `benches/gpu.sh`: {', '.join(about)}."]
    rounds = ", ".join(f"{title} {len(steps.rounds(f'runner-{network}'))}" for network, title in NETWORKS.items())
    shown += [f"Rounds in turn, of {arguments.epochs} epochs each: {rounds}. The value of an epoch is the median without the first two."]
    shown += ["PyTorch computes in full float32, as runner does. GPU memory is the peak minus the memory in use before.", ""]
    shown += [table(comparison(steps)), ""]

    rows, wrong = stacks(steps)
    shown += ["Seeds of `overfit_mnist`, 6 epochs:", "", table(rows), "", *([*wrong, ""] if wrong else [])]

    def check(fine, words):
        if not fine:
            wrong.append(words)
        shown.append(f"- {'good' if fine else '**wrong**'}: {words}")

    def apart(one, other, count):
        a, b = steps.losses(one)[:count], steps.losses(other)[:count]
        return max(abs(x / y - 1) for x, y in zip(b, a)) if len(a) == len(b) == count else float("inf")

    def agree(what, one, others, count=2 * EARLY, allowed=ALLOWED):
        """With the nearest of the others. A step that failed is listed below."""
        if steps.done(one) and (others := [other for other in others if steps.done(other)]):
            least = min(apart(one, other, count) for other in others)
            check(least <= allowed, f"{what}: differ by at most {least:.1e}, allowed {allowed:g}")

    losses = f"losses of {EARLY} epochs"
    agree(f"{losses}, runner on {arguments.device} and on the CPU", "agree-cpu", ["agree-device"])
    what = f"{losses}, runner and PyTorch eager (plain or fused Adam, which round differently)"
    agree(what, "runner-plain-1", ["eager-plain-1", "fused-plain-1"])
    for network in ("cnn", "wide", "lstm"):  # where training enlarges rounding more
        what = f"training loss of the first epoch, {NETWORKS[network]}, runner and PyTorch eager"
        agree(what, f"runner-{network}-1", [f"eager-{network}-1"], 1, ALLOWED_FIRST)
    if steps.done("whole") and steps.done("resumed"):
        a, b = (steps.histories(name)[0]["history"] for name in ("whole", "resumed"))
        differ = [metric for metric in a if metric != "seconds" and a[metric] != b.get(metric)]
        words = f"differ in {', '.join(differ)}" if differ else "equal bits"
        checkpoint = re.search(r"from the (checkpoint of epoch \d+)", steps.text("resumed", "err"))
        how = f"resumed from the {checkpoint[1]}" if checkpoint else "not resumed from a checkpoint"
        check(checkpoint and not differ, f"{len(a['loss'])} epochs with `--deterministic`, uninterrupted, or after SIGKILL {how}: {words}")
    for name, what, word in (("fault-memory", "too large a network", "memory"), ("fault-hidden", "no visible GPU", "--device cuda")):
        if steps.done(name):
            message, text = steps.error(name), steps.text(name, "err")
            hint = "a hint" if "hint:" in text else "no hint"
            fine = message.startswith("error:") and word in message and hint == "a hint" and "panicked" not in text
            check(fine, f"{what}: exit code 2 and {hint}; {message or 'no error'}")
    shown.append("")

    if reason := found.get("no_compile"):
        shown += [f"`torch.compile` does not work here and was left out: {reason}", ""]
        if arguments.device != "cpu":
            wrong.append(reason)
    failed = [(name, how) for name, how in steps.status.items() if how != "done"]
    for name, how in failed:
        shown.append(f"- **{name}: {how}**" + (f": {steps.error(name)}" if steps.error(name) else ""))
    print("\n".join(shown).rstrip())
    return 1 if wrong or failed else 0


arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
arguments.add_argument("folder", type=Path, nargs="?")
arguments.add_argument("--machine", metavar="DEVICE")
arguments.add_argument("--device", default="cuda")
arguments.add_argument("--epochs", type=int, default=12)
arguments = arguments.parse_args()
if arguments.machine:
    machine(arguments.machine)
else:
    sys.exit(report(arguments))
