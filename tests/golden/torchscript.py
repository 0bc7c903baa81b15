"""Networks written in PyTorch, exported as TorchScript and trained here; `runner` repeats the curves from the same files.

    python tests/golden/torchscript.py      torchscript/*.pt and torchscript.json

The networks are of four kinds: residual convolutions, a transformer encoder, an LSTM, and a linear one with buffers of all
types. Between them they have dropout,
batch normalization, a parameter that is not trained, a weight that two layers share, and a buffer that `forward` replaces by
a new tensor. GELU does not amplify rounding; a unit that ReLU passes on one side only moved a loss of the fifth epoch by 0.01.
They are trained as Python modules, not as TorchScript; `test` are the metrics of the validation rows after the last epoch. Further files are modules that `runner` refuses, and one that draws its
parameters itself.
"""

import io
import zipfile

import torch
from sklearn.datasets import load_digits
from sklearn.metrics import accuracy_score, balanced_accuracy_score, matthews_corrcoef
from sklearn.model_selection import train_test_split
from torch import nn

import house


class Residual(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.norm1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(channels)

    def forward(self, x):
        y = nn.functional.gelu(self.norm1(self.conv1(x)))
        return nn.functional.gelu(x + self.norm2(self.conv2(y)))


class ResNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(1, 6, 3, padding=1)
        self.blocks = nn.Sequential(Residual(6), Residual(6))
        self.dropout = nn.Dropout(0.2)
        self.head = nn.Linear(6, 10)
        self.scale = nn.Parameter(torch.full([6], 2.0), requires_grad=False)
        self.register_buffer("mean", torch.zeros(6))

    def forward(self, x):
        x = self.blocks(nn.functional.gelu(self.stem(x))).mean([2, 3]) * self.scale
        if self.training:
            self.mean = 0.9 * self.mean + 0.1 * x.detach().mean(0)
        return self.head(self.dropout(x - self.mean))


class Encoder(nn.Module):
    """A transformer encoder over the 8 rows of a digit."""

    def __init__(self):
        super().__init__()
        self.embed = nn.Linear(8, 8)
        self.position = nn.Parameter(torch.zeros(8, 8))
        layer = nn.TransformerEncoderLayer(8, 2, dim_feedforward=16, dropout=0.1, batch_first=True)
        self.encoder = nn.TransformerEncoder(layer, 1, enable_nested_tensor=False)
        self.head = nn.Linear(8, 10)

    def forward(self, x):
        return self.head(self.encoder(self.embed(x.squeeze(1)) + self.position).mean(1))


class Lstm(nn.Module):
    """Two LSTM layers with dropout over the 8 rows of a digit, and a weight that two linear layers share."""

    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(8, 12, num_layers=2, batch_first=True, dropout=0.3)
        self.up = nn.Linear(12, 12)
        self.down = nn.Linear(12, 12)
        self.down.weight = self.up.weight
        self.head = nn.Linear(12, 10)

    def forward(self, x):
        last = self.lstm(x.squeeze(1))[0][:, -1]
        return self.head(self.down(torch.tanh(self.up(last))))


class Types(nn.Module):
    """Buffers and a frozen parameter of all types, and parameters that are scalars. Two buffers change in training."""

    def __init__(self):
        super().__init__()
        self.head = nn.Linear(64, 10)
        self.scale = nn.Parameter(torch.tensor(1.0))
        self.frozen = nn.Parameter(torch.tensor([0.5, 1.5], dtype=torch.float16), requires_grad=False)
        for name in ["bool", "uint8", "int8", "int16", "int32", "int64", "float16", "bfloat16", "float64"]:
            self.register_buffer("of_" + name, torch.tensor([1, 0], dtype=getattr(torch, name)))
        self.register_buffer("batches", torch.tensor(0, dtype=torch.int32))
        self.register_buffer("mean", torch.zeros(10, dtype=torch.float64))

    def forward(self, x):
        y = self.head(x.flatten(1)) * self.scale * self.frozen.float().mean()
        if self.training:
            self.batches += 1
            self.mean = 0.9 * self.mean + 0.1 * y.detach().double().mean(0)
        integers = self.of_uint8 + self.of_int8 + self.of_int16 + self.of_int32 + self.of_int64
        floats = self.of_float16 + self.of_bfloat16 + self.of_float64
        return y - self.mean.float() + torch.where(self.of_bool, integers, integers * 0).sum() * floats.float().sum() * 0.01


class TwoArguments(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(64, 10)

    def forward(self, x, mask):
        return self.linear(x) * mask


class Unused(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(64, 10)
        self.forgotten = nn.Linear(2, 3)

    def forward(self, x):
        return self.linear(x)


class Pair(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(64, 10)

    def forward(self, x):
        return self.linear(x), x


class Summed(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(64, 10)

    def forward(self, x):
        return self.linear(x).sum(0)


class Drawn(nn.Module):
    """A module that draws its parameters for each seed."""

    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(64, 10)

    @torch.jit.export
    def reset_parameters(self):
        nn.init.uniform_(self.linear.weight, -0.125, 0.125)
        nn.init.uniform_(self.linear.bias, -0.125, 0.125)

    def forward(self, x):
        return self.linear(x)


def save(network, path):
    """Exports a module without the debug files, which hold the paths of the machine's Python files."""
    buffer = io.BytesIO()
    torch.jit.save(torch.jit.script(network), buffer)
    with zipfile.ZipFile(buffer) as exported, zipfile.ZipFile(path, "w") as file:
        for name in exported.namelist():
            if not name.endswith(".debug_pkl"):
                file.writestr(zipfile.ZipInfo(name), exported.read(name))


def total(key, values):
    """The sum of a tensor, without the bias of the keys of attention: its gradient is zero except for rounding, which Adam
    turns into steps of the size of the learning rate, so that it differs between processors."""
    if key.endswith("in_proj_bias"):
        query, _key, value = values.chunk(3)
        values = torch.cat([query, value])
    return values.double().sum().item()


def run(name, network_class, seed, file, data):
    network = house.build(seed, network_class)
    save(network, house.HERE / "torchscript" / file)
    x, x_val, y, y_val = data
    optimizer = torch.optim.Adam((p for p in network.parameters() if p.requires_grad), lr=1e-3)
    history = house.fit(
        network, nn.CrossEntropyLoss(), optimizer, x, y, seed=seed, epochs=5, batch=64, validation=(x_val, y_val)
    )
    network.eval()
    with torch.no_grad():
        output = network(x_val)
    predicted = output.argmax(1)
    test = {
        "loss": nn.functional.cross_entropy(output, y_val).item(),
        "acc": accuracy_score(y_val, predicted),
        "mcc": matthews_corrcoef(y_val, predicted),
        "balanced_acc": balanced_accuracy_score(y_val, predicted),
    }
    state = network.state_dict()
    names = {torch.float32: "F32", torch.float16: "F16", torch.bfloat16: "BF16", torch.float64: "F64", torch.bool: "BOOL"}
    names |= {torch.uint8: "U8", torch.int8: "I8", torch.int16: "I16", torch.int32: "I32", torch.int64: "I64"}
    final = {key: [list(v.shape), total(key, v), names[v.dtype]] for key, v in state.items()}
    return {"name": name, "seed": seed, "file": file, "history": history, "test": test, "final": final}


if __name__ == "__main__":
    torch.set_num_threads(1)
    (house.HERE / "torchscript").mkdir(exist_ok=True)
    digits = load_digits()
    x = torch.tensor(digits.data, dtype=torch.float32).reshape(-1, 1, 8, 8) / 16
    parts = train_test_split(x.numpy(), digits.target, test_size=0.25, random_state=7, stratify=digits.target)
    data = [torch.tensor(part) for part in parts]
    runs = [
        run("resnet", ResNet, 0, "resnet.pt", data),
        run("encoder", Encoder, 0, "encoder.pt", data),
        run("types", Types, 0, "types.pt", data),
        run("lstm", Lstm, 0, "lstm-0.pt", data),
        run("lstm", Lstm, 1, "lstm-1.pt", data),
    ]
    for network in [TwoArguments(), Unused(), Pair(), Summed(), Drawn()]:
        save(network, house.HERE / "torchscript" / f"{type(network).__name__.lower()}.pt")
    torch.save(nn.Linear(64, 10).state_dict(), house.HERE / "torchscript" / "state_dict.pt")
    settings = {
        "data": "sklearn.load_digits / 16, [1, 8, 8]; a quarter is for validation, random_state 7, stratified",
        "loss": "CrossEntropyLoss",
        "optimizer": "Adam(lr=1e-3)",
        "batch": 64,
        "epochs": 5,
        "threads": 1,
    }
    house.write_fixture("torchscript.json", __file__, settings, runs=runs)
