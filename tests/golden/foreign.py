"""Histories as other programs write them: fills tests/golden/foreign/.

    python -m venv VENV
    VENV/bin/pip install torch==2.11.0 scikit-learn==1.9.1 keras==3.15.1 skorch==1.4.0 lightning==2.6.6 tensorboard==2.21.0
    VENV/bin/python tests/golden/foreign.py

    python -m venv TF
    TF/bin/pip install tensorflow-cpu==2.21.0 keras==3.15.1 tensorboard==2.21.0 scikit-learn==1.9.1
    TF/bin/python tests/golden/foreign.py --tensorflow

The first makes all but `keras_tensorboard/`, which Keras's own callback writes and which needs TensorFlow. Each is a
small network on scikit-learn's digits, trained by the program itself. `expected.json` holds, for each, what the program
reports while it trains, taken from its objects and never from its files: the metrics by epoch under `runner`'s names, and
where it is known the number of batches at the end of each epoch. Epochs are counted from 1.

`diverged` is made so: a learning rate that drives the loss to infinity and beyond.
"""

import json
import os
import shutil
import sys
from pathlib import Path

os.environ.setdefault("KERAS_BACKEND", "tensorflow" if "--tensorflow" in sys.argv else "torch")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np
from sklearn.datasets import load_digits

FOLDER = Path(__file__).parent / "foreign"
EXPECTED = FOLDER / "expected.json"
EPOCHS = 12
TRAIN, VALIDATION = slice(0, 1000), slice(1000, 1400)
BATCH = 100


def digits():
    pixels, labels = load_digits(return_X_y=True)
    return (pixels / 16).astype(np.float32), labels.astype(np.int64)


def series(values, first=1):
    """A metric's points: [[epoch, value], …], with what is not finite as a string."""
    written = lambda value: float(value) if np.isfinite(value) else {"nan": "nan", "inf": "inf", "-inf": "-inf"}[str(float(value))]
    return [[epoch, written(value)] for epoch, value in enumerate(values, first)]


# ---------------------------------------------------------------- Keras


def keras_network(lr):
    import keras

    keras.utils.set_random_seed(0)
    network = keras.Sequential([keras.Input((64,)), keras.layers.Dense(16, "relu"), keras.layers.Dense(10, "softmax")])
    # `accuracy` is what most write; the loss is the sparse one, so labels stay whole numbers
    network.compile(keras.optimizers.SGD(lr), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return network


def keras_fit(network, callbacks):
    x, y = digits()
    return network.fit(
        x[TRAIN], y[TRAIN], batch_size=BATCH, epochs=EPOCHS, verbose=0,
        validation_data=(x[VALIDATION], y[VALIDATION]), callbacks=callbacks,
    ).history


def of_keras(history):
    names = {"loss": "loss", "accuracy": "acc", "val_loss": "val_loss", "val_accuracy": "val_acc", "learning_rate": "lr"}
    return {"format": "keras", "series": {names[name]: series(values) for name, values in history.items()}}


def keras_histories():
    import keras

    halve = keras.callbacks.LearningRateScheduler(lambda epoch, lr: lr / 2 if epoch == 6 else lr)
    history = keras_fit(keras_network(0.5), [halve, keras.callbacks.CSVLogger(FOLDER / "keras.csv")])
    with open(FOLDER / "keras.json", "w") as file:
        json.dump(history, file)
    yield "keras.json", of_keras(history)
    yield "keras.csv", of_keras(history) | {"format": "csv"}

    # a regression at a rate that is far too large: the loss grows to infinity, and what follows is NaN
    keras.utils.set_random_seed(0)
    x, y = digits()
    network = keras.Sequential([keras.Input((64,)), keras.layers.Dense(1)])
    network.compile(keras.optimizers.SGD(1e4), "mse")
    history = network.fit(x, y, batch_size=len(x), epochs=EPOCHS, verbose=0).history
    assert any(np.isinf(history["loss"])) and any(np.isnan(history["loss"])), history
    with open(FOLDER / "keras_diverged.json", "w") as file:
        json.dump({"history": history, "epoch": list(range(EPOCHS))}, file)  # Python's NaN and Infinity, in a wrapper
    yield "keras_diverged.json", of_keras(history)


def keras_tensorboard():
    import keras

    shutil.rmtree(FOLDER / "keras_tensorboard", ignore_errors=True)
    halve = keras.callbacks.LearningRateScheduler(lambda epoch, lr: lr / 2 if epoch == 6 else lr)
    board = keras.callbacks.TensorBoard(FOLDER / "keras_tensorboard", write_graph=False)
    history = keras_fit(keras_network(0.5), [halve, board])
    yield "keras_tensorboard", of_keras(history) | {"format": "tensorboard"}


# ---------------------------------------------------------------- PyTorch


def torch_network():
    import torch
    from torch import nn

    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(64, 16), nn.ReLU(), nn.Linear(16, 10))


