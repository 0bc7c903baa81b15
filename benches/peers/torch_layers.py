"""Variants of overfit_mnist in efficient PyTorch: other layers, a penalty, clipping, a wide network, a small CNN.

    python benches/peers/torch_layers.py CASE --idx-dir DIR [--epochs N] [--threads N] [--out DIR] [--device cuda] [--sgd]

Tensors are in memory and indexed by a permutation, as in `torch_indexed.py`. `CASES` has the networks; the harness trains the same ones
with `runner` (`benches/harness/layers.py`). `mnist.py` describes the output.
"""

import mnist  # first: it starts the time of the imports

import torch
from torch import nn

import mnist_torch


def dense(*between):
    """The network of overfit_mnist with further layers after each hidden one; `between` makes them from the number of units."""
    hidden = [layer for inputs, units in ((784, 64), (64, 32)) for layer in (nn.Linear(inputs, units), *(make(units) for make in between))]
    return nn.Sequential(*hidden, nn.Linear(32, 10))


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
}
L1, NORM, BLOCK = 1e-5, 1.0, 3_000


def extend(parser):
    parser.add_argument("case", choices=CASES)
    parser.add_argument("--sgd", action="store_true", help="SGD at 0.1 in place of Adam")


arguments = mnist_torch.parse_arguments(__doc__, extend)
device = arguments.device
(x, y), (x_val, y_val) = ((x.to(device), y.to(device)) for x, y in mnist_torch.training_and_validation(arguments))
torch.manual_seed(mnist.SEED)
network = CASES[arguments.case]().to(device)
weights = [parameter for name, parameter in network.named_parameters() if name.endswith("weight")]
optimizer = torch.optim.SGD(network.parameters(), lr=0.1) if arguments.sgd else torch.optim.Adam(network.parameters(), lr=1e-3)
loss_function = nn.CrossEntropyLoss()


def epoch_of_training():
    network.train()
    loss_sum = torch.zeros((), dtype=torch.float64, device=device)
    right = torch.zeros((), dtype=torch.int64, device=device)
    order = torch.randperm(len(x)).to(device)
    for rows in order.split(mnist.BATCH):
        targets = y[rows]
        output = network(x[rows])
        loss = loss_function(output, targets)
        optimizer.zero_grad()
        penalty = L1 * sum(weight.abs().sum() for weight in weights) if arguments.case == "l1" else 0.0
        (loss + penalty).backward()
        if arguments.case == "clip":
            nn.utils.clip_grad_norm_(network.parameters(), NORM)
        optimizer.step()
        loss_sum += loss.detach() * len(rows)
        right += (output.argmax(dim=1) == targets).sum()
    return loss_sum.item() / len(x), right.item() / len(x)


@torch.no_grad()
def evaluate(x, y):
    """In blocks, so that the CNN needs little memory."""
    network.eval()
    output = torch.cat([network(rows) for rows in x.split(BLOCK)])
    return loss_function(output, y).item(), (output.argmax(dim=1) == y).sum().item() / len(x)


def evaluate_test():
    x, y = (tensor.to(device) for tensor in mnist_torch.test(arguments))
    return *evaluate(x, y), len(x)


mnist_torch.run(arguments, epoch_of_training, lambda: evaluate(x_val, y_val), (len(x), len(x_val)), evaluate_test, network)
