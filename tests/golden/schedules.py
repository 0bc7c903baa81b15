"""The learning rates of every schedule, and whole runs with a schedule, clipping and penalties: writes schedules.json.

    python tests/golden/schedules.py

The rates come from `torch.optim.lr_scheduler`, in float64. `lr` has an entry for each epoch, or for each step where the
schedule changes it step by step. A warm-up is written in PyTorch as two schedulers, one after the other: LinearLR, stepped
after each batch, then the other one, stepped after each epoch of the rest. ReduceLROnPlateau sees the made-up values of
`metric`, one after each epoch; `lr[e]` is the rate that epoch e used.

The runs train scikit-learn's digits by the house rule (see house.py). The penalty l1 · Σ|w| + l2 · Σw² on the matrices is
added to the loss that is differentiated, and left out of the one that is reported.
"""

import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.optim import lr_scheduler

import house

LR = 0.1


def optimizer():
    return torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=LR)


def rates(make_scheduler, count):
    """The rate in use at each of `count` steps of the scheduler."""
    steps = optimizer()
    scheduler = make_scheduler(steps)
    used = []
    for _ in range(count):
        used.append(steps.param_groups[0]["lr"])
        steps.step()
        scheduler.step()
    return used


def plateau_rates(values, **options):
    """The rate that each epoch used, when it ended with this value of the metric."""
    steps = optimizer()
    scheduler = lr_scheduler.ReduceLROnPlateau(steps, **options)
    used = []
    for value in values:
        used.append(steps.param_groups[0]["lr"])
        scheduler.step(value)
    return used


# Falls, rests, falls by too little to count, rises, has a NaN, falls again.
FALLING = [1.0, 0.8, 0.7, 0.7, 0.71, 0.69999, 0.75, 0.6, 0.61, float("nan"), 0.62, 0.63, 0.5, 0.5, 0.5, 0.5, 0.5]
FALLING += [0.5, 0.51, 0.52, 0.53, 0.54, 0.4, 0.41, 0.42, 0.43]
RISING = [1.0 - value / 2 for value in FALLING if value == value]


def one_cycle(steps, **options):
    options = {"max_lr": LR, "pct_start": 0.3, "div_factor": 25.0, "final_div_factor": 1e4} | options
    return rates(lambda o: lr_scheduler.OneCycleLR(o, total_steps=steps, cycle_momentum=False, **options), steps)


def warm_up(epochs, steps):
    total = epochs * steps
    return rates(lambda o: lr_scheduler.LinearLR(o, start_factor=1 / total, total_iters=total - 1), total)


def cases():
    """(name, schedule as the experiment file has it, epochs, steps of an epoch, rates, values of the metric)."""
    plain = [
        ("step", {"step": {"every": 7}}, lambda o: lr_scheduler.StepLR(o, 7)),
        ("step_gamma", {"step": {"every": 1, "gamma": 0.9}}, lambda o: lr_scheduler.StepLR(o, 1, 0.9)),
        ("exponential", {"exponential": 0.95}, lambda o: lr_scheduler.ExponentialLR(o, 0.95)),
        ("cosine", {"cosine": {}}, lambda o: lr_scheduler.CosineAnnealingLR(o, 25)),
        ("cosine_min_lr", {"cosine": {"min_lr": 0.01}}, lambda o: lr_scheduler.CosineAnnealingLR(o, 25, 0.01)),
    ]
    for name, schedule, make in plain:
        yield name, schedule, 25, 1, rates(make, 25), None

    yield "one_cycle", {"one_cycle": {"max_lr": 0.1}}, 6, 5, one_cycle(30), None
    yield "one_cycle_of_optimizers_lr", {"one_cycle": {}}, 7, 3, one_cycle(21), None
    options = {"max_lr": 0.5, "pct_start": 0.45, "div_factor": 10.0, "final_div_factor": 100.0}
    yield "one_cycle_options", {"one_cycle": options}, 5, 7, one_cycle(35, **options), None
    yield "one_cycle_short", {"one_cycle": {"max_lr": 1.0}}, 2, 1, one_cycle(2, max_lr=1.0), None

    rest = rates(lambda o: lr_scheduler.CosineAnnealingLR(o, 6), 6)
    steps = warm_up(2, 4) + [rate for rate in rest for _ in range(4)]
    yield "warm_up_then_cosine", {"warm_up": {"epochs": 2, "then": {"cosine": {}}}}, 8, 4, steps, None
    steps = warm_up(3, 5) + [LR] * 15
    yield "warm_up", {"warm_up": 3}, 6, 5, steps, None

    for name, mode, values, options in [
        ("plateau", "min", FALLING, {"patience": 2}),
        ("plateau_no_patience", "min", FALLING, {"patience": 0, "factor": 0.5}),
        ("plateau_cooldown", "min", FALLING, {"patience": 1, "factor": 0.5, "cooldown": 2, "min_lr": 0.01}),
        ("plateau_threshold", "min", FALLING, {"patience": 1, "factor": 0.5, "threshold": 0.2}),
        ("plateau_rising", "max", RISING, {"patience": 1, "factor": 0.3}),
    ]:
        used = plateau_rates(values, mode=mode, **options)
        metric = {"mode": mode, "values": ["nan" if value != value else value for value in values]}
        yield name, {"reduce_on_plateau": options}, len(values), 1, used, metric


