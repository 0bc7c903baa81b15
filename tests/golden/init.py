"""What a seed draws on the CPU: writes init.json.

    python tests/golden/init.py

The numbers that PyTorch's initializations, layers, `randperm` and the layers with random masks draw from a seed.
"""

import torch
from torch import nn

import house
from layer_modules import encoder
from layers import wave


def drawn(seed, draw):
    torch.manual_seed(seed)
    return house.numbers(draw())


def drawn_parameters(make_layer):
    torch.manual_seed(42)
    return {name: house.numbers(p) for name, p in make_layer().named_parameters()}


def masked(settings, shape, make_layer):
    """The output of a layer in training, whose weights and masks are drawn from a seed each."""
    torch.manual_seed(42)
    layer, x = make_layer(), wave(*shape, phase=0.4)
    output = drawn(42, lambda: layer(x))
    return {"settings": settings, "input": house.numbers(x), "output": output}


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
            {"settings": settings, "input": shape, "parameters": drawn_parameters(make)}
            for settings, shape, make in (
                ([{"conv1d": {"channels": 3, "kernel": 2}}], [2, 5], lambda: nn.Conv1d(2, 3, 2)),
                ([{"conv_transpose2d": {"channels": 3, "kernel": 2}}], [2, 4, 4], lambda: nn.ConvTranspose2d(2, 3, 2)),
                ([{"embedding": {"tokens": 4, "units": 5}}], [3], lambda: nn.Embedding(4, 5)),
                ([{"positional_encoding": {"learned": True}}], [3, 4], lambda: nn.Embedding(3, 4)),
                ([{"rnn": {"units": 2, "layers": 2}}], [4, 3], lambda: nn.RNN(3, 2, num_layers=2)),
                ([{"lstm": {"units": 2, "bidirectional": True}}], [4, 3], lambda: nn.LSTM(3, 2, bidirectional=True)),
                ([{"gru": {"units": 2, "bias": False}}], [4, 3], lambda: nn.GRU(3, 2, bias=False)),
                (
                    [{"multi_head_attention": 2}, {"linear": 3}],
                    [5, 4],
                    lambda: nn.Sequential(nn.MultiheadAttention(4, 2), nn.Linear(4, 3)),
                ),
                (
                    [{"transformer_encoder": {"heads": 2, "feedforward": 3, "layers": 2}}, {"linear": 3}],
                    [5, 4],
                    lambda: nn.Sequential(encoder(4, 2, layers=2, dim_feedforward=3), nn.Linear(4, 3)),
                ),
                (
                    [{"group_norm": 2}, "rms_norm", {"instance_norm": {"affine": True}}, {"linear": 3}],
                    [4, 3],
                    lambda: nn.Sequential(
                        nn.GroupNorm(2, 4), nn.RMSNorm(3), nn.InstanceNorm1d(4, affine=True), nn.Linear(3, 3)
                    ),
                ),
            )
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
        # In training, with other masks for each: the layer is built, and then draws, from seed 42.
        "masks": [
            masked(settings, shape, make)
            for settings, shape, make in (
                ({"dropout": 0.3}, [6, 5], lambda: nn.Dropout(0.3)),
                ({"dropout2d": 0.4}, [3, 5, 2, 2], lambda: nn.Dropout2d(0.4)),
                ({"alpha_dropout": 0.3}, [6, 5], lambda: nn.AlphaDropout(0.3)),
                (
                    {"transformer_encoder": {"heads": 2, "feedforward": 6, "layers": 2, "dropout": 0.3}},
                    [3, 5, 4],
                    lambda: encoder(4, 2, layers=2, dim_feedforward=6, dropout=0.3),
                ),
                (
                    {"transformer_encoder": {"heads": 1, "feedforward": 3, "dropout": 0.2, "norm_first": True}},
                    [3, 5, 4],
                    lambda: encoder(4, 1, dim_feedforward=3, dropout=0.2, norm_first=True),
                ),
            )
        ],
    }


if __name__ == "__main__":
    house.write_fixture("init.json", __file__, {"dtype": "float32", "device": "cpu", "seed": 42}, **init())
