"""overfit_mnist in efficient PyTorch: tensors in memory, indexed by a permutation, no DataLoader.

    python benches/peers/torch_indexed.py --idx-dir DIR [--epochs N] [--threads N] [--out DIR] [--device cuda] [--fused]

Loss and accuracy stay tensors until the epoch ends: one `.item()` each per epoch. With seed 0 its curve is that of `runner`.
`mnist.py` describes the output.
"""

import mnist  # first: it starts the time of the imports

import torch
from torch import nn

import mnist_torch

arguments = mnist_torch.parse_arguments(__doc__)
device = arguments.device
(x, y), (x_val, y_val) = ((x.to(device), y.to(device)) for x, y in mnist_torch.training_and_validation(arguments))
network, optimizer = mnist_torch.network_and_optimizer(arguments)
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
        loss.backward()
        optimizer.step()
        loss_sum += loss.detach() * len(rows)
        right += (output.argmax(dim=1) == targets).sum()
    return loss_sum.item() / len(x), right.item() / len(x)


@torch.no_grad()
def evaluate(x, y):
    network.eval()
    output = network(x)
    return loss_function(output, y).item(), (output.argmax(dim=1) == y).sum().item() / len(x)


def validate():
    return evaluate(x_val, y_val)


def evaluate_test():
    x, y = (tensor.to(device) for tensor in mnist_torch.test(arguments))
    return *evaluate(x, y), len(x)


mnist_torch.run(arguments, epoch_of_training, validate, (len(x), len(x_val)), evaluate_test, network)
