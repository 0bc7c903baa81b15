"""Simple regret of search methods: writes `../regret.md`, the section of docs/BENCHMARKS.md, from functions and recorded tables.

    python benches/search/regret.py --program PATH [--repetitions 20] [--method NAME] [--quick]

PATH is the program of `search_regret.rs` (see README.md). The simple regret of a search is the best value that it has found minus the
minimum of the function. All methods get the same functions with the same seeds 0, 1, 2, …: TPE of runner with rounds of one and of
eight configurations, its Gaussian process, its Sobol sequence and its random search, and Optuna's TPE (multivariate; in groups where the space is
conditional). The tables `*.csv` beside this file are grids that `runner sweep --method grid` has trained (see README.md).
"""

import argparse
import csv
import json
import math
import statistics
import subprocess
import time
import warnings
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import optuna

HERE = Path(__file__).parent
AT = (32, 64)

optuna.logging.set_verbosity(optuna.logging.ERROR)
warnings.simplefilter("ignore")


# ---------------------------------------------------------------- functions


def branin(s):
    x, y = s["x1"], s["x2"]
    value = (y - 5.1 * x * x / (4 * math.pi**2) + 5 * x / math.pi - 6) ** 2
    return value + 10 * (1 - 1 / (8 * math.pi)) * math.cos(x) + 10


H6_ALPHA = [1.0, 1.2, 3.0, 3.2]
H6_A = [[10, 3, 17, 3.5, 1.7, 8], [0.05, 10, 17, 0.1, 8, 14], [3, 3.5, 1.7, 10, 17, 8], [17, 8, 0.05, 10, 0.1, 14]]
H6_P = [
    [0.1312, 0.1696, 0.5569, 0.0124, 0.8283, 0.5886],
    [0.2329, 0.4135, 0.8307, 0.3736, 0.1004, 0.9991],
    [0.2348, 0.1451, 0.3522, 0.2883, 0.3047, 0.6650],
    [0.4047, 0.8828, 0.8732, 0.5743, 0.1091, 0.0381],
]


def hartmann6(s):
    x = [s[f"x{i}"] for i in range(1, 7)]
    inner = (sum(a * (xi - p) ** 2 for a, xi, p in zip(row, x, center)) for row, center in zip(H6_A, H6_P))
    return -sum(alpha * math.exp(-each) for alpha, each in zip(H6_ALPHA, inner))


def rosenbrock(s):
    x = [s[f"x{i}"] for i in range(1, 5)]
    return sum(100 * (b - a * a) ** 2 + (1 - a) ** 2 for a, b in zip(x, x[1:]))


def ackley(s):
    x = [s[f"x{i}"] for i in range(1, 6)]
    squares, waves = sum(v * v for v in x) / 5, sum(math.cos(2 * math.pi * v) for v in x) / 5
    return -20 * math.exp(-0.2 * math.sqrt(squares)) - math.exp(waves) + 20 + math.e


def levy(s):
    w = [1 + (s[f"x{i}"] - 1) / 4 for i in range(1, 6)]
    middle = sum((v - 1) ** 2 * (1 + 10 * math.sin(math.pi * v + 1) ** 2) for v in w[:-1])
    return math.sin(math.pi * w[0]) ** 2 + middle + (w[-1] - 1) ** 2 * (1 + math.sin(2 * math.pi * w[-1]) ** 2)


def conditional(s):
    """The loss of an imagined network: each optimizer has its own best rate, and one of them a momentum of its own."""
    kind, lr = s["kind"], s["lr"]
    best = {"adam": -2.5, "sgd": -1.0, "rmsprop": -3.5}[kind] + 0.15 * math.log2(s["units"] / 64)
    loss = {"adam": 0.1, "sgd": 0.2, "rmsprop": 0.3}[kind] + (math.log10(lr) - best) ** 2
    loss += 0.05 * (math.log2(s["units"]) - 7) ** 2 + 2 * (s["dropout"] - 0.2) ** 2
    if kind == "sgd":
        loss += 0.5 * (s["momentum"] - 0.9) ** 2 - 0.2
    if kind == "adam":
        loss += 0.1 * (s["beta"] - 3) ** 2
    return loss


# ---------------------------------------------------------------- spaces


def real(low, high, log=False):
    return {"log": [low, high]} if log else {"float": [low, high]}


def plain(count, low, high):
    return [entry(f"x{i}", real(low, high)) for i in range(1, count + 1)]


def entry(key, values, **conditions):
    found = {"keys": [key], "values": {"one": values}}
    if conditions:
        found["conditions"] = [{"key": other, "values": allowed} for other, allowed in conditions.items()]
    return found


