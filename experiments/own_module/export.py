"""Modules of the experiment `own_module`, exported as TorchScript.

    python experiments/own_module/export.py      mlp.pt and highway.pt, beside this file
"""

from pathlib import Path

import torch
from torch import nn


def draw(weight: torch.Tensor, bias: torch.Tensor):
    """Draws the initial values of `nn.Linear`: U(±1/√inputs)."""
    bound = weight.size(1) ** -0.5
    nn.init.uniform_(weight, -bound, bound)
    nn.init.uniform_(bias, -bound, bound)


class MLP(nn.Module):
    """The network of `layers = [{ linear = 32 }, "relu", { linear = 10 }]`."""

    def __init__(self):
        super().__init__()
        self.hidden = nn.Linear(64, 32)
        self.out = nn.Linear(32, 10)

    def forward(self, x):
        return self.out(torch.relu(self.hidden(x)))

    @torch.jit.export
    def reset_parameters(self):
        """`runner` calls this method for each seed, after `torch.manual_seed(seed)`."""
        draw(self.hidden.weight, self.hidden.bias)
        draw(self.out.weight, self.out.bias)


class Highway(nn.Module):
    """A layer that mixes its output with its input; a gate decides how much of each (Srivastava et al. 2015)."""

    def __init__(self, units: int):
        super().__init__()
        self.transform = nn.Linear(units, units)
        self.gate = nn.Linear(units, units)

    def forward(self, x):
        gate = torch.sigmoid(self.gate(x))
        return gate * torch.relu(self.transform(x)) + (1 - gate) * x

    def reset_parameters(self):
        draw(self.transform.weight, self.transform.bias)
        draw(self.gate.weight, self.gate.bias)
        nn.init.constant_(self.gate.bias, -2.0)  # at first, most of the input passes


class HighwayNetwork(nn.Module):
    """20 highway layers between two linear layers."""

    def __init__(self):
        super().__init__()
        self.first = nn.Linear(64, 16)
        self.blocks = nn.ModuleList(Highway(16) for _ in range(20))
        self.last = nn.Linear(16, 10)

    def forward(self, x):
        x = torch.relu(self.first(x))
        for block in self.blocks:
            x = block(x)
        return self.last(x)

    @torch.jit.export
    def reset_parameters(self):
        draw(self.first.weight, self.first.bias)
        draw(self.last.weight, self.last.bias)
        for block in self.blocks:
            block.reset_parameters()


if __name__ == "__main__":
    folder = Path(__file__).parent
    for name, module in [("mlp", MLP()), ("highway", HighwayNetwork())]:
        module.reset_parameters()
        torch.jit.script(module).save(str(folder / f"{name}.pt"))
