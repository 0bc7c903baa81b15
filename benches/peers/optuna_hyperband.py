"""A search with early stopping by Optuna and PyTorch: TPE and Hyperband on MNIST, for a number of epochs in all.

    python benches/peers/optuna_hyperband.py --idx-dir DIR --epochs N [--workers N] [--seed N]

The network is that of overfit_mnist with dropout after its first layer. Learning rate, weight decay, dropout and label smoothing
vary as in `benches/halving.toml`, the sweep of runner that this is compared with. Each trial trains one configuration for at most 18
epochs, the highest validation accuracy so far is reported after each of them, and Hyperband with rungs at 2, 6 and 18 epochs ends
trials. Each worker is a process with one thread that takes its part of the epochs. Prints a line of JSON: seconds without start and
imports, the number of epochs and of trials, the best value and its settings, versions.
"""

import argparse
import importlib.metadata
import json
import multiprocessing
import tempfile
import time
from pathlib import Path

from mnist import images_and_labels, split
from optuna_sweep import storage

EPOCHS = 18
BATCH = 128
NAME = "mnist"


def load(folder: Path):
    """Returns features and labels of the training and of the validation rows."""
    import torch

    images, labels = images_and_labels(folder, "train")
    x = torch.tensor(images, dtype=torch.float32) / 255
    y = torch.tensor(labels, dtype=torch.int64)
    training, validation = split(len(x))
    return x[training], y[training], x[validation], y[validation]


def accuracies(rows, settings: dict, seed: int):
    """Trains a configuration, and yields the validation accuracy after each epoch."""
    import torch
    from torch import nn

    x, y, val_x, val_y = rows
    torch.manual_seed(seed)
    network = nn.Sequential(
        nn.Linear(784, 64), nn.ReLU(), nn.Dropout(settings["dropout"]), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10)
    )
    loss_function = nn.CrossEntropyLoss(label_smoothing=settings["label_smoothing"])
    optimizer = torch.optim.Adam(network.parameters(), lr=settings["lr"], weight_decay=settings["weight_decay"])
    for _ in range(EPOCHS):
        network.train()
        for places in torch.randperm(len(x)).split(BATCH):
            optimizer.zero_grad()
            loss_function(network(x[places]), y[places]).backward()
            optimizer.step()
        network.eval()
        with torch.no_grad():
            yield (network(val_x).argmax(1) == val_y).double().mean().item()


def work(path: Path, folder: Path, epochs: int, seed: int, ready, spans) -> None:
    """Runs trials until this worker has trained its epochs."""
    import optuna
    import torch

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    torch.set_num_threads(1)
    study = optuna.load_study(
        study_name=NAME,
        storage=storage(path),
        sampler=optuna.samplers.TPESampler(seed=seed, multivariate=True),
        pruner=optuna.pruners.HyperbandPruner(min_resource=2, max_resource=EPOCHS, reduction_factor=3),
    )
    rows = load(folder)
    trained = trials = 0

    def objective(trial) -> float:
        nonlocal trained, trials
        trials += 1
        settings = {
            "lr": trial.suggest_float("lr", 1e-4, 1e-1, log=True),
            "weight_decay": trial.suggest_float("weight_decay", 1e-6, 1e-2, log=True),
            "dropout": trial.suggest_float("dropout", 0.0, 0.5),
            "label_smoothing": trial.suggest_float("label_smoothing", 0.0, 0.2),
        }
        best = 0.0
        for epoch, accuracy in enumerate(accuracies(rows, settings, trial.number), start=1):
            trained += 1
            best = max(best, accuracy)
            trial.report(best, epoch)
            if trial.should_prune():
                raise optuna.TrialPruned
        return best

    def enough(study, _trial) -> None:
        if trained >= epochs:
            study.stop()

    ready.wait()
    began = time.time()
    study.optimize(objective, callbacks=[enough])
    spans.put((began, time.time(), trained, trials))


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--idx-dir", type=Path, required=True, help="folder of the four uncompressed IDX files")
    arguments.add_argument("--epochs", type=int, required=True, help="number of epochs of all trials")
    arguments.add_argument("--workers", type=int, default=2)
    arguments.add_argument("--seed", type=int, default=0, help="seed of the search")
    arguments = arguments.parse_args()

    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "journal"
        optuna.create_study(study_name=NAME, storage=storage(path), direction="maximize")
        context = multiprocessing.get_context("spawn")
        ready, spans = context.Barrier(arguments.workers), context.Queue()
        part = -(-arguments.epochs // arguments.workers)
        workers = [
            context.Process(target=work, args=(path, arguments.idx_dir, part, arguments.seed + number, ready, spans))
            for number in range(arguments.workers)
        ]
        for worker in workers:
            worker.start()
        found = [spans.get() for _ in workers]
        for worker in workers:
            worker.join()
        best = optuna.load_study(study_name=NAME, storage=storage(path)).best_trial
    line = {
        "seconds": max(end for _, end, *_ in found) - min(began for began, *_ in found),
        "epochs": sum(epochs for _, _, epochs, _ in found),
        "trials": sum(trials for *_, trials in found),
        "value": best.value,
        "best": best.params,
        "versions": {name: importlib.metadata.version(name) for name in ["optuna", "torch"]},
    }
    print(json.dumps(line))


if __name__ == "__main__":
    main()
