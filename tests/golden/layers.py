"""Every layer forward and backward on small inputs, and two steps of training: writes layers.json.

    python tests/golden/layers.py

For each layer: its settings in an experiment file, its parameters, and for each call the input, the output, the upstream
gradient (what is fed to `backward`), and the gradients of input and parameters. BatchNorm is called on two batches in
training mode, then once in evaluation mode, with the running statistics after each call. Inputs hold the corners on purpose:
0 for ReLU and its relatives, ±200 for softmax, ties for max pooling, a constant column for BatchNorm.

`training`: the layer after a linear layer (for images, a 1×1 convolution), on smooth inputs, with all parameters before and
after two steps of SGD with momentum on the mean of the squared outputs. `multiply_adds`: those of the layer for one row, as
`torch.utils.flop_counter` counts them.
"""

import copy

import torch
from torch import nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

import house
from layer_modules import (
    Attention,
    Function,
    Ids,
    LearnedPositions,
    Parallel,
    PositionalEncoding,
    Residual,
    encoder,
    last,
    sequence,
)

LR, MOMENTUM = 0.1, 0.9  # of the two steps


def wave(*shape, phase=0.0):
    """Fixed numbers in (-2, 2) with no pattern that a wrong index could hide behind."""
    count = torch.Size(shape).numel()
    return (2 * torch.sin(1.7 * torch.arange(count, dtype=torch.float64) + phase)).float().reshape(shape)


# Around 0, at 0, and far out on both sides.
CORNERS = torch.tensor([[-200.0, -3.0, -0.5, -1e-3, 0.0], [1e-3, 0.5, 3.0, 25.0, 200.0]])
ROUNDED_IMAGE = torch.round(wave(2, 1, 4, 4))  # whole numbers, so that most windows hold their maximum twice
CONSTANT_COLUMN = torch.cat([wave(4, 2, phase=0.3), torch.full((4, 1), 1.5)], dim=1)
ROWS = wave(4, 3)
IMAGES = wave(2, 2, 5, 4, phase=0.4)
SIGNALS = wave(2, 3, 7, phase=0.4)
STEPS = wave(3, 4, 2, phase=0.6)  # 3 rows of 4 steps with 2 features
TOKENS = wave(3, 5, 4, phase=0.6) / 2
BATCHES = [wave(2, 2, 2, 3, phase=0.2), wave(1, 2, 2, 3, phase=0.7), wave(2, 2, 2, 3, phase=1.1)]


def set_parameters(layer):
    """Replaces a layer's parameters with fixed numbers, so that the fixture does not hang on the generator."""
    with torch.no_grad():
        for i, parameter in enumerate(layer.parameters()):
            parameter.copy_(wave(*parameter.shape, phase=0.9 + i) / 2)
    return layer


def call(layer, x, scale=1.0):
    """One forward and backward pass, and what came out of it; `scale` is that of the upstream gradient."""
    x = x.clone().requires_grad_()
    layer.zero_grad()
    output = layer(x)
    upstream = wave(*output.shape, phase=2.2) * scale
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


def case(name, settings, layer, *inputs, scale=1.0):
    layer = set_parameters(layer)
    parameters = {key: house.numbers(p) for key, p in layer.named_parameters()}
    entry = {"name": name, "settings": settings, "layer": repr(layer), "parameters": parameters}
    entry["multiply_adds"] = multiply_adds(layer, inputs[0])
    entry["training"] = training(settings, copy.deepcopy(layer), inputs[0])
    return entry | {"calls": [call(layer, x, scale) for x in inputs]}


def with_averages(name, settings, layer, first, second, third):
    """Two batches in training mode (of different sizes), then one in evaluation mode, which uses the running averages."""
    entry = case(name, settings, layer, first, second)
    layer.eval()
    entry["calls"].append(call(layer, third))
    return entry


def multiply_adds(layer, x):
    """Multiplications, each with an addition, for one row."""
    layer = copy.deepcopy(layer).eval()
    # not by operations that are not counted: fused attention, and recurrent layers of MKL-DNN
    unfused = torch.backends.mkldnn.flags(enabled=False), sdpa_kernel(SDPBackend.MATH)
    with unfused[0], unfused[1], FlopCounterMode(display=False) as counter:
        layer(x)
    return counter.get_total_flops() // 2 // len(x)


