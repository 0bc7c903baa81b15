"""Large tables of the user's own (`[data.csv]`), against pandas and scikit-learn."""

from __future__ import annotations

import random
from pathlib import Path

from measure import Program, Run, run_in_turn
from page import Section, Target
from same_work import Check

TARGET = Target(1.5, 2)
NUMBERS, MANY_NUMBERS = ([f"x{number}" for number in range(columns - 1)] for columns in (31, 124))
BASE = 12_000  # different rows; each is repeated with another first number
CITIES = [f"city {number:02}" for number in range(40)]


def experiment(csv: Path, texts: str) -> str:
    """A linear layer, one epoch."""
    return (
        f'title = "A large table"\n[data.csv]\npath = "{csv}"\ntarget = "y"\ntask = "classes"\n{texts}scale = "standard"\n'
        "split = { test = 0.2, validation = 0.2, random_state = 42, stratify = true }\n"
        '[network]\nlayers = [{ linear = 1 }]\n[train]\nepochs = 1\nbatch = 4096\nloss = "bce_with_logits"\noptimizer = { adam = { lr = 1e-3 } }\n'
    )


def write(path: Path, rows: int, names: list[str], fields) -> None:
    """Writes `rows` rows; `fields` returns the fields of a row after the first number, and its class."""
    draw = random.Random(0)
    base = [fields(draw) for _ in range(BASE)]
    with path.open("w", encoding="utf-8") as file:
        file.write(",".join(["first", *names, "y"]) + "\n")
        for start in range(0, rows, BASE):
            file.write("".join(f"{(start + place) * 1e-4:.6f},{row}\n" for place, row in enumerate(base)))


def numbers(draw: random.Random, normal: int = 29) -> str:
    values = [draw.gauss(0, 1) for _ in range(normal)]
    return ",".join([*(f"{value:.6f}" for value in values), f"{draw.expovariate(0.01):.2f}", str(int(sum(values[:5]) > 4))])


def texts(draw: random.Random) -> str:
    values = ["" if draw.random() < 0.05 else f"{draw.gauss(0, 1):.4f}" for _ in range(5)]
    words = ["" if draw.random() < 0.03 else draw.choice(CITIES[: 4 + 9 * column]) for column in range(5)]
    return ",".join([*values, *words, str(int(draw.random() < 0.1))])


# name: title, number of rows, names of the columns after the first, a row of them, settings, target
TABLES = {
    "numbers_small": ("300,000 rows of 31 numbers", 300_000, NUMBERS, numbers, "", None),
    "numbers": ("1,200,000 rows of 31 numbers", 1_200_000, NUMBERS, numbers, "", TARGET),
    "numbers_large": ("4,800,000 rows of 31 numbers", 4_800_000, NUMBERS, numbers, "", None),
    "numbers_wide": ("300,000 rows of 124 numbers", 300_000, MANY_NUMBERS, lambda draw: numbers(draw, 122), "", None),
    "texts": (
        "300,000 rows with five text columns and missing values",
        300_000,
        [*(f"x{number}" for number in range(5)), *(f"t{number}" for number in range(5))],
        texts,
        'missing = "mean"\nencode = "one_hot"\n',
        TARGET,
    ),
}


def tables(bench) -> list[Section]:
    """From a CSV file to tensors, and one epoch of a linear layer."""
    section = Section(f"Large tables of one's own, {bench.threads_shown()}")
    section.paragraph(
        "runner: the complete command `runner exp` with one epoch of a linear layer, with start, histories and weights. Python: pandas and "
        "scikit-learn from the file to float32 tensors, without imports and without training: `read_csv`, two stratified `train_test_split`, "
        "`SimpleImputer`, `OneHotEncoder`, `StandardScaler`."
    )
    rows = [["", "file, MB", "runner, s", "pandas and scikit-learn, s", "× runner", "target", "runner, MB", "Python, MB"]]
    seconds_of = {}  # by number of rows and of columns
    for name, (title, count, names, fields, of_texts, target) in TABLES.items():
        csv = bench.scratch / f"{name}.csv"
        write(csv, count, names, fields)
        file = bench.scratch / f"{name}.toml"
        file.write_text(experiment(csv, of_texts), encoding="utf-8")

        def ours() -> Run:
            threads = [] if bench.is_limited else ["--threads", bench.threads]
            run = bench.run_runner("exp", file, "--device", "cpu", "--quiet", "--out", bench.scratch / f"{name}-runs", *threads)
            run.results = bench.histories(bench.scratch / f"{name}-runs" / name)[0]["data"]
            return run

        def python() -> Run:
            run = bench.script(bench.torch, "peers/pandas_table.py", csv)
            run.results = run.lines()[0]
            return run

        runner = Program(f"runner, {name}", ours)
        peer = bench.peer(f"pandas and scikit-learn, {name}", bench.torch, python)
        run_in_turn(name, [runner, peer], bench.rounds)
        section.note_missing([peer])
        megabytes = f"{csv.stat().st_size / 1e6:.0f}"
        csv.unlink()
        cells = ["", "", ""]
        if peer.last:
            seconds = peer.result("seconds")
            cells = [seconds.shown(2), *section.ratio(f"pandas and scikit-learn: {title}", runner.wall, seconds, target)]
            section.checks.append(same_rows(name, runner.last.results, peer.last.results))
        if name.startswith("numbers"):
            seconds_of[count, len(names) + 1] = runner.wall.median
        memory = [runner.peak_mb.shown(0), peer.peak_mb.shown(0) if peer.last else ""]
        rows.append([title, megabytes, runner.wall.shown(2), *cells, *memory])
    section.table(rows)
    per_value = "; ".join(
        f"{1e9 * seconds / rows / columns:.0f} ns ({rows:,} × {columns})" for (rows, columns), seconds in seconds_of.items()
    )
    section.paragraph(
        f"Time of runner for each number in the table, with the start of the command: {per_value}. A cost that grows faster than rows and columns would show in this number."
    )
    return [section]


def same_rows(name: str, ours: dict, peer: dict) -> Check:
    """Whether both have the same number of rows in each part."""
    found = [ours["rows"][part] for part in ("train", "validation", "test")]
    wanted = [peer["rows"][part] for part in ("train", "validation", "test")]
    return Check(f"{name}: {found} rows, pandas and scikit-learn {wanted}", found == wanted)