class Table:
    """A grid that was trained: each row has values and the mean of the metric."""

    def __init__(self, name):
        with (HERE / f"{name}.csv").open(encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        self.keys = [key for key in rows[0] if key not in ("value", "std")]
        number = lambda text: float(text) if any(c in text for c in ".e") else int(text)
        rows = [({key: number(row[key]) for key in self.keys}, float(row["value"])) for row in rows]
        self.values = {tuple(values[key] for key in self.keys): value for values, value in rows}
        self.space = [entry(key, sorted({values[key] for values, _ in rows})) for key in self.keys]
        self.minimum = min(value for value in self.values.values() if math.isfinite(value))

    def __call__(self, s):
        value = self.values[tuple(s[key] for key in self.keys)]
        return value if math.isfinite(value) else None


CONDITIONAL = [
    entry("kind", ["adam", "sgd", "rmsprop"]),
    entry("lr", real(1e-5, 1.0, log=True)),
    entry("units", {"int": [8, 512], "log": True}),
    entry("dropout", {"float": [0.0, 0.5], "step": 0.05}),
    entry("momentum", real(0.0, 0.99), kind=["sgd"]),
    entry("beta", {"int": [1, 5]}, kind=["adam"]),
]
FUNCTIONS = {
    "Branin, 2": (branin, [entry("x1", real(-5.0, 10.0)), entry("x2", real(0.0, 15.0))], 0.39788735772973816),
    "Hartmann, 6": (hartmann6, plain(6, 0.0, 1.0), -3.322368011415515),
    "Rosenbrock, 4": (rosenbrock, plain(4, -2.048, 2.048), 0.0),
    "Ackley, 5": (ackley, plain(5, -32.768, 32.768), 0.0),
    "Levy, 5": (levy, plain(5, -10.0, 10.0), 0.0),
    # the minima are at 128 units; the best rates are below 1
    "conditional, 6 mixed": (conditional, CONDITIONAL, 0.0),
}
TABLES = ("digits_mlp", "sweep_capacity")
METHODS = {
    "runner, GP, rounds of 1": ("gp", 1),
    "runner, GP, rounds of 4": ("gp", 4),
    "runner, TPE, rounds of 1": ("tpe", 1),
    "runner, TPE, rounds of 8": ("tpe", 8),
    "Optuna, TPE": ("optuna", 1),
    "runner, Sobol": ("sobol", 1),
    "runner, random": ("random", 1),
}


def problem(name):
    if name in FUNCTIONS:
        return FUNCTIONS[name]
    table = Table(name)
    return table, table.space, table.minimum


# ---------------------------------------------------------------- searches


def of_runner(program, function, space, method, size, trials, seed):
    """The values of all configurations in their order."""
    process = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)
    search = {"space": space, "method": method, "round": size, "trials": trials, "seed": seed}
    process.stdin.write(json.dumps(search) + "\n")
    values = []
    while (sets := json.loads(process.stdout.readline())) is not None:
        new = [function(s) for s in sets]
        values += new
        process.stdin.write(json.dumps(new) + "\n")
    process.stdin.close()
    if process.wait() != 0:
        raise SystemExit(f"{program} failed")
    return values


def suggest(trial, key, values):
    if isinstance(values, list):
        return trial.suggest_categorical(key, values)
    low, high = values.get("int") or values.get("float") or values["log"]
    if "int" in values:
        return trial.suggest_int(key, low, high, log=values.get("log", False))
    return trial.suggest_float(key, low, high, step=values.get("step"), log="float" not in values)


def of_optuna(function, space, trials, seed):
    has_conditions = any("conditions" in one for one in space)
    sampler = optuna.samplers.TPESampler(multivariate=True, group=has_conditions, seed=seed)
    values = []

    def objective(trial):
        s = {}
        for one in space:
            conditions = one.get("conditions", [])
            if all(s[condition["key"]] in condition["values"] for condition in conditions):
                s[one["keys"][0]] = suggest(trial, one["keys"][0], one["values"]["one"])
        values.append(function(s))
        if values[-1] is None:
            raise optuna.TrialPruned  # a failed trial would not be seen at all
        return values[-1]

    optuna.create_study(sampler=sampler).optimize(objective, n_trials=trials)
    return values


def can_search(method, name):
    """Whether a method can search the space of a function: a Gaussian process needs values of all settings."""
    return METHODS[method][0] != "gp" or not any("conditions" in one for one in problem(name)[1])


def regrets(task):
    """The regret of one search at each number of evaluations."""
    program, name, method, seed = task
    function, space, minimum = problem(name)
    kind, size = METHODS[method]
    values = (
        of_optuna(function, space, max(AT), seed)
        if kind == "optuna"
        else of_runner(program, function, space, kind, size, max(AT), seed)
    )
    assert len(values) == max(AT), f"{name}, {method}: {len(values)} values"
    best = lambda count: min(value for value in values[:count] if value is not None)
    return [best(count) - minimum for count in AT]


# ---------------------------------------------------------------- page


def shown(value):
    return f"{value:.2g}" if 0.001 <= abs(value) < 100 else f"{value:.0f}" if abs(value) >= 100 else f"{value:.1e}" if value else "0"


def cell(values):
    low, middle, high = statistics.quantiles(values, n=4, method="inclusive")
    return f"{shown(middle)} ({shown(low)}–{shown(high)})", middle