def training(settings, layer, x):
    """All parameters and buffers before and after two steps of SGD."""
    layers, modules = [settings], [layer]
    if not isinstance(layer, Ids):
        x, size = wave(*x.shape, phase=0.4) / 2, x.shape[1 if x.dim() == 4 else -1]
        first = nn.Conv2d(size, size, 1) if x.dim() == 4 else nn.Linear(size, size)
        modules.insert(0, set_parameters(first))
        layers.insert(0, {"conv2d": {"channels": size, "kernel": 1}} if x.dim() == 4 else {"linear": size})
    network = nn.Sequential(*modules)
    before = {name: house.numbers(p) for name, p in network.named_parameters()}
    optimizer = torch.optim.SGD(network.parameters(), lr=LR, momentum=MOMENTUM)
    for _ in range(2):
        optimizer.zero_grad()
        network(x).square().mean().backward()
        optimizer.step()
    after = {name: house.numbers(p) for name, p in network.state_dict().items()}
    return {"layers": layers, "input": house.numbers(x), "before": before, "after": after}


def elementwise():
    return [
        case("relu", "relu", nn.ReLU(), CORNERS),
        case("leaky_relu", {"leaky_relu": 0.01}, nn.LeakyReLU(0.01), CORNERS),
        case("elu", {"elu": {}}, nn.ELU(), CORNERS),
        case("elu_alpha", {"elu": 0.5}, nn.ELU(0.5), CORNERS),
        case("gelu", {"gelu": {}}, nn.GELU(), CORNERS),
        case("gelu_tanh", {"gelu": {"approximate": "tanh"}}, nn.GELU(approximate="tanh"), CORNERS),
        case("softplus", {"softplus": {}}, nn.Softplus(), CORNERS),
        case("softplus_other", {"softplus": {"beta": 2, "threshold": 5}}, nn.Softplus(2.0, 5.0), CORNERS),
        case("sigmoid", "sigmoid", nn.Sigmoid(), CORNERS),
        case("tanh", "tanh", nn.Tanh(), CORNERS),
        case("silu", "silu", nn.SiLU(), CORNERS),
        case("mish", "mish", nn.Mish(), CORNERS),
        case("hardswish", "hardswish", nn.Hardswish(), CORNERS),
        case("selu", "selu", nn.SELU(), CORNERS),
        case("prelu", {"prelu": {}}, nn.PReLU(), CORNERS),
        case("softmax", "softmax", nn.Softmax(dim=-1), torch.cat([CORNERS, wave(2, 5), torch.zeros(1, 5)])),
        case("log_softmax", "log_softmax", nn.LogSoftmax(dim=-1), torch.cat([CORNERS, wave(2, 5)])),
        # Without random masks: what they draw is in init.json.
        case("dropout", {"dropout": 0}, nn.Dropout(0.0), ROWS),
        case("dropout2d", {"dropout2d": 0}, nn.Dropout2d(0.0), BATCHES[0]),
        case("alpha_dropout", {"alpha_dropout": 0}, nn.AlphaDropout(0.0), ROWS),
    ]


def normalizations():
    signals = wave(3, 4, 5, phase=0.6)
    rows = [CONSTANT_COLUMN, wave(5, 3, phase=0.7), wave(2, 3, phase=1.1)]
    tracking = {"eps": 1e-3, "momentum": 0.3, "affine": True, "track_running_stats": True}
    return [
        with_averages("batch_norm1d", {"batch_norm": {}}, nn.BatchNorm1d(3), *rows),
        with_averages(
            "batch_norm2d",
            {"batch_norm": {"eps": 1e-3, "momentum": 0.3}},
            nn.BatchNorm2d(2, eps=1e-3, momentum=0.3),
            *BATCHES,
        ),
        case("layer_norm", {"layer_norm": {}}, nn.LayerNorm(3), torch.cat([wave(3, 3), torch.full((1, 3), 0.5)])),
        case("layer_norm_image", {"layer_norm": {}}, nn.LayerNorm((2, 2, 3)), wave(3, 2, 2, 3)),
        case("layer_norm_of_sequence", {"layer_norm": {}}, nn.LayerNorm(5), signals),
        case("group_norm", {"group_norm": 2}, nn.GroupNorm(2, 4), signals),
        case(
            "group_norm_image",
            {"group_norm": {"groups": 3, "eps": 1e-3, "affine": False}},
            nn.GroupNorm(3, 3, eps=1e-3, affine=False),
            wave(2, 3, 2, 4, phase=0.2),
        ),
        case("instance_norm1d", "instance_norm", nn.InstanceNorm1d(4), signals),
        with_averages("instance_norm2d", {"instance_norm": tracking}, nn.InstanceNorm2d(2, **tracking), *BATCHES),
        case("rms_norm", "rms_norm", nn.RMSNorm(3), ROWS),
        case("rms_norm_image", {"rms_norm": {"eps": 1e-3}}, nn.RMSNorm((2, 2, 3), eps=1e-3), wave(3, 2, 2, 3)),
        case(
            "rms_norm_of_sequence", {"rms_norm": {"affine": False}}, nn.RMSNorm(5, elementwise_affine=False), signals
        ),
    ]


