"""overfit_mnist as a careful PyTorch user writes it: tensors in memory, indexed by a permutation, no DataLoader.

    python benches/peers/torch_indexed.py --idx-dir DIR [--epochs N] [--threads N] [--device cuda] [--fused]

The running loss and accuracy stay tensors until the epoch ends: one `.item()` each per epoch. By the house rule its curve
is the one that `runner` draws for seed 0. Prints one line of JSON per epoch: epoch, seconds, loss, acc, val_loss, val_acc.
"""

import torch
from torch import nn

import mnist

arguments = mnist.parse_arguments(__doc__)
device = arguments.device
(x, y), (x_val, y_val) = ((x.to(device), y.to(device)) for x, y in mnist.training_and_validation(arguments))
network, optimizer = mnist.network_and_optimizer(arguments)
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
def validate():
    network.eval()
    output = network(x_val)
    return loss_function(output, y_val).item(), (output.argmax(dim=1) == y_val).sum().item() / len(x_val)


mnist.run_epochs(arguments, epoch_of_training, validate)
