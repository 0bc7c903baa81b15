"""Every layer forward and backward on small inputs, and what a seed draws: writes layers.json and init.json.

    python tests/golden/layers.py

layers.json: for each layer its parameters, and for each call the input, the output, the upstream gradient (what is fed
to `backward`), and the gradients of input and parameters. BatchNorm is called on two batches in training mode, then once in
evaluation mode, with the running statistics after each call. Inputs hold the corners on purpose: 0 for ReLU and its
relatives, ±200 for softmax, ties for max pooling, a constant column for BatchNorm.

init.json: the numbers that PyTorch's initializations, `randperm` and dropout draw from a seed, on the CPU.
"""

import torch
from torch import nn

import house


def wave(*shape, phase=0.0):
    """Fixed numbers in (-2, 2) with no pattern that a wrong index could hide behind."""
    count = torch.Size(shape).numel()
    return (2 * torch.sin(1.7 * torch.arange(count, dtype=torch.float64) + phase)).float().reshape(shape)


# Around 0, at 0, and far out on both sides.
CORNERS = torch.tensor([[-200.0, -3.0, -0.5, -1e-3, 0.0], [1e-3, 0.5, 3.0, 25.0, 200.0]])
IMAGE = torch.round(wave(2, 1, 4, 4))  # whole numbers, so that most windows hold their maximum twice
CONSTANT_COLUMN = torch.cat([wave(4, 2, phase=0.3), torch.full((4, 1), 1.5)], dim=1)


def set_parameters(layer):
    """Replaces a layer's parameters with fixed numbers, so that the fixture does not hang on the generator."""
    with torch.no_grad():
        for i, parameter in enumerate(layer.parameters()):
            parameter.copy_(wave(*parameter.shape, phase=0.9 + i) / 2)
    return layer


def call(layer, x):
    """One forward and backward pass, and what came out of it."""
    x = x.clone().requires_grad_()
    layer.zero_grad()
    output = layer(x)
    upstream = wave(*output.shape, phase=2.2)
    output.backward(upstream)
    entry = {
        "training": layer.training,
        "input": house.numbers(x),
        "output": house.numbers(output),
        "upstream": house.numbers(upstream),
        "input_gradient": None if x.grad is None else house.numbers(x.grad),
        "parameter_gradients": {name: house.numbers(p.grad) for name, p in layer.named_parameters()},
    }
    buffers = {name: house.numbers(b) for name, b in layer.named_buffers()}
    return entry | ({"buffers_after": buffers} if buffers else {})


def case(name, layer, *inputs):
    layer = set_parameters(layer)
    parameters = {key: house.numbers(p) for key, p in layer.named_parameters()}
    calls = [call(layer, x) for x in inputs]
    return {"name": name, "layer": repr(layer), "parameters": parameters, "calls": calls}


def batch_norm(name, layer, first, second, third):
    """Two batches in training mode (of different sizes), then one in evaluation mode."""
    entry = case(name, layer, first, second)
    layer.eval()
    entry["calls"].append(call(layer, third))
    return entry


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


class Function(nn.Module):
    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, x):
        return self.function(x)

    def __repr__(self):
        return "Function()"