def images_and_signals():
    oblong = {"channels": 3, "kernel": [2, 3], "stride": [2, 1], "padding": [0, 1], "bias": False}
    enlarging = {"kernel": [3, 2], "stride": [2, 3], "padding": [1, 0], "output_padding": [1, 2], "bias": False}
    overlapping = {"kernel": 3, "stride": 2, "padding": 1}
    oblong_pool = {"kernel": [2, 3], "stride": 1, "padding": 1}
    return [
        case("linear", {"linear": {"units": 2}}, nn.Linear(3, 2), ROWS),
        case(
            "conv2d",
            {"conv2d": {"channels": 2, "kernel": 3, "padding": 1}},
            nn.Conv2d(1, 2, 3, padding=1),
            wave(2, 1, 4, 4),
        ),
        case(
            "conv2d_oblong",
            {"conv2d": oblong},
            nn.Conv2d(2, 3, (2, 3), stride=(2, 1), padding=(0, 1), bias=False),
            IMAGES,
        ),
        case("conv1d", {"conv1d": {"channels": 2, "kernel": 3}}, nn.Conv1d(3, 2, 3), SIGNALS),
        case(
            "conv1d_strided",
            {"conv1d": {"channels": 4, "kernel": 2, "stride": 2, "padding": 1, "bias": False}},
            nn.Conv1d(3, 4, 2, stride=2, padding=1, bias=False),
            SIGNALS,
        ),
        case(
            "conv_transpose2d", {"conv_transpose2d": {"channels": 3, "kernel": 2}}, nn.ConvTranspose2d(2, 3, 2), IMAGES
        ),
        case(
            "conv_transpose2d_oblong",
            {"conv_transpose2d": {"channels": 3} | enlarging},
            nn.ConvTranspose2d(2, 3, (3, 2), stride=(2, 3), padding=(1, 0), output_padding=(1, 2), bias=False),
            IMAGES,
        ),
        case("max_pool2d", {"max_pool2d": 2}, nn.MaxPool2d(2), ROUNDED_IMAGE),
        case("max_pool2d_overlapping", {"max_pool2d": overlapping}, nn.MaxPool2d(3, 2, padding=1), wave(2, 2, 5, 4)),
        case("avg_pool2d", {"avg_pool2d": 2}, nn.AvgPool2d(2), ROUNDED_IMAGE),
        case("avg_pool2d_overlapping", {"avg_pool2d": oblong_pool}, nn.AvgPool2d((2, 3), 1, (1, 1)), wave(2, 2, 4, 4)),
        case("max_pool1d", {"max_pool1d": 2}, nn.MaxPool1d(2), torch.round(SIGNALS)),
        case("max_pool1d_overlapping", {"max_pool1d": overlapping}, nn.MaxPool1d(3, 2, padding=1), SIGNALS),
        case("avg_pool1d", {"avg_pool1d": 2}, nn.AvgPool1d(2), SIGNALS),
        case("avg_pool1d_overlapping", {"avg_pool1d": overlapping}, nn.AvgPool1d(3, 2, padding=1), SIGNALS),
        case("adaptive_avg_pool2d", {"adaptive_avg_pool2d": [3, 2]}, nn.AdaptiveAvgPool2d((3, 2)), IMAGES),
        case("adaptive_avg_pool2d_one", {"adaptive_avg_pool2d": 1}, nn.AdaptiveAvgPool2d(1), IMAGES),
        case("global_avg_pool", "global_avg_pool", Function(lambda x: x.mean((2, 3))), wave(2, 3, 2, 4)),
        case("flatten", "flatten", nn.Flatten(), wave(2, 2, 3)),
        case("reshape", {"reshape": [2, 3]}, Function(lambda x: x.reshape(-1, 2, 3)), wave(4, 6)),
        case("permute", {"permute": [2, 1]}, Function(lambda x: x.permute(0, 2, 1)), SIGNALS),
        case("permute_image", {"permute": [3, 1, 2]}, Function(lambda x: x.permute(0, 3, 1, 2)), IMAGES),
    ]


