"""The layers of a resolved experiment as modules of PyTorch.

Each has PyTorch's parameters under PyTorch's names, so that the weights of a trial load with `strict=True`. Rows are [batch, …];
`shape` is the shape of one row.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from runner_experiments.errors import RunnerError

Shape = tuple[int, ...]
Settings = dict[str, Any]


def sequential(layers: list[Any], shape: Shape) -> tuple[nn.Sequential, Shape]:
    """Returns the layers as an `nn.Sequential`, and the shape of its output rows."""
    modules = []
    for layer in layers:
        kind, settings = (layer, {}) if isinstance(layer, str) else next(iter(layer.items()))
        module = _module(kind, settings, shape)
        modules.append(module)
        shape = output_shape(module, shape)
    return nn.Sequential(*modules), shape


def _module(kind: str, settings: Any, shape: Shape) -> nn.Module:
    if kind == "torchscript":
        raise RunnerError(
            "the network contains a TorchScript module, which cannot be rebuilt as layers",
            "load `weights` into your own `nn.Module`, and export that",
        )
    if kind not in BUILDERS:
        raise RunnerError(f"layers of kind `{kind}` are not supported", "load `weights` into your own `nn.Module`")
    return BUILDERS[kind](settings, shape)


def output_shape(module: nn.Module, shape: Shape) -> Shape:
    """Returns the shape of an output row for input rows of this shape. Sends zeros through the module."""
    was_training = module.training
    module.eval()
    with torch.no_grad():
        dtype = torch.long if isinstance(module, nn.Embedding) else torch.float32
        found = tuple(module(torch.zeros(2, *shape, dtype=dtype)).shape[1:])
    module.train(was_training)
    return found


def _pair(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _linear(settings: Settings, shape: Shape) -> nn.Module:
    return nn.Linear(shape[-1], settings["units"], bias=settings["bias"])


def _convolution(module: Callable[..., nn.Module]) -> Callable[[Settings, Shape], nn.Module]:
    def build(settings: Settings, shape: Shape) -> nn.Module:
        more = {"output_padding": _pair(settings["output_padding"])} if "output_padding" in settings else {}
        kernel, stride, padding = (_pair(settings[name]) for name in ("kernel", "stride", "padding"))
        return module(shape[0], settings["channels"], kernel, stride=stride, padding=padding, bias=settings["bias"], **more)

    return build


def _pooling(module: Callable[..., nn.Module]) -> Callable[[Settings, Shape], nn.Module]:
    def build(settings: Settings, shape: Shape) -> nn.Module:
        stride = settings.get("stride")
        return module(_pair(settings["kernel"]), None if stride is None else _pair(stride), _pair(settings["padding"]))

    return build


def _batch_norm(settings: Settings, shape: Shape) -> nn.Module:
    module = nn.BatchNorm2d if len(shape) == 3 else nn.BatchNorm1d
    return module(shape[0], eps=settings["eps"], momentum=settings["momentum"], affine=settings["affine"])


def _instance_norm(settings: Settings, shape: Shape) -> nn.Module:
    module = nn.InstanceNorm2d if len(shape) == 3 else nn.InstanceNorm1d
    tracked = settings["track_running_stats"]
    return module(shape[0], eps=settings["eps"], momentum=settings["momentum"], affine=settings["affine"], track_running_stats=tracked)


def _normalized(shape: Shape) -> Shape:
    """Returns the shape over which a row is normalized: of a sequence [time, features], each time step alone."""
    return shape[-1:] if len(shape) == 2 else shape


def _recurrent(module: type[nn.RNNBase]) -> Callable[[Settings, Shape], nn.Module]:
    class Recurrent(module):  # type: ignore[valid-type, misc]
        """A recurrent layer that returns its outputs: [batch, time, units], or those of the last step, [batch, units]."""

        returns = "last"

        def forward(self, rows: Tensor) -> Tensor:
            outputs: Tensor = super().forward(rows)[0]
            if self.returns == "sequence":
                return outputs
            if not self.bidirectional:
                return outputs[:, -1]
            forward, backward = outputs[:, -1, : self.hidden_size], outputs[:, 0, self.hidden_size :]
            return torch.cat([forward, backward], 1)

    def build(settings: Settings, shape: Shape) -> nn.Module:
        more = {"nonlinearity": settings["nonlinearity"]} if settings.get("nonlinearity") and module is nn.RNN else {}
        dropout = settings["dropout"] if settings["layers"] > 1 else 0.0
        made = Recurrent(
            shape[-1],
            settings["units"],
            num_layers=settings["layers"],
            bidirectional=settings["bidirectional"],
            dropout=dropout,
            bias=settings["bias"],
            batch_first=True,
            **more,
        )
        made.returns = settings["returns"]
        return made

    return build


class SelfAttention(nn.MultiheadAttention):
    """Self-attention: [batch, time, features] → the same shape."""

    def forward(self, rows: Tensor) -> Tensor:  # type: ignore[override]
        return super().forward(rows, rows, rows, need_weights=False)[0]


def _attention(settings: Settings, shape: Shape) -> nn.Module:
    return SelfAttention(shape[-1], settings["heads"], dropout=settings["dropout"], bias=settings["bias"], batch_first=True)


def _encoder(settings: Settings, shape: Shape) -> nn.Module:
    layer = nn.TransformerEncoderLayer(
        shape[-1],
        settings["heads"],
        settings["feedforward"],
        settings["dropout"],
        settings["activation"],
        layer_norm_eps=settings["eps"],
        batch_first=True,
        norm_first=settings["norm_first"],
    )
    return nn.TransformerEncoder(layer, settings["layers"], enable_nested_tensor=False)


def _embedding(settings: Settings, shape: Shape) -> nn.Module:
    if settings["tokens"] is None:
        raise RunnerError(
            "the number of tokens of the embedding is not in the experiment", "set `tokens` in `{ embedding = { tokens = …, units = … } }`"
        )
    return nn.Embedding(settings["tokens"], settings["units"], padding_idx=settings.get("padding"))


class PositionalEncoding(nn.Module):
    """Adds a vector to each time step: [batch, time, features] → the same shape. Learned, or sines and cosines."""

    waves: Tensor

    def __init__(self, learned: bool, time: int, features: int) -> None:
        super().__init__()
        if learned:
            self.weight: nn.Parameter | None = nn.Parameter(torch.zeros(time, features))
            return
        self.weight = None
        positions = torch.arange(time, dtype=torch.float32).unsqueeze(1)
        even = torch.arange(0, features, 2, dtype=torch.float32)
        angles = positions * (even * (-math.log(10_000.0) / features)).exp()
        waves = torch.stack([angles.sin(), angles.cos()], 2).flatten(1, 2)[:, :features]
        self.register_buffer("waves", waves, persistent=False)

    def forward(self, rows: Tensor) -> Tensor:
        return rows + (self.waves if self.weight is None else self.weight)


class Residual(nn.Module):
    """`x + layers(x)`, or `projection(x) + layers(x)`."""

    def __init__(self, layers: nn.Module, projection: nn.Module | None) -> None:
        super().__init__()
        self.layers = layers
        self.projection = projection

    def forward(self, rows: Tensor) -> Tensor:
        passed: Tensor = rows if self.projection is None else self.projection(rows)
        changed: Tensor = self.layers(rows)
        return passed + changed


def _residual(settings: Settings, shape: Shape) -> nn.Module:
    projection = settings.get("projection")
    return Residual(sequential(settings["layers"], shape)[0], None if projection is None else sequential(projection, shape)[0])


def _repeat(settings: Settings, shape: Shape) -> nn.Module:
    return sequential(settings["layers"] * settings["times"], shape)[0]


class Parallel(nn.ModuleList):
    """Branches that get the same input; their outputs are added, or concatenated along `dimension`."""

    dimension: int | None = None

    def forward(self, rows: Tensor) -> Tensor:
        outputs = [branch(rows) for branch in self]
        return torch.stack(outputs).sum(0) if self.dimension is None else torch.cat(outputs, self.dimension)


def _parallel(settings: Settings, shape: Shape) -> nn.Module:
    built = [sequential(branch, shape) for branch in settings["branches"]]
    made = Parallel(branch for branch, _ in built)
    if settings["join"] == "concat":
        made.dimension = 2 if len(built[0][1]) == 2 else 1
    return made


class Reshape(nn.Module):
    """Gives rows another shape with as many values."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape

    def forward(self, rows: Tensor) -> Tensor:
        return rows.reshape(-1, *self.shape)