def layers():
    steps = wave(3, 4, 2, phase=0.6)  # 3 rows of 4 steps with 2 features
    return [
        case("linear", nn.Linear(3, 2), wave(4, 3)),
        case("relu", nn.ReLU(), CORNERS),
        case("leaky_relu", nn.LeakyReLU(0.01), CORNERS),
        case("elu", nn.ELU(), CORNERS),
        case("gelu", nn.GELU(), CORNERS),
        case("gelu_tanh", nn.GELU(approximate="tanh"), CORNERS),
        case("softplus", nn.Softplus(), CORNERS),
        case("sigmoid", nn.Sigmoid(), CORNERS),
        case("tanh", nn.Tanh(), CORNERS),
        case("softmax", nn.Softmax(dim=-1), torch.cat([CORNERS, wave(2, 5), torch.zeros(1, 5)])),
        case("flatten", nn.Flatten(), wave(2, 2, 3)),
        batch_norm("batch_norm1d", nn.BatchNorm1d(3), CONSTANT_COLUMN, wave(5, 3, phase=0.7), wave(2, 3, phase=1.1)),
        batch_norm(
            "batch_norm2d",
            nn.BatchNorm2d(2, eps=1e-3, momentum=0.3),
            wave(2, 2, 2, 3, phase=0.2),
            wave(1, 2, 2, 3, phase=0.7),
            wave(2, 2, 2, 3, phase=1.1),
        ),
        case("layer_norm", nn.LayerNorm(3), torch.cat([wave(3, 3), torch.full((1, 3), 0.5)])),
        case("conv2d", nn.Conv2d(1, 2, 3, padding=1), wave(2, 1, 4, 4)),
        case("max_pool2d", nn.MaxPool2d(2), IMAGE),
        case("avg_pool2d", nn.AvgPool2d(2), IMAGE),
        # The settings that are not PyTorch's defaults.
        case("elu_alpha", nn.ELU(0.5), CORNERS),
        case("softplus_beta_threshold", nn.Softplus(beta=2.0, threshold=5.0), CORNERS),
        case("layer_norm_image", nn.LayerNorm((2, 2, 3)), wave(3, 2, 2, 3)),
        case(
            "conv2d_oblong",
            nn.Conv2d(2, 3, (2, 3), stride=(2, 1), padding=(0, 1), bias=False),
            wave(2, 2, 5, 4, phase=0.4),
        ),
        case("max_pool2d_overlapping", nn.MaxPool2d(3, stride=2, padding=1), wave(2, 2, 5, 4)),
        case("avg_pool2d_overlapping", nn.AvgPool2d((2, 3), stride=1, padding=(1, 1)), wave(2, 2, 4, 4)),
        case("silu", nn.SiLU(), CORNERS),
        case("mish", nn.Mish(), CORNERS),
        case("hardswish", nn.Hardswish(), CORNERS),
        case("selu", nn.SELU(), CORNERS),
        case("prelu", nn.PReLU(), CORNERS),
        case("log_softmax", nn.LogSoftmax(dim=-1), torch.cat([CORNERS, wave(2, 5)])),
        case("global_avg_pool", Function(lambda x: x.mean((2, 3))), wave(2, 3, 2, 4)),
        case("reshape", Function(lambda x: x.reshape(-1, 2, 3)), wave(4, 6)),
        # Sequences.
        case("linear_of_sequence", nn.Linear(2, 3), steps),
        case("layer_norm_of_sequence", nn.LayerNorm(5), wave(3, 4, 5, phase=0.6)),
        case("mean_over_time", Function(lambda x: x.mean(1)), steps),
        case("embedding", Ids(5, 3), torch.tensor([[0.0, 4.0, 4.0], [1.0, 2.0, 0.0]])),
        case("rnn", last(nn.RNN)(2, 3, batch_first=True), steps),
        case("rnn_relu", sequence(nn.RNN)(2, 3, nonlinearity="relu", bias=False, batch_first=True), steps),
        case("lstm", last(nn.LSTM)(2, 3, batch_first=True), steps),
        case("lstm_deep", sequence(nn.LSTM)(2, 3, num_layers=2, bidirectional=True, batch_first=True), steps),
        case("gru", last(nn.GRU)(2, 3, num_layers=2, bidirectional=True, batch_first=True), steps),
        case("multi_head_attention", Attention(4, 2, batch_first=True), wave(3, 5, 4, phase=0.6) / 2),
        case("attention_without_bias", Attention(4, 1, bias=False, batch_first=True), wave(3, 5, 4, phase=0.1) / 2),
        # Blocks.
        case("residual", Residual([nn.Linear(3, 3), nn.Tanh()]), wave(4, 3)),
        batch_norm(
            "residual_projection",
            Residual(
                [nn.Conv2d(2, 3, 3, stride=2, padding=1), nn.BatchNorm2d(3)], [nn.Conv2d(2, 3, 1, stride=2, bias=False)]
            ),
            wave(2, 2, 4, 4, phase=0.2),
            wave(1, 2, 4, 4, phase=0.7),
            wave(2, 2, 4, 4, phase=1.1),
        ),
        case("repeat", nn.Sequential(nn.Linear(3, 3), nn.Tanh(), nn.Linear(3, 3), nn.Tanh()), wave(4, 3)),
        case("parallel_images", Parallel([[nn.Conv2d(1, 2, 1)], [nn.Conv2d(1, 3, 3, padding=1), nn.ReLU()]], 1), wave(2, 1, 3, 3)),
        case("parallel_sequences", Parallel([[nn.Linear(2, 3)], []], 2), steps),
        case("parallel_sum", Parallel([[nn.Linear(3, 2)], [nn.Linear(3, 2), nn.Sigmoid()]]), wave(4, 3)),
    ]