def sequences():
    relu = {"units": 3, "nonlinearity": "relu", "bias": False, "returns": "sequence"}
    deep = {"units": 3, "layers": 2, "bidirectional": True}
    in_pytorch = {"num_layers": 2, "bidirectional": True, "batch_first": True}
    ids = torch.tensor([[0.0, 4.0, 4.0], [1.0, 2.0, 0.0]])
    small = 1 / 64  # gradients of about 1, so that rounding errors are small next to 1
    norm_first = {"dropout": 0.0, "norm_first": True, "activation": "gelu"}
    return [
        case("linear_of_sequence", {"linear": 3}, nn.Linear(2, 3), STEPS),
        case("mean_over_time", "mean_over_time", Function(lambda x: x.mean(1)), STEPS),
        case("embedding", {"embedding": {"tokens": 5, "units": 3}}, Ids(5, 3), ids),
        case("positional_encoding", "positional_encoding", PositionalEncoding(), wave(3, 6, 5)),
        case("learned_positions", {"positional_encoding": {"learned": True}}, LearnedPositions(4, 2), STEPS),
        case("rnn", {"rnn": 3}, last(nn.RNN)(2, 3, batch_first=True), STEPS),
        case(
            "rnn_relu", {"rnn": relu}, sequence(nn.RNN)(2, 3, nonlinearity="relu", bias=False, batch_first=True), STEPS
        ),
        case("lstm", {"lstm": 3}, last(nn.LSTM)(2, 3, batch_first=True), STEPS),
        case("lstm_deep", {"lstm": deep | {"returns": "sequence"}}, sequence(nn.LSTM)(2, 3, **in_pytorch), STEPS),
        case("gru", {"gru": deep}, last(nn.GRU)(2, 3, **in_pytorch), STEPS),
        case("multi_head_attention", {"multi_head_attention": 2}, Attention(4, 2, batch_first=True), TOKENS),
        case(
            "attention_without_bias",
            {"multi_head_attention": {"heads": 1, "bias": False}},
            Attention(4, 1, bias=False, batch_first=True),
            wave(3, 5, 4, phase=0.1) / 2,
        ),
        case(
            "transformer_encoder",
            {"transformer_encoder": {"heads": 2, "feedforward": 6, "layers": 2, "dropout": 0}},
            encoder(4, 2, layers=2, dim_feedforward=6, dropout=0.0),
            TOKENS,
            scale=small,
        ),
        case(
            "transformer_encoder_norm_first",
            {"transformer_encoder": {"heads": 1, "feedforward": 3, "eps": 1e-3} | norm_first},
            encoder(4, 1, dim_feedforward=3, layer_norm_eps=1e-3, **norm_first),
            TOKENS,
            scale=small,
        ),
    ]


def blocks():
    halving = {"conv2d": {"channels": 3, "kernel": 3, "stride": 2, "padding": 1}}
    projection = {"conv2d": {"channels": 3, "kernel": 1, "stride": 2, "bias": False}}
    branches = [
        [{"conv2d": {"channels": 2, "kernel": 1}}],
        [{"conv2d": {"channels": 3, "kernel": 3, "padding": 1}}, "relu"],
    ]
    return [
        case("residual", {"residual": [{"linear": 3}, "tanh"]}, Residual([nn.Linear(3, 3), nn.Tanh()]), ROWS),
        with_averages(
            "residual_projection",
            {"residual": {"layers": [halving, {"batch_norm": {}}], "projection": [projection]}},
            Residual([nn.Conv2d(2, 3, 3, 2, padding=1), nn.BatchNorm2d(3)], [nn.Conv2d(2, 3, 1, 2, bias=False)]),
            wave(2, 2, 4, 4, phase=0.2),
            wave(1, 2, 4, 4, phase=0.7),
            wave(2, 2, 4, 4, phase=1.1),
        ),
        case(
            "repeat",
            {"repeat": {"times": 2, "layers": [{"linear": 3}, "tanh"]}},
            nn.Sequential(nn.Linear(3, 3), nn.Tanh(), nn.Linear(3, 3), nn.Tanh()),
            ROWS,
        ),
        case(
            "parallel_images",
            {"parallel": {"branches": branches}},
            Parallel([[nn.Conv2d(1, 2, 1)], [nn.Conv2d(1, 3, 3, padding=1), nn.ReLU()]], 1),
            wave(2, 1, 3, 3),
        ),
        case(
            "parallel_sequences",
            {"parallel": {"branches": [[{"linear": 3}], []]}},
            Parallel([[nn.Linear(2, 3)], []], 2),
            STEPS,
        ),
        case(
            "parallel_sum",
            {"parallel": {"branches": [[{"linear": 2}], [{"linear": 2}, "sigmoid"]], "join": "add"}},
            Parallel([[nn.Linear(3, 2)], [nn.Linear(3, 2), nn.Sigmoid()]]),
            ROWS,
        ),
    ]


if __name__ == "__main__":
    shared = {"dtype": "float32", "sgd": {"lr": LR, "momentum": MOMENTUM}}
    cases = elementwise() + images_and_signals() + normalizations() + sequences() + blocks()
    house.write_fixture("layers.json", __file__, shared, cases=cases)
