"""`one_cycle` with its momentum: writes one_cycle.json.

    python tests/golden/one_cycle.py

`cases` are steps on six numbers with the gradients of optimizers.py, under `OneCycleLR`: the learning rate and the momentum
of each step as the optimizer's group has them, and the numbers after each step. `runs` train scikit-learn's digits by the
house rule (see house.py), with `clip` for the run that no fused training takes.
"""

import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.optim.lr_scheduler import OneCycleLR

import house
from optimizers import START, gradient

LR = 0.1
EPOCHS, STEPS = 4, 5

# (name, optimizer, its options, the options of the schedule)
CASES = [
    ("sgd", "sgd", {"momentum": 0.9}, {"max_lr": 0.3}),
    ("sgd_without_momentum", "sgd", {}, {"max_lr": 0.3}),
    ("sgd_nesterov", "sgd", {"momentum": 0.5, "nesterov": True}, {"max_lr": 0.2, "pct_start": 0.45}),
    ("sgd_down_to_0", "sgd", {"momentum": 0.9}, {"max_lr": 0.3, "base_momentum": 0.0, "max_momentum": 0.8}),
    ("sgd_not_cycled", "sgd", {"momentum": 0.9}, {"max_lr": 0.3, "cycle_momentum": False}),
    ("rmsprop", "rmsprop", {}, {"max_lr": 0.05}),
    ("rmsprop_down_to_0", "rmsprop", {"momentum": 0.5, "centered": True}, {"max_lr": 0.05, "base_momentum": 0.0}),
    ("adam", "adam", {}, {"max_lr": 0.1}),
    ("adam_options", "adam", {"betas": [0.8, 0.99]}, {"max_lr": 0.1, "base_momentum": 0.6, "max_momentum": 0.7}),
    ("adam_not_cycled", "adam", {"betas": [0.8, 0.99]}, {"max_lr": 0.1, "cycle_momentum": False}),
    ("adamw", "adamw", {"weight_decay": 0.1, "amsgrad": True}, {"max_lr": 0.1, "pct_start": 0.2}),
]
CLASSES = {"sgd": torch.optim.SGD, "rmsprop": torch.optim.RMSprop, "adam": torch.optim.Adam, "adamw": torch.optim.AdamW}


def momentum_of(optimizer):
    group = optimizer.param_groups[0]
    return group["betas"][0] if "betas" in group else group["momentum"]


def case(name, kind, options, schedule):
    parameter = torch.nn.Parameter(torch.tensor(START, dtype=torch.float32))
    optimizer = CLASSES[kind]([parameter], lr=LR, foreach=False, **options)
    scheduler = OneCycleLR(optimizer, total_steps=EPOCHS * STEPS, **schedule)
    rates, momenta, after = [], [], []
    for step in range(EPOCHS * STEPS):
        rates.append(optimizer.param_groups[0]["lr"])
        momenta.append(momentum_of(optimizer))
        parameter.grad = gradient(step)
        optimizer.step()
        scheduler.step()
        after.append(house.numbers(parameter))
    written = {"optimizer": {kind: {"lr": LR} | options}, "schedule": {"one_cycle": schedule}}
    return {"name": name, **written, "lr": rates, "momentum": momenta, "after": after}


RUN_EPOCHS, BATCH = 4, 64


def run(name, kind, options, max_lr, clip=None):
    digits = load_digits()
    x, y = torch.tensor(digits.data / 16, dtype=torch.float32), torch.tensor(digits.target)
    network = house.build(0, lambda: nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10)))
    optimizer = CLASSES[kind](network.parameters(), lr=LR, **options)
    scheduler = OneCycleLR(optimizer, max_lr, total_steps=RUN_EPOCHS * len(x[::BATCH]))
    losses = []
    for epoch in range(1, RUN_EPOCHS + 1):
        torch.manual_seed(epoch)  # of seed 0
        loss_sum = 0.0
        for rows in torch.randperm(len(x)).split(BATCH):
            loss = nn.functional.cross_entropy(network(x[rows]), y[rows])
            optimizer.zero_grad()
            loss.backward()
            if clip is not None:
                nn.utils.clip_grad_norm_(network.parameters(), clip)
            optimizer.step()
            scheduler.step()
            loss_sum += loss.item() * len(rows)
        losses.append(loss_sum / len(x))
    train = {"optimizer": {kind: {"lr": LR} | options}, "schedule": {"one_cycle": {"max_lr": max_lr}}}
    train |= {"clip": {"norm": clip}} if clip is not None else {}
    return {"name": name, "train": train, "history": {"loss": losses}}


if __name__ == "__main__":
    torch.set_num_threads(1)
    house.write_fixture(
        "one_cycle.json",
        __file__,
        {"start": START, "lr": LR, "epochs": EPOCHS, "steps": STEPS, "run_epochs": RUN_EPOCHS, "batch": BATCH},
        gradients=[house.numbers(gradient(step)) for step in range(EPOCHS * STEPS)],
        cases=[case(*settings) for settings in CASES],
        runs=[
            run("sgd", "sgd", {"momentum": 0.9}, 0.3),
            run("sgd_clipped", "sgd", {}, 0.3, clip=0.5),
            run("adam", "adam", {}, 0.01),
        ],
    )
