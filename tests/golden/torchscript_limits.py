"""Networks and losses at the limits of what `runner` accepts, exported as TorchScript.

    python tests/golden/torchscript_limits.py      torchscript/*.pt

Networks with state that checkpoints do not hold, with parameters in the same memory, with complex buffers, or with constants
instead of parameters are refused. Others fail on rows that the trial run before training does not have: on a batch of one
row, or on token ids. One uses a parameter in some batches only, and one returns probabilities. The losses take probabilities,
or broadcast `[rows]` with `[rows, 1]`. No golden values: the tests check what `runner` says.
"""

import torch
from torch import nn
from torch.nn import functional as F

import house
from torchscript import save


class Linear(nn.Module):
    def __init__(self, outputs=2):
        super().__init__()
        self.linear = nn.Linear(4, outputs)


class Counter(Linear):
    """The number of batches is an attribute, which no checkpoint holds."""

    calls: int

    def __init__(self):
        super().__init__()
        self.calls = 0

    def forward(self, x):
        if self.training:
            self.calls += 1
        return self.linear(x) * (1 + 0.01 * self.calls)


class Attribute(Linear):
    """A tensor that is no buffer changes in training and is used in evaluation only."""

    def __init__(self):
        super().__init__()
        self.mean = torch.zeros(2)

    def forward(self, x):
        y = self.linear(x)
        if self.training:
            self.mean = 0.9 * self.mean + 0.1 * y.detach().mean(0)
            return y
        return y - self.mean


class EvaluationBuffer(Linear):
    def __init__(self):
        super().__init__()
        self.register_buffer("seen", torch.zeros(1))

    def forward(self, x):
        if not self.training:
            self.seen += 1
        return self.linear(x)


class Reshaped(Linear):
    def __init__(self):
        super().__init__()
        self.register_buffer("last", torch.zeros(2))

    def forward(self, x):
        if self.training:
            self.last = x.detach().mean()
        return self.linear(x) + self.last.sum() * 0


class Views(nn.Module):
    """Two parameters in the same memory."""

    def __init__(self):
        super().__init__()
        self.a = nn.Linear(4, 4)
        self.b = nn.Linear(4, 4)
        self.b.weight = nn.Parameter(self.a.weight.data[:2])
        self.b.bias = nn.Parameter(torch.zeros(2))

    def forward(self, x):
        return self.b(self.a(x).tanh())


class Complex(Linear):
    def __init__(self):
        super().__init__()
        self.register_buffer("phase", torch.ones(2, dtype=torch.complex64))

    def forward(self, x):
        return self.linear(x) * self.phase.real


class Norm(Linear):
    def __init__(self):
        super().__init__()
        self.norm = nn.BatchNorm1d(4)

    def forward(self, x):
        return self.linear(self.norm(x))


class Squeeze(Linear):
    def forward(self, x):
        return self.linear(x.squeeze())


class Conditional(Linear):
    """The second layer is used for small batches only, as the trial run's."""

    def __init__(self):
        super().__init__()
        self.second = nn.Linear(4, 2)

    def forward(self, x):
        y = self.linear(x)
        if x.shape[0] < 10:
            y = y + self.second(x)
        return y


class Logit(Linear):
    def __init__(self):
        super().__init__(1)

    def forward(self, x):
        return self.linear(x)


class Sigmoid(Logit):
    def forward(self, x):
        return self.linear(x).sigmoid()


class Softmax(Linear):
    def forward(self, x):
        return self.linear(x).softmax(1)


class Zeros(Linear):
    """The first outputs are 0, but they are no probabilities."""

    def __init__(self):
        super().__init__()
        nn.init.zeros_(self.linear.weight)
        nn.init.zeros_(self.linear.bias)

    def forward(self, x):
        return self.linear(x)


class Tokens(nn.Module):
    """An embedding of 5 tokens."""

    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(5, 3)
        self.linear = nn.Linear(3, 2)

    def forward(self, x):
        return self.linear(self.embedding(x.long()).mean(1))


class FloatTokens(nn.Module):
    """An embedding that takes rows as they are, float32."""

    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(5, 3)
        self.linear = nn.Linear(3, 2)

    def forward(self, x):
        return self.linear(self.embedding(x).mean(1))


class OwnBce(nn.Module):
    def forward(self, output, target):
        return F.binary_cross_entropy(output.squeeze(1), target.float())


class Broadcast(nn.Module):
    """Subtracts a target [rows, 1] from an output [rows]."""

    def forward(self, output, target):
        return (output.squeeze(1) - target).square().mean()


class Coupled(nn.Module):
    """A loss that combines rows on purpose."""

    def forward(self, output, target):
        error = output - target
        return error.square().mean() - 0.5 * error.mean().square()


if __name__ == "__main__":
    torch.manual_seed(0)
    modules = [
        *(Counter(), Attribute(), EvaluationBuffer(), Reshaped(), Views(), Complex()),
        *(Norm(), Squeeze(), Conditional(), Sigmoid(), Softmax(), Zeros(), Tokens(), FloatTokens()),
        *(OwnBce(), Broadcast(), Coupled(), Logit()),
    ]
    for module in modules:
        save(module, house.HERE / "torchscript" / f"{type(module).__name__.lower()}.pt")
    traced = torch.jit.trace(Norm().train(), torch.randn(8, 4))
    save(traced, house.HERE / "torchscript" / "tracednorm.pt")
    frozen = torch.jit.freeze(torch.jit.script(Norm().eval()))
    save(frozen, house.HERE / "torchscript" / "frozen.pt")
