"""digits_mlp in PyTorch: scikit-learn's digits, full batch, 100 epochs of Adam.

    python benches/peers/digits_torch.py [--threads N] [--out DIR]

With seed 0 its losses are those of `runner exp digits_mlp`. Prints a line of JSON: losses, seconds of the imports, versions;
with `--out` it writes the losses and the weights there.
"""

import time

BEGAN = time.perf_counter()

import argparse
import importlib.metadata
import json
from pathlib import Path

import torch
from sklearn.datasets import load_digits
from torch import nn

imports = time.perf_counter() - BEGAN

arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
arguments.add_argument("--threads", type=int)
arguments.add_argument("--out", type=Path)
arguments = arguments.parse_args()
if arguments.threads:
    torch.set_num_threads(arguments.threads)

digits = load_digits()
x = torch.tensor(digits.data, dtype=torch.float32)
y = torch.tensor(digits.target, dtype=torch.int64)

torch.manual_seed(0)
network = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 16), nn.ReLU(), nn.Linear(16, 10))
loss_function = nn.CrossEntropyLoss()
optimizer = torch.optim.Adam(network.parameters())
losses = []
for _ in range(100):
    optimizer.zero_grad()
    loss = loss_function(network(x), y)
    loss.backward()
    optimizer.step()
    losses.append(loss.item())

versions = {name: importlib.metadata.version(name) for name in ["torch", "scikit-learn"]}
if arguments.out:
    arguments.out.mkdir(parents=True, exist_ok=True)
    (arguments.out / "losses.json").write_text(json.dumps({"loss": losses}))
    torch.save(network.state_dict(), arguments.out / "weights.pt")
print(json.dumps({"rows": len(x), "losses": losses, "imports": imports, "versions": versions}))
