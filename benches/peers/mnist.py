"""Shared by the programs that train `overfit_mnist`: arguments, files, split and output.

The task is `runner`'s experiment overfit_mnist: 784 → 64 ReLU → 32 ReLU → 10, cross-entropy, Adam at 1e-3, batches of 128,
42,000 training and 18,000 validation images, and a test of the last epoch on 10,000 images.

Each program imports this module first, which starts the time of its imports. It prints a line of JSON for each epoch (epoch,
seconds, loss, acc, val_loss, val_acc), and one at the end (rows, test metrics, seconds of the imports, versions). With `--out` it
writes its history and its weights, like `runner`.
"""

import time

BEGAN = time.perf_counter()

import argparse
import importlib.metadata
import json
import platform
from pathlib import Path

import numpy as np
from sklearn.model_selection import train_test_split

SEED = 0
BATCH = 128


def parser(description):
    arguments = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--epochs", type=int, default=30)
    arguments.add_argument("--threads", type=int, help="CPU threads (default: chosen by the library)")
    arguments.add_argument("--idx-dir", type=Path, required=True, help="folder of the four uncompressed IDX files")
    arguments.add_argument("--out", type=Path, help="folder to write history and weights to")
    return arguments


def read_idx(path):
    """An IDX file of bytes: two zero bytes, the type (8: unsigned bytes), the number of axes, their sizes, the data."""
    data = path.read_bytes()
    axes = data[3]
    shape = np.frombuffer(data, ">u4", count=axes, offset=4)
    return np.frombuffer(data, np.uint8, offset=4 + 4 * axes).reshape(shape)


def images_and_labels(folder, part):
    """Bytes, `[rows, 784]` and `[rows]`, of the part `train` or `t10k`."""
    images = read_idx(folder / f"{part}-images-idx3-ubyte")
    return images.reshape(len(images), -1), read_idx(folder / f"{part}-labels-idx1-ubyte")


def split(rows):
    """The numbers of the training and of the validation rows, 7:3 as the walkthrough splits them."""
    return train_test_split(np.arange(rows), test_size=0.3, random_state=777)


class Log:
    """Prints and keeps the epochs, then prints the end. The imports end when it is created."""

    def __init__(self, arguments, packages):
        self.imports = time.perf_counter() - BEGAN
        self.out = arguments.out
        self.packages = packages
        self.epochs = []

    def epoch(self, seconds, loss, acc, val_loss, val_acc):
        line = {"epoch": len(self.epochs) + 1, "seconds": seconds}
        line |= {"loss": float(loss), "acc": float(acc), "val_loss": float(val_loss), "val_acc": float(val_acc)}
        self.epochs.append(line)
        print(json.dumps(line), flush=True)

    def end(self, rows, test_loss, test_acc, **more):
        end = {"rows": dict(zip(("train", "validation", "test"), rows, strict=True))}
        end["test"] = {"loss": float(test_loss), "acc": float(test_acc)}
        end["imports"] = self.imports
        end["versions"] = {name: importlib.metadata.version(name) for name in self.packages}
        end["versions"]["Python"] = platform.python_version()
        end |= more
        if self.out:
            self.out.mkdir(parents=True, exist_ok=True)
            history = {name: [line[name] for line in self.epochs] for name in self.epochs[0]}
            (self.out / "history.json").write_text(json.dumps({"history": history} | end, indent=2))
        print(json.dumps(end), flush=True)
