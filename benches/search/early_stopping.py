"""Searches that spend few epochs: writes `../early_stopping.md`, the section of docs/BENCHMARKS.md.

    python benches/search/early_stopping.py --runner PATH [--rounds 3] [--halving-rounds N] [--first-seed 3] [--epochs 720]

Two comparisons on MNIST with the space of `../halving.toml` (learning rate, weight decay, dropout, label smoothing), with two worker
processes of one thread each. In each round, the programs run one after the other on an otherwise idle machine:

- runner's sweep of 64 configurations with two seeds, complete and with halving;
- runner's search with a Gaussian process, 28 configurations with one seed, and Optuna's TPE with Hyperband and PyTorch
  (`../peers/optuna_hyperband.py`), which trains `--epochs` epochs. Both judge a trial by its highest validation accuracy.

Each round has another seed of the search, counted from `--first-seed`. The best configuration of each search is then trained on ten
other seeds, 100 to 109, by runner; the accuracy is that of the best epoch of each. It needs the packages of `requirements-torch.txt`.
"""

import argparse
import importlib.metadata
import json
import statistics
import subprocess
import sys
import tempfile
import time
from itertools import product
from pathlib import Path

BENCHES = Path(__file__).parent.parent
sys.path.insert(0, str(BENCHES / "harness"))

from page import first_line, table  # noqa: E402

SPACE = {
    "lr": "train.optimizer.adam.lr",
    "weight_decay": "train.optimizer.adam.weight_decay",
    "dropout": "network.layers.2.dropout.p",
    "label_smoothing": "train.loss.cross_entropy.label_smoothing",
}
WORKERS = ["--workers", "2", "--threads", "1"]
HALVING = ["--halving", "first=2,keep=0.333"]
SEARCH = ["--method", "gp", "--round", "2", "--seeds", "0", "--trials", "28"]


class Searches:
    def __init__(self, runner: Path, scratch: Path):
        self.runner, self.scratch, self.file = runner, scratch, BENCHES / "halving.toml"

    def run(self, *words: str) -> str:
        done = subprocess.run([self.runner, *words], capture_output=True, text=True, cwd=self.scratch)
        if done.returncode != 0:
            sys.exit(done.stderr)
        return done.stdout

    def sweep(self, name: str, *words: str) -> dict:
        """Seconds of the complete command, number of epochs, and the experiment file of the best configuration."""
        start = time.perf_counter()
        self.run("sweep", self.file, *words, *WORKERS, "--quiet", "--device", "cpu", "--out", name)
        seconds = time.perf_counter() - start
        folder = max((self.scratch / name / "halving").glob("20*"))
        histories = [json.loads(file.read_text(encoding="utf-8")) for file in folder.glob("stacks/*/*-seed*.json")]
        best = Path(tempfile.mkdtemp(dir=self.scratch)) / "best.toml"
        self.run("sweep", "best", folder, "--toml", best)
        return {"seconds": seconds, "epochs": sum(len(h["history"]["loss"]) for h in histories), "best": (best, {})}

    def optuna(self, epochs: int, seed: int) -> dict:
        script, images = BENCHES / "peers" / "optuna_hyperband.py", self.run("data", "path", "mnist").strip()
        words = ["--idx-dir", images, "--epochs", str(epochs), "--workers", "2", "--seed", str(seed)]
        done = subprocess.run([sys.executable, script, *words], capture_output=True, text=True, check=True)
        found = json.loads(done.stdout.splitlines()[-1])
        return {**found, "best": (self.file, {key: found["best"][name] for name, key in SPACE.items()})}

    def confirm(self, file: Path, settings: dict) -> list[float]:
        """The best validation accuracies of the seeds 100 to 109, with an experiment file and changes of it."""
        words = [word for key, value in settings.items() for word in ("--set", f"{key}={value}")]
        out = tempfile.mkdtemp(dir=self.scratch)
        self.run("exp", file, "--seeds", "100..109", "--quiet", "--device", "cpu", "--threads", "2", "--out", out, *words)
        histories = sorted(Path(out).glob("*/20*/*-seed*.json"))
        return [json.loads(file.read_text(encoding="utf-8"))["best"]["val_acc"] for file in histories]


def mean_with_deviation(values: list[float]) -> str:
    return f"{statistics.mean(values):.4f} ± {statistics.stdev(values):.4f}"


