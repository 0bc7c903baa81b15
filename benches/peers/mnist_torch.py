"""Shared by the PyTorch programs: tensors, network, the training loop on indexed tensors, and epochs.

The seeds are those of `runner`; see `tests/golden/house.py`.
"""

import mnist  # first: it starts the time of the imports

import time

import torch
from torch import nn


def parse_arguments(description, extend=lambda parser: None):
    """The arguments of the program; `extend` adds its own ones."""
    arguments = mnist.parser(description)
    extend(arguments)
    arguments.add_argument("--device", default="cpu", help="cpu (default) or cuda")
    arguments.add_argument("--fused", action="store_true", help="fused Adam")
    arguments = arguments.parse_args()
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    arguments.log = mnist.Log(arguments, ["torch", "numpy", "scikit-learn"])
    return arguments


def tensors(images, labels):
    """Pixels as float32 in 0–1, and the classes."""
    return torch.tensor(images, dtype=torch.float32) / 255, torch.tensor(labels, dtype=torch.int64)


def training_and_validation(arguments):
    """((x, y), (x, y))"""
    x, y = tensors(*mnist.images_and_labels(arguments.idx_dir, "train"))
    return tuple((x[rows], y[rows]) for rows in mnist.split(len(x)))


def test(arguments):
    """(x, y)"""
    return tensors(*mnist.images_and_labels(arguments.idx_dir, "t10k"))


def network_and_optimizer(arguments):
    torch.manual_seed(mnist.SEED)
    network = nn.Sequential(nn.Linear(784, 64), nn.ReLU(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))
    network = network.to(arguments.device)
    options = {"fused": True} if arguments.fused else {}
    return network, torch.optim.Adam(network.parameters(), lr=1e-3, **options)


def train_indexed(arguments, network, optimizer, penalty=None, clip=None, block=None):
    """Trains on tensors in memory, indexed by a permutation, and evaluates `block` rows at a time, or all at once.

    Loss and accuracy stay tensors until the epoch ends: one `.item()` each per epoch. `penalty()` is added to the loss of each
    step; `clip()` is called before the optimizer.
    """
    device = arguments.device
    (x, y), (x_val, y_val) = ((x.to(device), y.to(device)) for x, y in training_and_validation(arguments))
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
            (loss + penalty() if penalty else loss).backward()
            if clip:
                clip()
            optimizer.step()
            loss_sum += loss.detach() * len(rows)
            right += (output.argmax(dim=1) == targets).sum()
        return loss_sum.item() / len(x), right.item() / len(x)

    @torch.no_grad()
    def evaluate(x, y):
        network.eval()
        # cloned, because the CUDA graphs of `torch.compile` write every output to the same place
        output = torch.cat([network(rows).clone() for rows in x.split(block)]) if block else network(x)
        return loss_function(output, y).item(), (output.argmax(dim=1) == y).sum().item() / len(x)

    def evaluate_test():
        x, y = (tensor.to(device) for tensor in test(arguments))
        return *evaluate(x, y), len(x)

    run(arguments, epoch_of_training, lambda: evaluate(x_val, y_val), (len(x), len(x_val)), evaluate_test, network)


def run(arguments, epoch_of_training, validate, rows, evaluate_test, network):
    """Runs the epochs (their seconds include validation), then the test, and writes the files."""
    for epoch in range(1, arguments.epochs + 1):
        start = time.perf_counter()
        torch.manual_seed(mnist.SEED * 1_000_003 + epoch)
        loss, acc = epoch_of_training()
        val_loss, val_acc = validate()
        arguments.log.epoch(time.perf_counter() - start, loss, acc, val_loss, val_acc)
    test_loss, test_acc, test_rows = evaluate_test()
    more = {"threads": torch.get_num_threads()}
    if arguments.device != "cpu":
        more["device"] = torch.cuda.get_device_name(arguments.device)
        more["device_peak_mb"] = round(torch.cuda.max_memory_allocated(arguments.device) / 2**20)
    arguments.log.end((*rows, test_rows), test_loss, test_acc, **more)
    if arguments.out:
        torch.save(network.state_dict(), arguments.out / "weights.pt")
