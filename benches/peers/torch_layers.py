"""Variants of overfit_mnist in efficient PyTorch: other layers, a penalty, clipping, a wide network, a small CNN, an LSTM.

    python benches/peers/torch_layers.py CASE --idx-dir DIR [--epochs N] [--threads N] [--out DIR] [--device cuda] [--fused]
                                         [--sgd RATE] [--compile [MODE]]

The training loop is that of `torch_indexed.py`. `CASES` has the networks; the harness (`benches/harness/layers.py`) and
`benches/gpu.sh` train the same ones with `runner`. `mnist.py` describes the output.
"""

import mnist  # first: it starts the time of the imports

import torch
from torch import nn

import mnist_torch


def dense(*between):
    """The network of overfit_mnist with further layers after each hidden one; `between` makes them from the number of units."""
    hidden = [layer for inputs, units in ((784, 64), (64, 32)) for layer in (nn.Linear(inputs, units), *(make(units) for make in between))]
    return nn.Sequential(*hidden, nn.Linear(32, 10))


class Rows(nn.Module):
    """An LSTM that reads an image row by row; its output after the last row."""

    def __init__(self, units):
        super().__init__()
        self.lstm = nn.LSTM(28, units, batch_first=True)

    def forward(self, images):
        return self.lstm(images.view(-1, 28, 28))[0][:, -1]


relu = lambda units: nn.ReLU()
CASES = {
    "plain": lambda: dense(relu),
    "dropout": lambda: dense(relu, lambda units: nn.Dropout(0.3)),
    "batch_norm": lambda: dense(nn.BatchNorm1d, relu),
    "layer_norm": lambda: dense(nn.LayerNorm, relu),
    "gelu": lambda: dense(lambda units: nn.GELU()),
    "l1": lambda: dense(relu),
    "clip": lambda: dense(relu),
    "wide": lambda: nn.Sequential(nn.Linear(784, 1024), nn.ReLU(), nn.Linear(1024, 1024), nn.ReLU(), nn.Linear(1024, 10)),
    "cnn": lambda: nn.Sequential(
        *(nn.Unflatten(1, (1, 28, 28)), nn.Conv2d(1, 8, 3), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(8, 16, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(400, 10)),
    ),
    "lstm": lambda: nn.Sequential(Rows(128), nn.Linear(128, 10)),
}
L1, NORM, BLOCK = 1e-5, 1.0, 3_000


def extend(parser):
    parser.add_argument("case", choices=CASES)
    parser.add_argument("--sgd", type=float, metavar="RATE", help="SGD with this learning rate in place of Adam")
    parser.add_argument("--compile", nargs="?", const="default", metavar="MODE", help="compile the network with torch.compile")


arguments = mnist_torch.parse_arguments(__doc__, extend)
torch.backends.cudnn.allow_tf32 = False  # full float32, as runner computes
torch.manual_seed(mnist.SEED)
network = CASES[arguments.case]().to(arguments.device)
if arguments.sgd:
    optimizer = torch.optim.SGD(network.parameters(), lr=arguments.sgd)
else:
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3, fused=arguments.fused or None)
weights = [parameter for name, parameter in network.named_parameters() if name.endswith("weight")]
penalty = (lambda: L1 * sum(weight.abs().sum() for weight in weights)) if arguments.case == "l1" else None
clip = (lambda: nn.utils.clip_grad_norm_(network.parameters(), NORM)) if arguments.case == "clip" else None
if arguments.compile:
    network = torch.compile(network, mode=arguments.compile)  # `network.compile()` leaves an `nn.Sequential` as it is
# In blocks, so that the CNN needs little memory.
mnist_torch.train_indexed(arguments, network, optimizer, penalty, clip, BLOCK)
