"""Twenty steps of every optimizer on six numbers: writes optimizers.json.

    python tests/golden/optimizers.py

The gradient does not depend on the parameters, so that a mistake in one step is not hidden by the next:
at step t = 0 … 19 it is g[i] = sin(0.7 t + i) · (i + 1), computed in float64 and rounded to float32. The fixture holds
the gradients too. Each optimizer takes PyTorch's plain path, one tensor at a time (foreach=False, fused=False).
"""

import numpy as np
import torch

import house

STEPS = 20
START = [0.5, -1.2, 3.0, -0.01, 0.0, 2.5]

CASES = {
    "sgd": (torch.optim.SGD, {"lr": 0.1}),
    "sgd_momentum": (torch.optim.SGD, {"lr": 0.1, "momentum": 0.9}),
    "sgd_nesterov": (torch.optim.SGD, {"lr": 0.1, "momentum": 0.9, "nesterov": True}),
    "sgd_momentum_weight_decay": (torch.optim.SGD, {"lr": 0.1, "momentum": 0.9, "weight_decay": 0.01}),
    "rmsprop": (torch.optim.RMSprop, {"lr": 0.01}),
    "rmsprop_keras": (torch.optim.RMSprop, {"lr": 0.01, "alpha": 0.9, "eps": 1e-7}),
    "rmsprop_momentum": (torch.optim.RMSprop, {"lr": 0.01, "momentum": 0.9}),
    "rmsprop_centered_weight_decay": (torch.optim.RMSprop, {"lr": 0.01, "centered": True, "weight_decay": 0.01}),
    "adam": (torch.optim.Adam, {"lr": 0.01}),
    "adam_betas_eps_weight_decay": (
        torch.optim.Adam,
        {"lr": 0.01, "betas": [0.8, 0.99], "eps": 1e-6, "weight_decay": 0.05},
    ),
    "adam_amsgrad": (torch.optim.Adam, {"lr": 0.01, "amsgrad": True}),
    # With the default betas the second moment hardly ever falls in twenty steps, and AMSGrad has nothing to hold on to.
    "adam_amsgrad_short_memory": (torch.optim.Adam, {"lr": 0.01, "betas": [0.9, 0.7], "amsgrad": True}),
    "adamw_weight_decay": (torch.optim.AdamW, {"lr": 0.01, "weight_decay": 0.1}),
    "adamw_amsgrad_short_memory": (torch.optim.AdamW, {"lr": 0.01, "betas": [0.9, 0.7], "amsgrad": True}),
    "adagrad": (torch.optim.Adagrad, {"lr": 0.1}),
    "adagrad_decay": (
        torch.optim.Adagrad,
        {"lr": 0.1, "lr_decay": 0.01, "weight_decay": 0.01, "initial_accumulator_value": 0.1},
    ),
}

# Settings that choose how PyTorch computes a step, not what it computes.
IMPLEMENTATION = {"foreach", "fused", "maximize", "capturable", "differentiable", "decoupled_weight_decay"}


def gradient(step):
    i = np.arange(len(START), dtype=np.float64)
    return torch.tensor(np.sin(0.7 * step + i) * (i + 1), dtype=torch.float32)


def run(optimizer_class, options):
    """The parameters after each step, and every setting that the optimizer ended up with."""
    parameter = torch.nn.Parameter(torch.tensor(START, dtype=torch.float32))
    # RMSprop alone has no fused form to turn off.
    plain = {"foreach": False} if optimizer_class is torch.optim.RMSprop else {"foreach": False, "fused": False}
    optimizer = optimizer_class([parameter], **options, **plain)
    after = []
    for step in range(STEPS):
        parameter.grad = gradient(step)
        optimizer.step()
        after.append(house.numbers(parameter))
    shown = {
        key: list(value) if isinstance(value, tuple) else value
        for key, value in optimizer.defaults.items()
        if isinstance(value, (bool, int, float, tuple, list)) and key not in IMPLEMENTATION
    }
    return shown, after


if __name__ == "__main__":
    cases = []
    for name, (optimizer_class, options) in CASES.items():
        settings, after = run(optimizer_class, options)
        cases.append({"name": name, "optimizer": optimizer_class.__name__, "options": settings, "after": after})
    house.write_fixture(
        "optimizers.json",
        __file__,
        {"steps": STEPS, "gradient": "g[i] = sin(0.7 * t + i) * (i + 1), t from 0", "foreach": False, "fused": False},
        start=house.numbers(torch.tensor(START, dtype=torch.float32)),
        gradients=[house.numbers(gradient(step)) for step in range(STEPS)],
        cases=cases,
    )
