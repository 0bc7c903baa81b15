"""The fastest possible epoch of overfit_mnist: only its matrix products and gathers.

    python benches/peers/limit.py [--rounds N] [--threads N]

The products are libtorch's, into tensors allocated once, with the shapes of every step: of a linear layer's output, of its
weights' gradient, and, but for the first, of its input's gradient. The gathers take each batch's rows by a permutation.
Prints a line of JSON: the seconds of an epoch's gathers, its products, and the products of its validation; medians.
"""

import argparse
import json
import statistics
import time
from itertools import pairwise

import torch

ROWS, VALIDATION, BATCH, UNITS = 42_000, 18_000, 128, [784, 64, 32, 10]

arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
arguments.add_argument("--rounds", type=int, default=5, help="epochs, after one that is not counted")
arguments.add_argument("--threads", type=int)
arguments = arguments.parse_args()
if arguments.threads:
    torch.set_num_threads(arguments.threads)
torch.manual_seed(0)

x, y = torch.rand(ROWS, UNITS[0]), torch.randint(0, UNITS[-1], (ROWS,))
x_val = torch.rand(VALIDATION, UNITS[0])
weights = [torch.rand(outputs, inputs) for inputs, outputs in pairwise(UNITS)]
gradients = [torch.empty_like(weight) for weight in weights]


class Buffers:
    """Inputs and outputs of every layer for a number of rows, and their gradients."""

    def __init__(self, rows):
        self.values = [torch.rand(rows, units) for units in UNITS]
        self.errors = [torch.rand(rows, units) for units in UNITS]
        self.classes = torch.empty(rows, dtype=torch.int64)


def forward(values):
    for place, weight in enumerate(weights):
        torch.mm(values[place], weight.t(), out=values[place + 1])


def backward(values, errors):
    for place in reversed(range(len(weights))):
        torch.mm(errors[place + 1].t(), values[place], out=gradients[place])
        if place > 0:
            torch.mm(errors[place + 1], weights[place], out=errors[place])


full, last = Buffers(BATCH), Buffers(ROWS % BATCH)
validation = Buffers(VALIDATION).values
validation[0] = x_val
seconds = {"gathers": [], "products": [], "validation": []}
with torch.no_grad():
    for _ in range(arguments.rounds + 1):
        batches = torch.randperm(ROWS).split(BATCH)
        start = time.perf_counter()
        for rows in batches:
            buffers = full if len(rows) == BATCH else last
            torch.index_select(x, 0, rows, out=buffers.values[0])
            torch.index_select(y, 0, rows, out=buffers.classes)
        gathered = time.perf_counter()
        for rows in batches:
            buffers = full if len(rows) == BATCH else last
            forward(buffers.values)
            backward(buffers.values, buffers.errors)
        multiplied = time.perf_counter()
        forward(validation)
        seconds["gathers"].append(gathered - start)
        seconds["products"].append(multiplied - gathered)
        seconds["validation"].append(time.perf_counter() - multiplied)
print(json.dumps({"seconds": {name: statistics.median(times[1:]) for name, times in seconds.items()}}))