class Permute(nn.Module):
    """Reorders the dimensions of rows, counted from 1, as the batch is dimension 0."""

    def __init__(self, order: list[int]) -> None:
        super().__init__()
        self.order = [0, *order]

    def forward(self, rows: Tensor) -> Tensor:
        return rows.permute(self.order)


class Mean(nn.Module):
    """Mean over dimensions of the batch."""

    def __init__(self, dimensions: list[int]) -> None:
        super().__init__()
        self.dimensions = dimensions

    def forward(self, rows: Tensor) -> Tensor:
        return rows.mean(self.dimensions)


BUILDERS: dict[str, Callable[[Any, Shape], nn.Module]] = {
    "linear": _linear,
    "conv1d": _convolution(nn.Conv1d),
    "conv2d": _convolution(nn.Conv2d),
    "conv_transpose2d": _convolution(nn.ConvTranspose2d),
    "max_pool1d": _pooling(nn.MaxPool1d),
    "max_pool2d": _pooling(nn.MaxPool2d),
    "avg_pool1d": _pooling(nn.AvgPool1d),
    "avg_pool2d": _pooling(nn.AvgPool2d),
    "adaptive_avg_pool2d": lambda size, shape: nn.AdaptiveAvgPool2d(_pair(size)),
    "global_avg_pool": lambda settings, shape: Mean(list(range(2, len(shape) + 1))),
    "mean_over_time": lambda settings, shape: Mean([1]),
    "flatten": lambda settings, shape: nn.Flatten(),
    "reshape": lambda size, shape: Reshape(tuple(size)),
    "permute": lambda order, shape: Permute(order),
    "batch_norm": _batch_norm,
    "instance_norm": _instance_norm,
    "layer_norm": lambda settings, shape: nn.LayerNorm(
        list(_normalized(shape)), eps=settings["eps"], elementwise_affine=settings["affine"]
    ),
    "rms_norm": lambda settings, shape: nn.RMSNorm(list(_normalized(shape)), eps=settings["eps"], elementwise_affine=settings["affine"]),
    "group_norm": lambda settings, shape: nn.GroupNorm(settings["groups"], shape[0], eps=settings["eps"], affine=settings["affine"]),
    "dropout": lambda settings, shape: nn.Dropout(settings["p"]),
    "dropout2d": lambda settings, shape: nn.Dropout2d(settings["p"]),
    "alpha_dropout": lambda settings, shape: nn.AlphaDropout(settings["p"]),
    "relu": lambda settings, shape: nn.ReLU(),
    "leaky_relu": lambda settings, shape: nn.LeakyReLU(settings["negative_slope"]),
    "elu": lambda settings, shape: nn.ELU(settings["alpha"]),
    "gelu": lambda settings, shape: nn.GELU(settings["approximate"]),
    "softplus": lambda settings, shape: nn.Softplus(settings["beta"], settings["threshold"]),
    "prelu": lambda settings, shape: nn.PReLU(),
    "sigmoid": lambda settings, shape: nn.Sigmoid(),
    "tanh": lambda settings, shape: nn.Tanh(),
    "silu": lambda settings, shape: nn.SiLU(),
    "mish": lambda settings, shape: nn.Mish(),
    "hardswish": lambda settings, shape: nn.Hardswish(),
    "selu": lambda settings, shape: nn.SELU(),
    "softmax": lambda settings, shape: nn.Softmax(-1),
    "log_softmax": lambda settings, shape: nn.LogSoftmax(-1),
    "residual": _residual,
    "repeat": _repeat,
    "parallel": _parallel,
    "embedding": _embedding,
    "rnn": _recurrent(nn.RNN),
    "lstm": _recurrent(nn.LSTM),
    "gru": _recurrent(nn.GRU),
    "multi_head_attention": _attention,
    "positional_encoding": lambda settings, shape: PositionalEncoding(settings["learned"], *shape),
    "transformer_encoder": _encoder,
}