def skorch_history():
    import skorch
    import torch

    x, y = digits()
    x, y = x[:1400], y[:1400]
    network = skorch.NeuralNetClassifier(
        torch_network(), criterion=torch.nn.CrossEntropyLoss, optimizer=torch.optim.SGD, lr=0.5, batch_size=BATCH,
        max_epochs=EPOCHS, verbose=0, train_split=skorch.dataset.ValidSplit(5, stratified=True),
        callbacks=[
            skorch.callbacks.EpochScoring("accuracy", name="train_acc", on_train=True, lower_is_better=False),
            skorch.callbacks.LRScheduler(torch.optim.lr_scheduler.StepLR, step_size=6),
        ],
    )
    network.fit(x, y)
    network.history.to_file(FOLDER / "skorch.json")
    names = {"train_loss": "loss", "valid_loss": "val_loss", "valid_acc": "val_acc", "train_acc": "acc", "dur": "seconds", "event_lr": "lr"}
    batches = -(-len(x) * 4 // 5 // BATCH)
    yield "skorch.json", {
        "format": "skorch",
        "series": {ours: series(network.history[:, theirs]) for theirs, ours in names.items()},
        "steps": series([batches * epoch for epoch in range(1, EPOCHS + 1)]),
    }


def lightning_histories():
    import lightning
    import torch
    from lightning.pytorch.callbacks import LearningRateMonitor
    from lightning.pytorch.loggers import CSVLogger, TensorBoardLogger
    from torch.nn.functional import cross_entropy
    from torch.utils.data import DataLoader, TensorDataset

    seen = {name: [] for name in ["loss", "acc", "val_loss", "val_acc", "lr"]}

    class Digits(lightning.LightningModule):
        def __init__(self):
            super().__init__()
            self.network = torch_network()

        def take(self, batch, part, **how):
            logits = self.network(batch[0])
            loss = cross_entropy(logits, batch[1])
            self.log(f"{part}_loss", loss, on_epoch=True, **how)
            self.log(f"{part}_acc", (logits.argmax(1) == batch[1]).float().mean(), on_step=False, on_epoch=True)
            return loss

        def training_step(self, batch, _):
            return self.take(batch, "train", on_step=True)  # hence `train_loss_step` and `train_loss_epoch`

        def validation_step(self, batch, _):
            self.take(batch, "val")

        def test_step(self, batch, _):
            self.take(batch, "test")

        def configure_optimizers(self):
            optimizer = torch.optim.SGD(self.parameters(), 0.5)
            return [optimizer], [torch.optim.lr_scheduler.StepLR(optimizer, 6)]

    class Watch(lightning.Callback):
        """What the trainer itself reports at the end of each epoch."""

        def on_train_epoch_start(self, trainer, _):
            seen["lr"].append(trainer.optimizers[0].param_groups[0]["lr"])

        def on_train_epoch_end(self, trainer, _):
            metrics = trainer.callback_metrics
            for name, theirs in [("loss", "train_loss_epoch"), ("acc", "train_acc"), ("val_loss", "val_loss"), ("val_acc", "val_acc")]:
                seen[name].append(metrics[theirs].item())

    x, y = (torch.tensor(part) for part in digits())
    rows = lambda part, shuffle=False: DataLoader(TensorDataset(x[part], y[part]), BATCH, shuffle=shuffle)
    scratch = FOLDER / "scratch"
    # Lightning puts its own callbacks, which log, behind those of the user: Watch comes last of all
    trainer = lightning.Trainer(
        accelerator="cpu", max_epochs=EPOCHS, log_every_n_steps=4, num_sanity_val_steps=0, enable_progress_bar=False,
        enable_checkpointing=False, enable_model_summary=False, callbacks=[LearningRateMonitor("epoch"), Watch()],
        logger=[CSVLogger(scratch, "csv", ""), TensorBoardLogger(scratch, "tensorboard", "")],
    )
    network = Digits()
    trainer.fit(network, rows(TRAIN, shuffle=True), rows(VALIDATION))
    test = trainer.test(network, rows(slice(1400, None)), verbose=False)[0]
    expected = {
        "format": "csv",
        "series": {name: series(values) for name, values in seen.items()}
        | {f"test_{name}": series([test[f"test_{name}"]], first=EPOCHS) for name in ["loss", "acc"]},
        "steps": series([10 * epoch for epoch in range(1, EPOCHS + 1)]),
    }
    shutil.move(next(scratch.rglob("metrics.csv")), FOLDER / "lightning.csv")
    yield "lightning.csv", expected

    shutil.rmtree(FOLDER / "lightning_tensorboard", ignore_errors=True)
    (FOLDER / "lightning_tensorboard").mkdir()
    for events in scratch.rglob("*tfevents*"):
        shutil.move(events, FOLDER / "lightning_tensorboard")
    shutil.rmtree(scratch)
    yield "lightning_tensorboard", expected | {"format": "tensorboard"}


def torch_tensorboard():
    import torch
    from torch.nn.functional import cross_entropy
    from torch.utils.tensorboard import SummaryWriter

    folder = FOLDER / "torch_tensorboard"
    shutil.rmtree(folder, ignore_errors=True)
    x, y = (torch.tensor(part) for part in digits())
    network = torch_network()
    optimizer = torch.optim.SGD(network.parameters(), 0.5)
    seen = {name: [] for name in ["loss", "val_loss", "acc", "val_acc"]}
    with SummaryWriter(folder) as writer:
        for epoch in range(EPOCHS):  # from 0, as most write it
            for rows in torch.arange(1000).split(BATCH):
                optimizer.zero_grad()
                cross_entropy(network(x[rows]), y[rows]).backward()
                optimizer.step()
            with torch.no_grad():
                for prefix, tag, part in [("", "train", TRAIN), ("val_", "val", VALIDATION)]:
                    logits = network(x[part])
                    loss, acc = cross_entropy(logits, y[part]), (logits.argmax(1) == y[part]).float().mean()
                    writer.add_scalar(f"Loss/{tag}", loss, epoch)
                    writer.add_scalar(f"Accuracy/{tag}", acc, epoch)
                    seen[f"{prefix}loss"].append(loss.item())
                    seen[f"{prefix}acc"].append(acc.item())
            writer.add_histogram("weights", network[0].weight, epoch) if epoch == 0 else None
            writer.add_scalar("penalty", float("inf") if epoch == 3 else float("nan") if epoch == 4 else 0.5, epoch)
    penalty = [0.5] * 3 + [float("inf"), float("nan")] + [0.5] * (EPOCHS - 5)
    yield "torch_tensorboard", {
        "format": "tensorboard",
        "series": {name: series(values) for name, values in (seen | {"penalty": penalty}).items()},
    }


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    expected = json.loads(EXPECTED.read_text()) if EXPECTED.exists() else {}
    makers = [keras_histories, skorch_history, lightning_histories, torch_tensorboard]
    for maker in [keras_tensorboard] if "--tensorflow" in sys.argv else makers:
        for name, content in maker():
            expected[name] = content
            print(f"wrote {name}")
    text = json.dumps(dict(sorted(expected.items())), indent=1, allow_nan=False)
    # one line for each metric
    import re
    text = re.sub(r"\[\s+\[.*?\]\s+\]", lambda found: re.sub(r"\s+", " ", found[0]), text, flags=re.S)
    EXPECTED.write_text(text + "\n")
