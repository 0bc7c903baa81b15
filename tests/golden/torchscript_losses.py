"""Losses and metrics written in PyTorch, exported as TorchScript, and networks trained with them; `runner` repeats the curves.

    python tests/golden/torchscript_losses.py      torchscript/*.pt and torchscript_losses.json

A focal loss of classes returns a scalar, a Huber loss of numbers a value for each row, which has a weight, and an asymmetric
loss of labels a scalar. Training uses the Python modules, not the exported ones. Further files are losses and metrics that
`runner` refuses.
"""

import csv
import io

import numpy as np
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn
from torch.nn import functional as F

import house
from torchscript import save


class Focal(nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("alpha", torch.linspace(0.5, 1.5, 10))

    def forward(self, output, target):
        log_p = F.log_softmax(output, dim=1).gather(1, target.unsqueeze(1)).squeeze(1)
        return (-self.alpha[target] * (1 - log_p.exp()) ** 2 * log_p).mean()


class OwnHuber(nn.Module):
    def forward(self, output, target):
        return F.huber_loss(output, target, reduction="none", delta=0.3).squeeze(1)


class Asymmetric(nn.Module):
    def forward(self, output, target):
        p = output.sigmoid()
        return -(target * p.log() + 0.5 * (1 - target) * p**2 * (1 - p).log()).mean()


class Dice(nn.Module):
    """Soft Dice coefficient, the mean over the classes."""

    def forward(self, output, target):
        p = output.softmax(1)
        truth = F.one_hot(target, output.shape[1]).to(p.dtype)
        return (2 * (p * truth).sum(0) / (p.sum(0) + truth.sum(0))).mean()


class Within(nn.Module):
    """Share of rows whose error is at most 0.5."""

    def forward(self, output, target) -> float:
        return ((output - target).abs() <= 0.5).float().mean().item()


class OneArgument(nn.Module):
    def forward(self, output):
        return output.mean()


class Matrix(nn.Module):
    def forward(self, output, target):
        return output - F.one_hot(target, output.shape[1])


class Wrong(nn.Module):
    """An accuracy: it has no gradient."""

    def forward(self, output, target):
        return (output.argmax(1) != target).float().mean()


class Counting(nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("calls", torch.zeros(1))

    def forward(self, output, target):
        self.calls += 1
        return F.cross_entropy(output, target) * self.calls.mean()


class Failing(nn.Module):
    def forward(self, output, target):
        return F.mse_loss(output, target.unsqueeze(1).expand(-1, 3).float())


class Noisy(nn.Module):
    def forward(self, output, target):
        return F.cross_entropy(output + 0.1 * torch.randn_like(output), target)


def mlp(inputs, hidden, outputs):
    return lambda: nn.Sequential(nn.Linear(inputs, hidden), nn.Tanh(), nn.Linear(hidden, outputs))


def total(losses, weights):
    """A loss, or the weighted mean of the losses of the rows."""
    return (losses * weights).sum() / weights.sum() if losses.dim() else losses


def fit(make_network, loss, metric, seed, batch, train, validation):
    """Trains by the house rule; `train` and `validation` are features, targets and weights."""
    network = house.build(seed, make_network)
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-2)
    names = ["loss", "val_loss"] + (["metric", "val_metric"] if metric else [])
    history = {name: [] for name in names}
    x, y, weights = train
    for epoch in range(1, 6):
        torch.manual_seed(seed * 1_000_003 + epoch)
        order = torch.randperm(len(x))
        outputs, loss_sum = [], 0.0
        for rows in order.split(batch):
            output = network(x[rows])
            value = total(loss(output, y[rows]), weights[rows])
            optimizer.zero_grad()
            value.backward()
            optimizer.step()
            outputs.append(output.detach())
            loss_sum += value.item() * weights[rows].double().sum().item()
        history["loss"].append(loss_sum / weights.double().sum().item())
        with torch.no_grad():
            output = network(validation[0])
            history["val_loss"].append(total(loss(output, validation[1]), validation[2]).item())
            if metric:
                history["metric"].append(float(metric(torch.cat(outputs), y[order])))
                history["val_metric"].append(float(metric(output, validation[1])))
    return history


def split(*arrays, **options):
    parts = train_test_split(*arrays, test_size=0.25, random_state=7, **options)
    tensors = [torch.tensor(part) for part in parts]
    return tensors[::2], tensors[1::2]


def focal():
    digits = load_digits()
    x = digits.data.astype(np.float32) / 16
    ones = np.ones(len(x), dtype=np.float32)
    parts = split(x, digits.target, ones, stratify=digits.target)
    runs = [fit(mlp(64, 16, 10), Focal(), Dice(), seed, 64, *parts) for seed in (0, 1)]
    return {"name": "focal", "file": "focal.pt", "seeds": [0, 1], "histories": runs}


def table(rows, columns):
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([columns, *rows])
    return text.getvalue()


def huber():
    random = np.random.default_rng(3)
    x = random.normal(size=(120, 4)).round(2)
    y = (x @ [1.0, -0.5, 0.25, 0.0] + 0.5 * random.standard_t(2, size=120)).round(2)
    weights = random.integers(1, 5, size=120)
    text = table([[*row, number, weight] for row, number, weight in zip(x.tolist(), y.tolist(), weights.tolist())], [*"abcdyw"])
    parts = split(x.astype(np.float32), y[:, None].astype(np.float32), weights.astype(np.float32))
    runs = [fit(mlp(4, 8, 1), OwnHuber(), Within(), 0, 16, *parts)]
    return {"name": "huber", "file": "ownhuber.pt", "seeds": [0], "table": text, "histories": runs}


def labels():
    random = np.random.default_rng(4)
    x = random.normal(size=(120, 4)).round(2)
    y = np.stack([x[:, 0] + x[:, 1] > 0.5, x[:, 2] > 0], axis=1).astype(np.float32)
    text = table([[*row, int(a), int(b)] for row, (a, b) in zip(x.tolist(), y.tolist())], [*"abcdyz"])
    parts = split(x.astype(np.float32), y, np.ones(120, dtype=np.float32))
    runs = [fit(mlp(4, 8, 2), Asymmetric(), None, 0, 16, *parts)]
    return {"name": "labels", "file": "asymmetric.pt", "seeds": [0], "table": text, "histories": runs}


if __name__ == "__main__":
    torch.set_num_threads(1)
    modules = [Focal(), OwnHuber(), Asymmetric(), Dice(), Within()]
    for module in modules + [OneArgument(), Matrix(), Wrong(), Counting(), Failing(), Noisy()]:
        save(module, house.HERE / "torchscript" / f"{type(module).__name__.lower()}.pt")
    settings = {"optimizer": "Adam(lr=1e-2)", "epochs": 5, "split": "a quarter is for validation, random_state 7"}
    house.write_fixture("torchscript_losses.json", __file__, settings, cases=[focal(), huber(), labels()])