def drawn(seed, draw):
    torch.manual_seed(seed)
    return house.numbers(draw())


def drawn_parameters(make_layer):
    torch.manual_seed(42)
    return {name: house.numbers(p) for name, p in make_layer().named_parameters()}


def init():
    """What is drawn after `torch.manual_seed(seed)`."""
    torch.manual_seed(42)
    linear = [nn.Linear(5, 4), nn.Linear(4, 3)]  # the second goes on where the first stopped

    torch.manual_seed(42)
    conv2d = {name: house.numbers(p) for name, p in nn.Conv2d(2, 3, (2, 3)).named_parameters()}

    def initialized(initialize, shape, **options):
        return drawn(42, lambda: initialize(torch.empty(*shape), **options))

    schemes = {
        "xavier_uniform": (nn.init.xavier_uniform_, {}),
        "xavier_normal": (nn.init.xavier_normal_, {}),
        "kaiming_uniform": (nn.init.kaiming_uniform_, {"nonlinearity": "relu"}),
        "kaiming_normal": (nn.init.kaiming_normal_, {"nonlinearity": "relu"}),
        "normal": (nn.init.normal_, {}),
        "uniform": (nn.init.uniform_, {"a": -0.5, "b": 0.25}),
    }
    return {
        "linear": [
            {"in": layer.in_features, "out": layer.out_features}
            | {name: house.numbers(p) for name, p in layer.named_parameters()}
            for layer in linear
        ],
        # PyTorch draws fewer than 16 normal numbers one by one and more of them in blocks: both ways are here.
        "schemes": [
            {"name": name, "shape": list(shape), "options": options, "values": initialized(scheme, shape, **options)}
            for name, (scheme, options) in schemes.items()
            for shape in ((4, 5), (2, 3), (3, 2, 2, 3))
        ],
        "conv2d": conv2d,
        "layers": [
            {"name": name, "parameters": drawn_parameters(make)}
            for name, make in {
                "embedding": lambda: nn.Embedding(4, 5),
                "rnn": lambda: nn.RNN(3, 2, num_layers=2),
                "lstm": lambda: nn.LSTM(3, 2, bidirectional=True),
                "gru": lambda: nn.GRU(3, 2, bias=False),
                "multi_head_attention": lambda: nn.Sequential(nn.MultiheadAttention(4, 2), nn.Linear(4, 3)),
            }.items()
        ],
        "randperm": [
            {"seed": seed, "epoch": epoch, "order": drawn(seed * 1_000_003 + epoch, lambda: torch.randperm(12))}
            for seed, epoch in ((0, 1), (0, 2), (42, 1), (4295, 1), (2**40, 3))
        ],
        "dropout": {
            "seed": 42,
            "p": 0.3,
            "of_ones": drawn(42, lambda: nn.functional.dropout(torch.ones(3, 6), 0.3)),
            "then_rand": house.numbers(torch.rand(2)),  # the same generator, further on
        },
    }


if __name__ == "__main__":
    house.write_fixture("layers.json", __file__, {"dtype": "float32"}, cases=layers())
    house.write_fixture("init.json", __file__, {"dtype": "float32", "device": "cpu", "seed": 42}, **init())
