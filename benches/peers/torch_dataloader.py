"""overfit_mnist as in most PyTorch tutorials: TensorDataset, DataLoader, and `.item()` after each batch.

    python benches/peers/torch_dataloader.py --idx-dir DIR [--epochs N] [--threads N] [--out DIR] [--device cuda] [--fused]

`mnist.py` describes the output.
"""

import mnist  # first: it starts the time of the imports

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

import mnist_torch

arguments = mnist_torch.parse_arguments(__doc__)
device = arguments.device
training, validation = mnist_torch.training_and_validation(arguments)
training_loader = DataLoader(TensorDataset(*training), batch_size=mnist.BATCH, shuffle=True)
validation_loader = DataLoader(TensorDataset(*validation), batch_size=1000)
network, optimizer = mnist_torch.network_and_optimizer(arguments)
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
def evaluate(loader):
    network.eval()
    loss_sum, right, rows = 0.0, 0, 0
    for x, y in loader:
        x, y = x.to(device), y.to(device)
        output = network(x)
        loss_sum += loss_function(output, y).item() * len(y)
        right += (output.argmax(dim=1) == y).sum().item()
        rows += len(y)
    return loss_sum / rows, right / rows


def validate():
    return evaluate(validation_loader)


def evaluate_test():
    test = TensorDataset(*mnist_torch.test(arguments))
    return *evaluate(DataLoader(test, batch_size=1000)), len(test)


rows = (len(training[0]), len(validation[0]))
mnist_torch.run(arguments, epoch_of_training, validate, rows, evaluate_test, network)
