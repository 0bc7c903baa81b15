"""What the two PyTorch peers share: the data, the network, the clock, and the line that each epoch prints.

The task is `runner`'s experiment overfit_mnist: 784 → 64 ReLU → 32 ReLU → 10, cross-entropy, Adam at 1e-3, batches of 128,
42,000 training and 18,000 validation images. The seeds are drawn by the house rule of `tests/golden/house.py`.
"""

import argparse
import json
import time
from pathlib import Path

import numpy as np
import torch
from sklearn.model_selection import train_test_split
from torch import nn

SEED = 0
BATCH = 128


def parse_arguments(description):
    arguments = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--epochs", type=int, default=30)
    arguments.add_argument("--threads", type=int, default=torch.get_num_threads())
    arguments.add_argument("--idx-dir", type=Path, required=True, help="folder of the four uncompressed IDX files")
    arguments.add_argument("--device", default="cpu", help="cpu (default) or cuda")
    arguments.add_argument("--fused", action="store_true", help="Adam's fused form")
    arguments = arguments.parse_args()
    torch.set_num_threads(arguments.threads)
    return arguments


def read_idx(path):
    """An IDX file of bytes: two zero bytes, the type (8: unsigned bytes), the number of axes, their sizes, the data."""
    data = path.read_bytes()
    axes = data[3]
    shape = np.frombuffer(data, ">u4", count=axes, offset=4)
    return np.frombuffer(data, np.uint8, offset=4 + 4 * axes).reshape(shape)


def training_and_validation(arguments):
    """((x, y), (x, y)): pixels as float32 in 0–1, flattened, split 7:3 as the walkthrough does."""
    images = read_idx(arguments.idx_dir / "train-images-idx3-ubyte")
    labels = read_idx(arguments.idx_dir / "train-labels-idx1-ubyte")
    x = torch.tensor(images.reshape(len(images), -1), dtype=torch.float32) / 255
    y = torch.tensor(labels, dtype=torch.int64)
    parts = train_test_split(np.arange(len(x)), test_size=0.3, random_state=777)
    return tuple((x[rows], y[rows]) for rows in parts)


def network_and_optimizer(arguments):
    torch.manual_seed(SEED)
    network = nn.Sequential(nn.Linear(784, 64), nn.ReLU(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))
    network = network.to(arguments.device)
    options = {"fused": True} if arguments.fused else {}
    return network, torch.optim.Adam(network.parameters(), lr=1e-3, **options)


def run_epochs(arguments, epoch_of_training, validate):
    """Calls the two functions epoch by epoch, and prints one line of JSON for each. The time is that of both."""
    for epoch in range(1, arguments.epochs + 1):
        start = time.perf_counter()
        torch.manual_seed(SEED * 1_000_003 + epoch)
        loss, acc = epoch_of_training()
        val_loss, val_acc = validate()
        seconds = time.perf_counter() - start
        line = {"epoch": epoch, "seconds": seconds, "loss": loss, "acc": acc, "val_loss": val_loss, "val_acc": val_acc}
        print(json.dumps(line), flush=True)
