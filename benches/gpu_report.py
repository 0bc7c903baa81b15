"""Write the measurements of `gpu.sh` as a section of docs/BENCHMARKS.md to stdout.

    python gpu_report.py FOLDER --device cuda --epochs 12 --many 256
    python gpu_report.py --machine cuda        # the machine, as JSON

The folder has `steps.tsv` (name, status, seconds, MiB of the GPU), the output of each step in `steps/`, and the runs of `runner`
in `runs/STEP/`. Exit code 1 means that a step failed or that losses do not agree.
"""

import argparse
import json
import platform
import statistics
import sys
from pathlib import Path

ALLOWED = 1e-3
EARLY = 5


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
        if histories := self.histories(name):
            first = histories[0]["history"]
            return first["loss"][:EARLY] + first["val_loss"][:EARLY]
        epochs = self.lines(name)[0][:EARLY]
        return [line["loss"] for line in epochs] + [line["val_loss"] for line in epochs]


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


def report(arguments):
    steps = Steps(arguments.folder)
    found = json.loads(steps.text("machine")) if steps.done("machine") else {}
    where = found.get("device", "no GPU, a test on the CPU" if arguments.device == "cpu" else "unknown")
    shown = [f"## On a GPU: {where}", ""]
    version = steps.text("version").strip() or "runner of an unknown version"
    about = [version, f"PyTorch {found.get('torch', 'unknown')}", found.get("processor", "unknown processor")]
    if "memory_gb" in found:
        about.append(f"{found['memory_gb']} GB on the device")
    shown += [f"Written by `benches/gpu.sh`: {', '.join(about)}. Rounds in turn: {len(steps.rounds('ours'))}, of {arguments.epochs} epochs each."]
    shown += ["The value of an epoch is the median without the first two. GPU memory is the peak minus the memory in use before.", ""]

    names = {"ours": "ours", "indexed": "PyTorch, indexed", "fused": "PyTorch, indexed, fused Adam", "dataloader": "PyTorch DataLoader"}
    rows = [["", "epoch, s", "× ours", "complete command, s", "× ours", "GPU memory, MiB"]]
    medians = {}
    for name, title in names.items():
        rounds = steps.rounds(name)
        if not rounds:
            continue
        epoch, whole = [steps.epoch(step) for step in rounds], [steps.seconds[step] for step in rounds]
        medians[name] = statistics.median(epoch), statistics.median(whole)
        ratios = [f"{mine / ours:.2f}×" if name != "ours" and "ours" in medians else "" for mine, ours in zip(medians[name], medians.get("ours", medians[name]))]
        memory = max((steps.memory[step] for step in rounds if step in steps.memory), default=None)
        rows.append([title, spread(epoch), ratios[0], spread(whole, 2), ratios[1], "" if memory is None else str(memory)])
    shown += [table(rows), ""]

    good = True
    if steps.done("one") and steps.done("many"):
        rows = [["", "epoch of all seeds, s", "× one", "target", "complete command, s", "× one", "GPU memory, MiB"]]
        one, many = steps.epoch("one"), steps.epoch("many")
        trained = steps.histories("many")
        stack = trained[0]["environment"]["replicas"]
        memory = {name: str(steps.memory.get(name, "")) for name in ("one", "many")}
        rows.append(["one seed", f"{one:.3f}", "", "", f"{steps.seconds['one']:.2f}", "", memory["one"]])
        ratio, whole = many / one, steps.seconds["many"] / steps.seconds["one"]
        rows.append([f"{len(trained)} seeds", f"{many:.3f}", f"{ratio:.2f}×", f"≤ 3 {yes(ratio <= 3)}", f"{steps.seconds['many']:.2f}", f"{whole:.2f}×", memory["many"]])
        shown += [f"{len(trained)} seeds, 6 epochs, in stacks of {stack}:", "", table(rows), ""]
        if len(trained) != arguments.many:
            good = False
            shown += [f"**{len(trained)} histories, expected {arguments.many}.**", ""]

    def agree(name, one, other):
        nonlocal good
        a, b = steps.losses(one), steps.losses(other)
        apart = max((abs(x / y - 1) for x, y in zip(b, a)), default=float("inf"))
        fine = len(a) == len(b) > 0 and apart <= ALLOWED
        good &= fine
        shown.append(f"- {'agreed' if fine else '**not agreed**'}: {name}, differ by at most {apart:.1e} in {len(a) // 2} epochs (allowed {ALLOWED:g})")

    shown += ["Training and validation losses:", ""]
    if steps.done("agree-cpu") and steps.done("agree-device"):  # else a failed step is listed below
        agree(f"runner on {arguments.device} and runner on the CPU", "agree-cpu", "agree-device")
    for peer in ("indexed", "fused"):
        if steps.rounds(peer) and steps.rounds("ours"):
            agree(f"{names[peer]} and runner, both on {arguments.device}", steps.rounds("ours")[0], steps.rounds(peer)[0])
    shown.append("")

    failed = [(name, how) for name, how in steps.status.items() if how != "done"]
    for name, how in failed:
        words = [line for line in steps.text(name, "err").strip().splitlines() if not line.startswith("hint:")]
        shown.append(f"- **{name} {how}**" + (f": {words[-1][:240]}" if words else ""))
    print("\n".join(shown).rstrip())
    return 0 if good and not failed else 1


arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
arguments.add_argument("folder", type=Path, nargs="?")
arguments.add_argument("--machine", metavar="DEVICE")
arguments.add_argument("--device", default="cuda")
arguments.add_argument("--epochs", type=int, default=12)
arguments.add_argument("--many", type=int, default=256)
arguments = arguments.parse_args()
if arguments.machine:
    machine(arguments.machine)
else:
    sys.exit(report(arguments))
