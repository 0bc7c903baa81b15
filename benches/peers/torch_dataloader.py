"""overfit_mnist as most PyTorch tutorials write it: TensorDataset, DataLoader, and `.item()` after each batch.

    python benches/peers/torch_dataloader.py --idx-dir DIR [--epochs N] [--threads N] [--device cuda] [--fused]

Prints one line of JSON per epoch: epoch, seconds, loss, acc, val_loss, val_acc.
"""

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

import mnist

arguments = mnist.parse_arguments(__doc__)
device = arguments.device
training, validation = mnist.training_and_validation(arguments)
training_loader = DataLoader(TensorDataset(*training), batch_size=mnist.BATCH, shuffle=True)
validation_loader = DataLoader(TensorDataset(*validation), batch_size=1000)
network, optimizer = mnist.network_and_optimizer(arguments)
loss_function = nn.CrossEntropyLoss()


def epoch_of_training():
    network.train()
    loss_sum, right, rows = 0.0, 0, 0
    for x, y in training_loader:
        x, y = x.to(device), y.to(device)
        output = network(x)
        loss = loss_function(output, y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        loss_sum += loss.item() * len(y)
        right += (output.argmax(dim=1) == y).sum().item()
        rows += len(y)
    return loss_sum / rows, right / rows


@torch.no_grad()
def validate():
    network.eval()
    loss_sum, right, rows = 0.0, 0, 0
    for x, y in validation_loader:
        x, y = x.to(device), y.to(device)
        output = network(x)
        loss_sum += loss_function(output, y).item() * len(y)
        right += (output.argmax(dim=1) == y).sum().item()
        rows += len(y)
    return loss_sum / rows, right / rows


mnist.run_epochs(arguments, epoch_of_training, validate)