# ---------------------------------------------------------------- whole runs

EPOCHS, BATCH, L1, L2 = 4, 64, 1e-4, 1e-3


def run(seed, make_optimizer, clip, make_scheduler=None):
    """The loss of the data by epoch, and the learning rate of each epoch's last step."""
    digits = load_digits()
    x, y = torch.tensor(digits.data / 16, dtype=torch.float32), torch.tensor(digits.target)
    network = house.build(seed, lambda: nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10)))
    steps = make_optimizer(network.parameters())
    scheduler = make_scheduler(steps, EPOCHS * len(x[::BATCH])) if make_scheduler else None
    matrices = [p for p in network.parameters() if p.dim() >= 2]
    history = {"loss": [], "lr": []}
    for epoch in range(1, EPOCHS + 1):
        torch.manual_seed(seed * 1_000_003 + epoch)
        loss_sum = 0.0
        for rows in torch.randperm(len(x)).split(BATCH):
            loss = nn.functional.cross_entropy(network(x[rows]), y[rows])
            penalty = sum(L1 * w.abs().sum() + L2 * w.square().sum() for w in matrices)
            steps.zero_grad()
            (loss + penalty).backward()
            clip(network.parameters())
            lr = steps.param_groups[0]["lr"]
            steps.step()
            if scheduler is not None:
                scheduler.step()
            loss_sum += loss.item() * len(rows)
        history["loss"].append(loss_sum / len(x))
        history["lr"].append(lr)
    return history


def runs():
    """(name, the settings of `[train]`, history)."""
    yield (
        "sgd_one_cycle_clip_norm",
        {
            "optimizer": {"sgd": {"lr": 0.1, "momentum": 0.9}},
            "schedule": {"one_cycle": {"max_lr": 0.3, "cycle_momentum": False}},
            "clip": {"norm": 0.5},
        },
        run(
            0,
            lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9),
            lambda p: nn.utils.clip_grad_norm_(p, 0.5),
            lambda o, steps: lr_scheduler.OneCycleLR(o, 0.3, total_steps=steps, cycle_momentum=False),
        ),
    )
    yield (
        "adagrad_clip_value",
        {"optimizer": {"adagrad": {"lr": 0.05}}, "clip": {"value": 0.01}},
        run(0, lambda p: torch.optim.Adagrad(p, lr=0.05), lambda p: nn.utils.clip_grad_value_(p, 0.01)),
    )


if __name__ == "__main__":
    torch.set_num_threads(1)
    house.write_fixture(
        "schedules.json",
        __file__,
        {
            "lr": LR,
            "runs": {
                "data": "sklearn.load_digits, all 1797 rows, values / 16 as float32",
                "network": "Linear(64, 32), ReLU, Linear(32, 10)",
                "loss": "CrossEntropyLoss",
                "penalty": {"l1": L1, "l2": L2},
                "epochs": EPOCHS,
                "batch": BATCH,
                "seed": 0,
                "threads": 1,
            },
        },
        cases=[
            {"name": name, "schedule": schedule, "epochs": epochs, "steps": steps, "lr": lr, "metric": metric}
            for name, schedule, epochs, steps, lr, metric in cases()
        ],
        runs=[{"name": name, "train": train, "history": history} for name, train, history in runs()],
    )
