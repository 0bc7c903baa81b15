"""The parts of the benchmark. Each function returns sections of the page."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Callable

import measure
from layers import layers
from measure import Failure, Program, Run, limit_threads, run_in_turn, spread, steady
from page import Section, Target, memory
from same_work import Check, Curves, same, same_as_one, same_losses, same_output, similar
from tables import tables

ROOT = Path(__file__).resolve().parents[2]
SEEDS = 16
SWEEP_TRIALS = 32


@dataclass
class Python:
    """A Python with the packages of a peer, or the reason why there is none."""

    program: Path | None
    missing: str | None
    versions: list[str]

    def __bool__(self) -> bool:
        return self.program is not None


@dataclass
class Bench:
    """Settings of a measurement."""

    runner: Path
    benches: dict[str, Path]
    torch: Python
    keras: Python
    scratch: Path
    rounds: int
    epochs: int
    stack_epochs: int
    threads: int = 1
    is_limited: bool = True  # by the system, so that `--threads` is not needed
    is_ours_only: bool = False

    def threads_shown(self) -> str:
        return "1 thread" if self.threads == 1 else f"{self.threads} threads"

    def run_runner(self, *arguments) -> Run:
        return measure.run([self.runner, *arguments], limit_threads(None), ROOT)

    def ask(self, *arguments) -> str:
        """The stdout of runner, unmeasured."""
        done = subprocess.run([self.runner, *arguments], capture_output=True, text=True, cwd=ROOT)
        if done.returncode != 0:
            raise Failure(f"`runner {' '.join(arguments)}` failed: {measure.last_error(done.stderr)}")
        return done.stdout.strip()

    def experiment(self, name: str, out: Path, *arguments) -> Run:
        """Runs `runner exp NAME`; the results are the histories and the seconds of a steady epoch per seed."""
        threads = [] if self.is_limited else ["--threads", self.threads]
        run = self.run_runner("exp", name, "--device", "cpu", "--quiet", "--out", out, *arguments, *threads)
        histories = self.histories(out / name)
        run.results = {"histories": histories, "epoch": epoch_per_seed(histories)}
        return run

    def histories(self, experiment: Path) -> list[dict]:
        """The histories of the newest run below the folder of an experiment."""
        return read_histories(experiment / "latest")

    def overfit_mnist(self, seeds: int, epochs: int, out: str) -> Run:
        return self.experiment("overfit_mnist", self.scratch / out, "--seeds", f"0..{seeds - 1}", "--epochs", epochs)

    def data(self, name: str) -> Path:
        """The folder of a data set, downloaded if needed."""
        self.ask("data", "fetch", name)
        return Path(self.ask("data", "path", name))

    def script(self, python: Python, script: str, *arguments) -> Run:
        return measure.run([python.program, f"benches/{script}", *arguments], limit_threads(self.threads), ROOT)

    def peer(self, name: str, python: Python, act: Callable[[], Run]) -> Program:
        return Program(name, act, python.missing)

    def built_for_cuda(self) -> str:
        if not any(version.startswith("torch ") and "+cu" in version for version in self.torch.versions):
            return ""
        return (
            "This PyTorch from PyPI is built for CUDA, even without a GPU: its imports and its memory are larger than those of a "
            "build for the CPU."
        )


def read_histories(folder: Path) -> list[dict]:
    files = [json.loads(file.read_text(encoding="utf-8")) for file in sorted(folder.glob("*.json"))]
    histories = [file for file in files if str(file.get("schema", "")).startswith("runner.history/")]
    if not histories:
        raise Failure(f"no history in `{folder}`")
    return histories


def epoch_per_seed(histories: list[dict]) -> float | None:
    """Seconds of a steady epoch per seed: the `seconds` in a history are those of its stack."""
    try:
        each = [steady(history["history"]["seconds"]) / history["environment"]["replicas"] for history in histories]
    except KeyError:
        return None
    return sum(each) / len(each)


def mnist(bench: Bench) -> list[Section]:
    """overfit_mnist: a steady epoch, and the complete command, from the same runs."""
    idx = bench.data("mnist")

    def peer(name: str, python: Python, script: str, *flags: str) -> Program:
        def act() -> Run:
            out = bench.scratch / f"mnist-{Path(script).stem}{''.join(flags)}"
            run = bench.script(
                python, script, "--threads", bench.threads, "--epochs", bench.epochs, "--idx-dir", idx, "--out", out, *flags
            )
            lines = run.lines()
            run.results = {"epoch": steady([line["seconds"] for line in lines if "seconds" in line])}
            run.results["imports"] = lines[-1].get("imports")
            return run

        return bench.peer(name, python, act)

    def limit() -> Run:
        run = bench.script(bench.torch, "peers/limit.py", "--threads", bench.threads)
        run.results = run.lines()[0]["seconds"]
        return run

    ours = Program("runner", lambda: bench.overfit_mnist(1, bench.epochs, "mnist-ours"))
    indexed = peer("PyTorch, indexed", bench.torch, "peers/torch_indexed.py")
    fused = peer("PyTorch, indexed, fused Adam", bench.torch, "peers/torch_indexed.py", "--fused")
    loader = peer("PyTorch DataLoader", bench.torch, "peers/torch_dataloader.py")
    keras = peer("Keras `fit`", bench.keras, "peers/keras_fit.py")
    products = bench.peer("products and gathers only", bench.torch, limit)
    programs = [ours, indexed, fused, loader, keras]
    run_in_turn(f"overfit_mnist, {bench.threads_shown()}", [*programs, products], bench.rounds)
    targets = {indexed.name: Target(2, 3), loader.name: Target(3, 5), keras.name: Target(5, 8)}

    epoch = Section(f"One epoch of `overfit_mnist`, {bench.threads_shown()}")
    counted = f"epochs 3 to {bench.epochs}" if bench.epochs > 2 else "its epochs"
    epoch.paragraph(
        "784 → 64 → 32 → 10, Adam, 42,000 rows in batches of 128, with the validation of 18,000 rows. The value of a run is the "
        f"median of {counted}. PyTorch and Keras use {bench.threads_shown()}; runner chooses how many of them are efficient."
    )
    rows = [["", "seconds", "× runner", "target"]]
    for program in programs:
        if seconds := program.result("epoch"):
            what = f"{program.name}: epoch of overfit_mnist, {bench.threads_shown()}"
            cells = ["", ""]
            if program is not ours:
                cells = epoch.ratio(what, ours.result("epoch"), seconds, targets.get(program.name))
            rows.append([program.name, seconds.shown(3), *cells])
    epoch.table(rows)
    if products.last:
        gathers, matrix, validation = (products.result(part).median for part in ("gathers", "products", "validation"))
        epoch.paragraph(
            f"The limit at this batch size: the gathers ({gathers:.3f} s) and matrix products ({matrix:.3f} s) of an epoch take "
            f"{gathers + matrix:.3f} s in memory that is allocated once; the products of the validation take {validation:.3f} s more. "
            f"An epoch of runner takes {ours.result('epoch').median / (gathers + matrix):.2f} times the limit."
        )
    epoch.note_missing([*programs, products])

    first = Curves.from_history(ours.last.results["histories"][0])
    curves = {program.name: Curves.from_lines(program.last.lines()) for program in programs[1:] if program.last}
    same_numbers = {name: curves.pop(name) for name in (indexed.name, fused.name) if name in curves}
    epoch.checks += same_as_one(first, same_numbers)
    epoch.checks += [similar(name, first, other) for name, other in curves.items()]

    command = Section(f"The complete command, {bench.epochs} epochs, {bench.threads_shown()}")
    command.paragraph(
        "The same runs, from start to end of the command, with history and weights on disk, and a test on 10,000 rows. runner also "
        "writes the resolved experiment and its plots. *Imports* are the part of Python's start that a script cannot avoid; memory is "
        f"the peak of the resident memory. {bench.built_for_cuda()}"
    )
    rows = [["", "wall, s", "× runner", "target", "imports, s", "CPU time, s", "× runner", "memory, MB", "× runner"]]
    for program in programs:
        if program.last:
            what = f"{program.name}: overfit_mnist, complete command, {bench.epochs} epochs, {bench.threads_shown()}"
            rows.append(command_row(command, what, f"overfit_mnist, {bench.threads_shown()}", ours, program, {keras.name: Target(6)}))
    command.table(rows)
    return [epoch, command]


def command_row(section: Section, what: str, memory_of: str, ours: Program, program: Program, targets: dict) -> list[str]:
    """Name, wall time, ratio, target, imports, CPU time, ratio, memory, ratio."""
    wall, cpu = ["", ""], ["", ""]
    if program is not ours:
        wall = section.ratio(what, ours.wall, program.wall, targets.get(program.name))
        cpu = section.ratio("", ours.cpu, program.cpu)
    imports = program.result("imports")
    imports = f"{imports.median:.2f}" if imports else ""
    cells = section.memory(memory_of, ours, program)
    return [program.name, program.wall.shown(2), *wall, imports, program.cpu.shown(2), cpu[0], *cells]


def stack(bench: Bench) -> list[Section]:
    """Sixteen seeds in one command, compared with one seed."""
    one = Program("one seed", lambda: bench.overfit_mnist(1, bench.stack_epochs, "one"))
    many = Program(f"{SEEDS} seeds", lambda: bench.overfit_mnist(SEEDS, bench.stack_epochs, "stack"))
    run_in_turn("seeds", [one, many], bench.rounds, required=2)
    histories = many.last.results["histories"]
    section = Section(f"{SEEDS} seeds compared with one, {bench.threads_shown()}")
    section.paragraph(
        f"`runner exp overfit_mnist --epochs {bench.stack_epochs}`, with one seed and with {SEEDS}, trained in stacks of "
        f"{histories[0]['environment']['replicas']}. Values are per seed; those of the complete command include its start, which is "
        "shared, and the test, files and plots of each seed."
    )
    head = ["epoch, s per seed", "× one seed", "target", "complete command, s per seed", "× one seed", "target", "memory, MB"]
    rows = [["", *head]]
    for program, seeds in ((one, 1), (many, SEEDS)):
        epoch, wall = program.result("epoch"), program.wall / seeds
        cells = [["", ""], ["", ""]]
        if program is many:
            target = Target(0.6, is_upper=True)
            cells[0] = section.ratio(f"{SEEDS} seeds: epoch per seed, compared with one seed", one.result("epoch"), epoch, target)
            cells[1] = section.ratio(f"{SEEDS} seeds: complete command per seed, compared with one seed", one.wall, wall, target)
        rows.append([program.name, epoch.shown(3) if epoch else "", *cells[0], wall.shown(3), *cells[1], memory(program.peak_mb)])
    section.table(rows)
    first_losses = {history["history"]["loss"][0] for history in histories}
    if len(histories) != SEEDS or len(first_losses) != SEEDS:
        section.checks.append(Check(f"{len(first_losses)} of {SEEDS} seeds have a loss of their own", False))
    else:
        seed_0 = next(history for history in histories if history["seed"] == 0)
        alone = Curves.from_history(one.last.results["histories"][0])
        section.checks.append(same("seed 0 of the stack", alone, Curves.from_history(seed_0)))
    return [section]


def digits(bench: Bench) -> list[Section]:
    """digits_mlp compared with a PyTorch script: a small task, where most of the time is the start."""
    out = bench.scratch / "digits"

    def peer() -> Run:
        run = bench.script(bench.torch, "peers/digits_torch.py", "--threads", bench.threads, "--out", out / "torch")
        run.results = run.lines()[0]
        return run

    ours = Program("runner", lambda: bench.experiment("digits_mlp", out))
    torch = bench.peer("PyTorch script", bench.torch, peer)
    run_in_turn("digits_mlp", [ours, torch], bench.rounds)
    section = Section(f"`digits_mlp`, the complete command, {bench.threads_shown()}")
    section.paragraph(
        "64 → 32 → 16 → 10, Adam, 1,797 rows as one batch, 100 epochs; the script writes its losses and weights. "
        + bench.built_for_cuda()
    )
    rows = [["", "wall, s", "× runner", "target", "imports, s", "CPU time, s", "× runner", "memory, MB", "× runner"]]
    for program in (ours, torch):
        if program.last:
            what = f"{program.name}: digits_mlp, complete command"
            rows.append(command_row(section, what, "digits_mlp", ours, program, {torch.name: Target(5)}))
    section.table(rows)
    section.note_missing([ours, torch])
    if torch.last:
        losses = ours.last.results["histories"][0]["history"]["loss"]
        section.checks.append(same_losses(losses, torch.last.results["losses"], 1e-5))
    return [section]


def sweep(bench: Bench) -> list[Section]:
    """A sweep over the learning rate of digits_mlp compared with Optuna and with a command for each configuration."""
    trials, seeds, workers, out = SWEEP_TRIALS, 3, max(bench.threads, 1), bench.scratch / "sweep"
    space = ["--space", "train.optimizer.adam.lr=log:1e-4..1e-1", "--trials", trials, "--seeds", f"0..{seeds - 1}"]
    command = ["digits_mlp", *space, "--device", "cpu", "--threads", "1"]
    planned = json.loads(bench.ask(*map(str, ["sweep", *command, "--dry-run", "--json"])))
    rates = [configuration["set"]["train.optimizer.adam.lr"] for configuration in planned["configurations"]]
    chosen = bench.scratch / "configurations.json"
    chosen.write_text(json.dumps(rates), encoding="utf-8")

    def ours() -> Run:
        run = bench.run_runner("sweep", *command, "--workers", workers, "--quiet", "--out", out)
        newest = max((out / "digits_mlp").glob("20*"))
        ends = [json.loads(file.read_text(encoding="utf-8")) for file in (newest / "ended").glob("*.json")]
        means: dict[str, float] = {}
        for trial in (trial for end in ends for trial in end["trials"]):
            means[trial["configuration"]] = means.get(trial["configuration"], 0.0) + trial["value"] / seeds
        run.results = {"trained": sum(len(end["trials"]) for end in ends), "best": rates[int(min(means, key=means.get))]}
        return run

    def optuna() -> Run:
        words = ["--workers", workers, "--trials", trials, "--seeds", seeds, "--configurations", chosen]
        run = bench.script(bench.torch, "peers/optuna_sweep.py", *words)
        run.results = run.lines()[0]
        return run

    def loop() -> Run:
        runs = [
            bench.experiment("digits_mlp", bench.scratch / "loop", "--seeds", f"0..{seeds - 1}", "--set", f"lr={rate}")
            for rate in rates
        ]
        run = Run(sum(run.wall for run in runs), sum(run.cpu for run in runs), max(run.peak_mb for run in runs))
        run.results = {"trained": trials * seeds}
        return run

    runner = Program("runner sweep", ours)
    peer = bench.peer("Optuna and PyTorch", bench.torch, optuna)
    each = Program("`runner exp` for each configuration", loop)
    run_in_turn("sweep", [runner, peer, each], bench.rounds)
    targets = {peer.name: Target(5), each.name: Target(2)}
    section = Section(f"A sweep of `digits_mlp`: {trials} learning rates, {seeds} seeds each, {bench.threads_shown()}")
    section.paragraph(
        f"The same {trials} learning rates for all. Both searches have {workers} worker processes of one thread. The seconds are those of "
        "complete commands. runner writes histories and weights; the trials of Optuna keep only the loss."
    )
    rows = [["", "seconds", "trials per minute", "× runner", "target"]]
    shown = [(runner, "", runner.wall), (peer, "", peer.wall), (peer, ", without start and imports", peer.result("seconds")), (each, "", each.wall)]
    for program, part, seconds in shown:
        if program.last:
            trained, cells = program.last.results["trained"], ["", ""]
            if program is not runner:
                for_all = seconds / (trained / (trials * seeds))
                target = None if part else targets[program.name]
                cells = section.ratio(f"{program.name}: sweep of digits_mlp, complete command", runner.wall, for_all, target)
            rows.append([program.name + part, seconds.shown(2), f"{60 * trained / seconds.median:.0f}", *cells])
    section.table(rows)
    section.note_missing([runner, peer, each])
    section.checks.append(
        Check(f"runner trained {runner.last.results['trained']} trials", runner.last.results["trained"] == trials * seeds)
    )
    if peer.last:
        best = [program.last.results["best"] for program in (runner, peer)]
        section.checks.append(Check(f"the best learning rates are {best[0]:g} and {best[1]:g}", best[0] == best[1]))
    return [section]


@dataclass(frozen=True)
class Pair:
    """`benches/NAME.rs` and `benches/NAME.py`. Each prints a line of JSON with the `seconds` of each stage and `peak_mb`, and with
    `--check` a second line with its results."""

    name: str
    title: str
    text: str
    target: Target
    stages: tuple[str, ...]  # those with the target
    is_whole: bool  # whether the complete process has the target
    allowed: float  # relative difference of the results


CSV = Pair(
    "csv_to_tensors",
    "From a CSV to resampled training tensors",
    "`creditcard.csv`, 284,807 rows: read, hold out a stratified fifth, balance the classes with SMOTE, make f32 tensors; compared with "
    "pandas, scikit-learn and imbalanced-learn. Stages start after the imports.",
    Target(2),
    ("all",),
    True,
    1e-9,  # sums in another order
)
TREE = Pair(
    "tree_fit",
    "Fitting a decision tree",
    "The training rows of `creditcard.csv`, 227,845 original rows (`plain`) and 454,902 after SMOTE (`smote`), 30 columns, a tree that "
    "grows until its leaves are pure; compared with scikit-learn.",
    Target(2.5),
    ("plain", "smote"),
    False,
    1e-6,
)


def pair(bench: Bench, spec: Pair) -> list[Section]:
    """A program of ours in `benches/`, compared with a Python script that does the same with the same file."""
    program = bench.benches.get(spec.name)
    if program is None:
        raise Failure(f"`{spec.name}` is not built: use `--bench {spec.name}=PATH`")
    csv = bench.data("creditcard") / "creditcard.csv"

    def run_ours(*flags: str) -> Run:
        return measure.run([program, csv, *flags], limit_threads(None), ROOT)

    def run_python(*flags: str) -> Run:
        return bench.script(bench.torch, f"{spec.name}.py", csv, *flags)

    def timed(act: Callable[[], Run]) -> Run:
        run = act()
        run.results = run.lines()[0]["seconds"]
        return run

    ours = Program("runner", lambda: timed(run_ours))
    python = bench.peer("Python", bench.torch, lambda: timed(run_python))
    run_in_turn(spec.name, [ours, python], bench.rounds)
    section = Section(f"{spec.title}, {bench.threads_shown()}")
    section.paragraph(spec.text)
    values = [
        ("complete process, wall, s", lambda program: program.wall, 2, spec.target if spec.is_whole else None),
        ("complete process, CPU time, s", lambda program: program.cpu, 2, None),
        ("peak memory, MB", lambda program: program.peak_mb, 0, Target(1)),
    ]
    for stage in ours.last.results:
        target = spec.target if stage in spec.stages else None
        values.append((f"{stage}, s", lambda program, stage=stage: program.result(stage), 3, target))
    rows = [["", "runner", "Python", "× runner", "target"]]
    for what, value, decimals, target in values:
        both = [value(ours), value(python)]
        shown = [spread.shown(decimals) if spread else "" for spread in both]
        rows.append([what, *shown, *section.ratio(f"{spec.name}: {what}", *both, target)])
    section.table(rows)
    section.note_missing([ours, python])
    section.paragraph(bench.built_for_cuda())
    if python.last:
        lines = [act("--check").lines() for act in (run_ours, run_python)]
        section.checks.append(same_output(lines[0][1], lines[1][1], spec.allowed))
    return [section]


def start(bench: Bench) -> list[Section]:
    """Commands that need no tensor: they should not wait for libtorch."""
    commands = [["--version"], ["--help"], ["list"], ["completions", "bash"]]
    if (bench.scratch / "mnist-ours").is_dir():
        commands.append(["runs", "--out", bench.scratch / "mnist-ours"])
    programs = []
    for words in commands:
        name = "runs" if words[0] == "runs" else " ".join(words)
        programs.append(Program(f"`runner {name}`", lambda words=words: bench.run_runner(*words)))
    ours = len(programs)
    for python, code in [] if bench.is_ours_only else [(bench.torch, "import torch"), (bench.keras, "import keras")]:
        act = lambda python=python, code=code: measure.run([python.program, "-c", code], limit_threads(bench.threads), ROOT)
        programs.append(bench.peer(f"`python -c '{code}'`", python, act))
    turns = 4 * bench.rounds  # they are short
    run_in_turn("start", programs, turns, required=ours)
    section = Section("Start-up")
    section.paragraph(f"From start to end of a command, medians of {turns} runs. {bench.built_for_cuda()}")
    rows = [["", "seconds", "target", "memory, MB"]]
    for place, program in enumerate(programs):
        if program.last:
            target = Target(0.03, is_upper=True) if place < ours else None
            cells = section.target(program.name, program.wall.median, target, unit="s")
            rows.append([program.name, program.wall.shown(3), cells[1], memory(program.peak_mb)])
    section.table(rows)
    section.note_missing(programs)
    return [section]


def phases(bench: Bench) -> list[Section]:
    """The phases of training (`runner exp --phases FILE`), and the rest of the command."""
    file = bench.scratch / "phases.json"

    def with_phases() -> Run:
        out = bench.scratch / "with-phases"
        run = bench.experiment("overfit_mnist", out, "--seed", 0, "--epochs", bench.epochs, "--phases", file)
        written = json.loads(file.read_text(encoding="utf-8"))
        epochs = written.get("epochs") or bench.epochs
        run.results = {name: seconds / epochs for name, seconds in written["phases"].items()}
        return run

    def rest(run: Run) -> float:
        return run.wall - sum(run.results["histories"][0]["history"]["seconds"])

    timed = Program("phases", with_phases)
    plain = Program("without phases", lambda: bench.overfit_mnist(1, bench.epochs, "phases"))
    run_in_turn("phases", [plain, timed], bench.rounds)
    section = Section(f"Where the time goes, {bench.threads_shown()}")
    section.paragraph(
        f"`overfit_mnist`, one seed, {bench.epochs} epochs. The phases are from runs with `--phases`, as a mean over the epochs; with "
        "several threads, of the first thread. The other values are from runs without it."
    )
    rows = [["", "value"]]
    for name in timed.last.results if timed.last else []:
        rows.append([f"{name}, s per epoch", timed.result(name).shown(4)])
    for what, value, decimals in [
        ("a steady epoch, s", plain.result("epoch"), 4),
        ("the command, s", plain.wall, 3),
        ("the command without the epochs, s", spread([rest(run) for run in plain.runs]), 3),
        ("CPU time of the command, s", plain.cpu, 3),
        ("peak memory, MB", plain.peak_mb, 0),
    ]:
        rows.append([what, value.shown(decimals) if value else ""])
    section.table(rows)
    section.note_missing([timed, plain])
    return [section]


PARTS: dict[str, Callable[[Bench], list[Section]]] = {
    "mnist": mnist,
    "layers": layers,
    "stack": stack,
    "digits": digits,
    "sweep": sweep,
    "csv": lambda bench: pair(bench, CSV),
    "tables": tables,
    "tree": lambda bench: pair(bench, TREE),
    "start": start,
    "phases": phases,
}