def table(rows):
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    align = lambda place, text: f"{text:{'<' if place == 0 else '>'}{widths[place]}}"
    rule = "|" + "".join("-" * (width + 2) + "|" if place == 0 else "-" * (width + 1) + ":|" for place, width in enumerate(widths))
    lines = ["| " + " | ".join(align(place, text) for place, text in enumerate(row)) + " |" for row in rows]
    return "\n".join([lines[0], rule, *lines[1:]])


def beside_optuna(found):
    """Where the medians of runner's TPE are beside the quartiles of Optuna's."""
    sentences = []
    for method in ("runner, TPE, rounds of 1", "runner, TPE, rounds of 8"):
        counts = {"better": 0, "between": 0, "worse": 0}
        for name in dict.fromkeys(name for name, _ in found):
            for place in range(len(AT)):
                middle = statistics.median(run[place] for run in found[name, method])
                low, _, high = statistics.quantiles([run[place] for run in found[name, "Optuna, TPE"]], n=4, method="inclusive")
                counts["better" if middle < low else "worse" if middle > high else "between"] += 1
        size = method.rsplit(" ", 1)[1]
        sentences.append(
            f"Of the {sum(counts.values())} medians with rounds of {size}, {counts['between']} are between the quartiles of Optuna's TPE, "
            f"{counts['better']} better and {counts['worse']} worse."
        )
    return " ".join(sentences)


def page(found, repetitions):
    text = (
        "## Search methods: simple regret\n\n"
        "The best value that a search has found minus the minimum of the function: the median of "
        f"{repetitions} repetitions with the seeds 0 to {repetitions - 1}, with the quartiles in parentheses; the best median of a row "
        "is bold. `digits_mlp` and `sweep_capacity` are grids that runner has trained, 576 and 500 configurations with two seeds each; "
        "their regret is that of the mean validation loss. Rounds of 4 and 8 know the results of complete earlier rounds only; "
        "rounds of 1 and Optuna know all earlier results. runner starts with 10 Sobol points (12 with rounds of 4, 16 with rounds of 8), "
        f"Optuna with 10 random ones. GP is the Gaussian process, which cannot search conditional spaces. {beside_optuna(found)}\n\n"
        f"Made by `benches/search/regret.py` with Optuna {optuna.__version__}; no times are measured, so it need not run on a quiet "
        "machine.\n"
    )
    for place, count in enumerate(AT):
        rows = [["function, dimensions", *METHODS]]
        for name in dict.fromkeys(name for name, _ in found):
            cells = [
                cell([run[place] for run in found[name, method]]) if (name, method) in found else ("–", math.inf) for method in METHODS
            ]
            best = min(middle for _, middle in cells)
            rows.append([name, *(f"**{text}**" if middle == best else text for text, middle in cells)])
        text += f"\nAfter {count} evaluations:\n\n{table(rows)}\n"
    return text


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--program", help="the program of search_regret.rs")
    parser.add_argument("--recorded", action="store_true", help="write the page from regret.jsonl")
    parser.add_argument("--repetitions", type=int, default=20)
    parser.add_argument("--only", action="append", help="a function")
    parser.add_argument("--method", action="append", choices=list(METHODS), help="measure this method; others are those of regret.jsonl")
    parser.add_argument("--quick", action="store_true", help="two repetitions, nothing is written")
    parser.add_argument("--processes", type=int, default=2)
    arguments = parser.parse_args()
    repetitions = 2 if arguments.quick else arguments.repetitions
    lines = [json.loads(line) for line in (HERE / "regret.jsonl").read_text(encoding="utf-8").splitlines()]
    found = {(line["function"], line["method"]): line["regret"] for line in lines}
    if arguments.recorded:
        (HERE.parent / "regret.md").write_text(page(found, len(lines[0]["regret"])), encoding="utf-8")
        return
    if not arguments.program:
        parser.error("--program is missing")
    names = arguments.only or [*FUNCTIONS, *TABLES]
    started = time.monotonic()
    methods = arguments.method or METHODS
    pairs = [(name, method) for name in names for method in methods if can_search(method, name)]
    tasks = [(arguments.program, name, method, seed) for name, method in pairs for seed in range(repetitions)]
    found = {pair: runs for pair, runs in found.items() if arguments.method and pair not in pairs}
    with ProcessPoolExecutor(arguments.processes) as pool:
        for (_, name, method, _), result in zip(tasks, pool.map(regrets, tasks, chunksize=4)):
            found.setdefault((name, method), []).append(result)
    text = page(found, repetitions)
    if arguments.quick or arguments.only:
        print(text)
        return
    (HERE.parent / "regret.md").write_text(text, encoding="utf-8")
    with (HERE / "regret.jsonl").open("w", encoding="utf-8") as file:
        for (name, method), runs in found.items():
            file.write(json.dumps({"function": name, "method": method, "at": AT, "regret": runs}) + "\n")
    print(f"wrote benches/regret.md after {time.monotonic() - started:.0f} s")


if __name__ == "__main__":
    main()
