"""Shared by the two PyTorch programs: tensors, network and epochs.

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
