"""The sweep of digits_mlp over the learning rate with Optuna and PyTorch: 32 learning rates, three seeds each.

    python benches/peers/optuna_sweep.py [--workers N] [--trials N] [--seeds N] [--configurations FILE]

Each worker is a process with one thread that asks a study in a journal file for learning rates, as Optuna's guide proposes for
several processes. With `--configurations`, a JSON list of learning rates, these are enqueued, so that runner and Optuna train the
same ones. Prints a line of JSON: seconds from the first trial to the last without start and imports, the number of trainings, the
best learning rate, versions.
"""

import argparse
import importlib.metadata
import json
import multiprocessing
import tempfile
import time
from pathlib import Path


def train(digits, learning_rate: float, seed: int) -> float:
    """Returns the loss of the last epoch of one training."""
    import torch
    from torch import nn

    x, y = digits
    torch.manual_seed(seed)
    network = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 16), nn.ReLU(), nn.Linear(16, 10))
    loss_function = nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(network.parameters(), lr=learning_rate)
    losses = []
    for _ in range(100):
        optimizer.zero_grad()
        output = network(x)
        loss = loss_function(output, y)
        losses.append(loss.item())
        _accuracy = (output.argmax(1) == y).double().mean().item()
        loss.backward()
        optimizer.step()
    return losses[-1]


def storage(path: Path):
    """Returns Optuna's storage in a file, which several processes share."""
    import optuna
    from optuna.storages.journal import JournalFileBackend

    return optuna.storages.JournalStorage(JournalFileBackend(str(path)))


def work(path: Path, trials: int, seeds: int, ready, spans) -> None:
    """Runs trials until the study has enough of them."""
    import optuna
    import torch
    from optuna.study import MaxTrialsCallback
    from optuna.trial import TrialState
    from sklearn.datasets import load_digits

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    torch.set_num_threads(1)
    study = optuna.load_study(study_name="digits", storage=storage(path))
    data = load_digits()
    digits = torch.tensor(data.data, dtype=torch.float32), torch.tensor(data.target, dtype=torch.int64)
    train(digits, 0.001, 0)  # the first training also loads libraries
    trained = 0

    def objective(trial) -> float:
        nonlocal trained
        learning_rate = trial.suggest_float("lr", 1e-4, 1e-1, log=True)
        losses = [train(digits, learning_rate, seed) for seed in range(seeds)]
        trained += seeds
        return sum(losses) / seeds

    ready.wait()
    began = time.time()
    states = (TrialState.COMPLETE, TrialState.RUNNING)
    study.optimize(objective, callbacks=[MaxTrialsCallback(trials, states=states)])
    spans.put((began, time.time(), trained))


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--workers", type=int, default=2)
    arguments.add_argument("--trials", type=int, default=32)
    arguments.add_argument("--seeds", type=int, default=3)
    arguments.add_argument("--configurations", type=Path)
    arguments = arguments.parse_args()

    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "journal"
        study = optuna.create_study(
            study_name="digits", storage=storage(path), sampler=optuna.samplers.RandomSampler(seed=0)
        )
        if arguments.configurations:
            for learning_rate in json.loads(arguments.configurations.read_text()):
                study.enqueue_trial({"lr": learning_rate})
        context = multiprocessing.get_context("spawn")
        ready, spans = context.Barrier(arguments.workers), context.Queue()
        given = (path, arguments.trials, arguments.seeds, ready, spans)
        workers = [context.Process(target=work, args=given) for _ in range(arguments.workers)]
        for worker in workers:
            worker.start()
        found = [spans.get() for _ in workers]
        for worker in workers:
            worker.join()
        seconds = max(end for _, end, _ in found) - min(began for began, _, _ in found)
        best = optuna.load_study(study_name="digits", storage=storage(path)).best_trial
    versions = {name: importlib.metadata.version(name) for name in ["optuna", "torch"]}
    trained = sum(count for _, _, count in found)
    print(json.dumps({"seconds": seconds, "trained": trained, "best": best.params["lr"], "versions": versions}))


if __name__ == "__main__":
    main()
