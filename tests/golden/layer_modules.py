"""Modules that compute what a layer of `runner` computes, where PyTorch has none that takes and returns one tensor."""

import math

import torch
from torch import nn


def last(recurrent):
    """A recurrent layer that returns the last output of each direction."""

    class Last(recurrent):
        def forward(self, x):
            hidden = super().forward(x)[1]
            hidden = hidden[0] if isinstance(hidden, tuple) else hidden
            directions = 2 if self.bidirectional else 1
            return torch.cat(list(hidden[-directions:]), dim=-1)

    return Last


def sequence(recurrent):
    """A recurrent layer that returns the outputs of all time steps."""

    class Sequence(recurrent):
        def forward(self, x):
            return super().forward(x)[0]

    return Sequence


class Attention(nn.MultiheadAttention):
    """Self-attention. With weights, so that PyTorch takes the same path as in training."""

    def forward(self, x):
        return super().forward(x, x, x, need_weights=True)[0]


class Ids(nn.Embedding):
    """An embedding of ids that come as floats."""

    def forward(self, x):
        return super().forward(x.long())


class Residual(nn.Module):
    def __init__(self, layers, projection=()):
        super().__init__()
        self.layers = nn.Sequential(*layers)
        self.projection = nn.Sequential(*projection)

    def forward(self, x):
        return self.projection(x) + self.layers(x)


class Parallel(nn.ModuleList):
    """Branches with the same input, joined along `dim`, or added without one."""

    def __init__(self, branches, dim=None):
        super().__init__(nn.Sequential(*branch) for branch in branches)
        self.dim = dim

    def forward(self, x):
        outputs = [branch(x) for branch in self]
        return sum(outputs) if self.dim is None else torch.cat(outputs, dim=self.dim)


class PositionalEncoding(nn.Module):
    """Sines and cosines, as in PyTorch's tutorial on transformers."""

    def forward(self, x):
        time, features = x.shape[1:]
        position = torch.arange(time).unsqueeze(1)
        div_term = torch.exp(torch.arange(0, features, 2) * (-math.log(10000.0) / features))
        encoding = torch.zeros(time, features)
        encoding[:, 0::2] = torch.sin(position * div_term)
        encoding[:, 1::2] = torch.cos(position * div_term)[:, : features // 2]
        return x + encoding


class LearnedPositions(nn.Embedding):
    """Adds a learned vector to each position."""

    def forward(self, x):
        return x + super().forward(torch.arange(self.num_embeddings))


def encoder(features, heads, *, layers=1, **options):
    """A transformer encoder as PyTorch builds it: copies of one layer."""
    layer = nn.TransformerEncoderLayer(features, heads, batch_first=True, **options)
    return nn.TransformerEncoder(layer, layers, enable_nested_tensor=False)


class Function(nn.Module):
    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, x):
        return self.function(x)

    def __repr__(self):
        return "Function()"