def permutation_p(ours: list[float], other: list[float]) -> float:
    """The two-sided p-value of a paired permutation test of the mean difference, over all changes of sign."""
    differences = [a - b for a, b in zip(ours, other)]
    found = abs(sum(differences)) - 1e-12
    sums = [abs(sum(sign * one for sign, one in zip(signs, differences))) for signs in product((1, -1), repeat=len(differences))]
    return sum(one >= found for one in sums) / len(sums)


def rows_of(rounds: list[tuple[dict, dict]], names: tuple[str, str]) -> list[list[str]]:
    rows = [["round", "search", "seconds", "epochs", "confirmed val_acc", "paired p"]]
    for number, (ours, other) in enumerate(rounds, start=1):
        p = f"{permutation_p(ours['confirmed'], other['confirmed']):.3f}"
        for name, one, p in ((names[0], ours, ""), (names[1], other, p)):
            row = [str(number), name, f"{one['seconds']:.1f}", str(one["epochs"]), mean_with_deviation(one["confirmed"]), p]
            rows.append(row)
    return rows


def median_share(rounds: list[tuple[dict, dict]], key: str) -> float:
    return statistics.median(ours[key] / other[key] for ours, other in rounds)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runner", type=Path, required=True, help="the program")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--halving-rounds", type=int, help="number of rounds of the comparison with halving (default: as --rounds)")
    parser.add_argument("--first-seed", type=int, default=3, help="seed of the search in the first round")
    parser.add_argument("--epochs", type=int, default=720, help="number of epochs of a search with Optuna")
    arguments = parser.parse_args()
    halving, peer = [], []
    with tempfile.TemporaryDirectory(prefix="runner-search-") as scratch:
        searches = Searches(arguments.runner.resolve(), Path(scratch))
        for number in range(arguments.rounds):
            seed = arguments.first_seed + number
            of_seed = ["--search-seed", str(seed)]
            # the workers of Optuna have the seeds 2s and 2s + 1
            pairs = [(peer, searches.sweep("gp", *SEARCH, *of_seed), searches.optuna(arguments.epochs, 2 * seed))]
            if number < (arguments.halving_rounds or arguments.rounds):
                pairs.append((halving, searches.sweep("halved", *HALVING, *of_seed), searches.sweep("complete", *of_seed)))
            for rounds, *both in pairs:
                for one in both:
                    one["confirmed"] = searches.confirm(*one["best"])
                    print(json.dumps(one, default=str), file=sys.stderr, flush=True)
                rounds.append(tuple(both))
        version = searches.run("--version").split("\n")[0]
    cpu = first_line("sh", "-c", "lscpu | sed -n 's/^Model name: *//p'")
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in ("optuna", "torch"))
    means = [statistics.mean(statistics.mean(one["confirmed"]) for one in side) for side in zip(*peer)]
    text = f"""## Searches that spend few epochs

On MNIST, over the learning rate, weight decay, dropout and label smoothing, with at most 18 epochs for each trial and two workers of one thread. The best configuration of each search is trained on ten further seeds; the confirmed validation accuracy is their mean ± standard deviation, and p that of a paired permutation test. Each round has another seed of the search. Made by `benches/search/early_stopping.py` on {cpu} with {version}, {versions}; complete commands of runner, Optuna without start, imports and loading.

64 configurations with two seeds each, complete and with `--halving first=2,keep=0.333`. With halving, a sweep takes {100 * median_share(halving, "epochs"):.0f} % of the epochs and {100 * median_share(halving, "seconds"):.0f} % of the time (medians; at most 35 % and 45 % are expected).

{table(rows_of(halving, ("runner, halving", "runner, complete")))}
A Gaussian process, and TPE with Hyperband. Optuna trains {arguments.epochs} epochs. runner trains 28 configurations to the end, `--method gp --round 2`, and takes the best one. Optuna takes {1 / median_share(peer, "seconds"):.2f} times as long as runner (median; at least 5 is expected). Over all rounds, the confirmed accuracy of runner is {means[0]:.4f} and that of Optuna {means[1]:.4f}.

{table(rows_of(peer, ("runner, Gaussian process", "Optuna, TPE with Hyperband")))}"""
    (BENCHES / "early_stopping.md").write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
