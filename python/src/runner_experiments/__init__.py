"""Train, load and compare experiments of `runner` from Python.

    import runner_experiments as rx

    run = rx.run("overfit_mnist", seeds=range(5))    # trains; returns when it is finished
    run = rx.load("overfit_mnist")                   # the newest run
    run.curves                                       # one row per trial and epoch
    run.metrics                                      # one row per trial: test metrics
    rx.weights(run, "base-seed0")                    # state dict
    rx.compare(run, "mnist_dropout").tests           # significance tests
    rx.sweep("digits_mlp", space={"lr": "log:1e-4..1e-1"}, trials=16).table
    rx.to_onnx(run, "base-seed0", "model.onnx")

Tables are polars frames, or pandas frames with `frames="pandas"`. Histories can be loaded without torch; training needs libtorch
2.11.0: that of the installed `torch`, or the one that `runner setup` downloads.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from runner_experiments.comparison import Comparison, compare
    from runner_experiments.errors import RunnerError
    from runner_experiments.pytorch.export_module import export_module
    from runner_experiments.pytorch.trained_network import network, to_onnx
    from runner_experiments.runs import Run, load, number, weights
    from runner_experiments.sweeps import Sweep, load_sweep, sweep
    from runner_experiments.training import run

__version__ = "0.1.0"

# The modules are imported on first use, so that the command `runner` starts quickly.
_MODULES = {
    "Comparison": "comparison",
    "compare": "comparison",
    "RunnerError": "errors",
    "network": "pytorch.trained_network",
    "to_onnx": "pytorch.trained_network",
    "Run": "runs",
    "load": "runs",
    "number": "runs",
    "weights": "runs",
    "Sweep": "sweeps",
    "load_sweep": "sweeps",
    "sweep": "sweeps",
    "export_module": "pytorch.export_module",
    "run": "training",
}
__all__ = [
    "Comparison",
    "Run",
    "RunnerError",
    "Sweep",
    "compare",
    "export_module",
    "load",
    "load_sweep",
    "network",
    "number",
    "run",
    "sweep",
    "to_onnx",
    "weights",
]


def __getattr__(name: str) -> object:
    if name not in _MODULES:
        raise AttributeError(f"module `runner_experiments` has no attribute `{name}`")
    value = getattr(import_module(f"runner_experiments.{_MODULES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
