"""A network that `runner` has trained and saved, loaded into PyTorch: writes saved_network.json.

    runner exp saved_network.toml
    python tests/golden/saved_network.py runs/saved_network/latest/base-seed0.json

Beside this script, saved_network.toml is the experiment and saved_network.safetensors the weights that the command leaves.
They are loaded strictly into the `nn.Sequential` that the history describes (by load_weights.py). Written down are the
logits, in evaluation mode, of the first 8 digits, pixels / 16. Training is not repeated to the last bit on every
processor, so the weights are kept with the logits that belong to them.
"""

import json
import shutil
import sys
from pathlib import Path

import torch
from safetensors.torch import load_file
from sklearn.datasets import load_digits
from torch import nn

import house
from load_weights import layer_of

if __name__ == "__main__":
    history_path = Path(sys.argv[1])
    history = json.loads(history_path.read_text(encoding="utf-8"))
    tensors = load_file(history_path.with_suffix(".safetensors"))
    written = history["config"]["network"]["layers"]
    outputs = [layer["output"] for layer in history["network"]["layers"]]
    network = nn.Sequential(*(layer_of(i, *layer, tensors) for i, layer in enumerate(zip(written, outputs))))
    network.load_state_dict(tensors, strict=True)
    network.eval()

    digits = torch.tensor(load_digits().data[:8], dtype=torch.float32).reshape(8, 1, 8, 8) / 16
    with torch.no_grad():
        logits = network(digits)
    shutil.copyfile(history_path.with_suffix(".safetensors"), house.HERE / "saved_network.safetensors")
    settings = {"dtype": "float32", "device": "cpu", "rows": len(digits)}
    house.write_fixture("saved_network.json", __file__, settings, layers=written, logits=house.numbers(logits))
