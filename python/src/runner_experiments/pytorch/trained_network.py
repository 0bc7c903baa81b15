"""Trained networks as modules of PyTorch and as ONNX files."""

from __future__ import annotations

import json
import os
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runner_experiments import runs
from runner_experiments.errors import RunnerError
from runner_experiments.history_files import trial_name
from runner_experiments.runs import Run

if TYPE_CHECKING:
    from torch import nn


def network(run: str | os.PathLike[str] | Run, trial: str | dict[str, Any] | None = None) -> nn.Sequential:
    """Returns the network of a trial with its kept weights, in evaluation mode on the CPU.

    Args:
        run: A loaded run, or what `load` takes.
        trial: Name of the trial, such as `base-seed0`; may be left out if the run has one trial.

    Returns:
        An `nn.Sequential` of the layers: rows [batch, …] → outputs [batch, outputs], as the last layer returns them: logits, if it has no
        `sigmoid` or `softmax`. Rows must be scaled and encoded as in the run.

    Raises:
        RunnerError: If the trial has no network of layers, such as a decision tree or a TorchScript module.
    """
    return _rebuild(run, trial)[0]


def input_shape(run: Run, history: dict[str, Any]) -> tuple[int, ...]:
    """Returns the shape of one row of the network's input, from the run's `preprocessing.json`."""
    file = run.folder / "preprocessing.json"
    try:
        fitted = json.loads(file.read_text(encoding="utf-8"))["fitted"]
        found = [part for part in fitted if history["variant"] in part["variants"]]
        return tuple(found[0]["card"]["sample"])
    except (OSError, ValueError, KeyError, IndexError) as error:
        raise RunnerError(
            f"the shape of the rows is unknown: `{file}` is missing or damaged ({type(error).__name__})", "train the experiment again"
        ) from None


def _with_tokens(layers: list[Any], weights: dict[str, Any]) -> list[Any]:
    """Returns the layers with the number of tokens of an embedding whose experiment leaves it to the vocabulary."""
    first = layers[0].get("embedding") if isinstance(layers[0], dict) else None
    if not isinstance(first, dict) or first.get("tokens") is not None:
        return layers
    return [{"embedding": {**first, "tokens": len(weights["0.weight"])}}, *layers[1:]]


def _rebuild(run: str | os.PathLike[str] | Run, trial: str | dict[str, Any] | None) -> tuple[nn.Sequential, tuple[int, ...]]:
    try:
        import torch  # noqa: F401
    except ImportError:
        raise RunnerError("rebuilding a network needs torch, which is not installed", "run `pip install torch==2.11.0`") from None
    from runner_experiments.pytorch import layers

    run = runs.load(run)
    history = run.named(trial)
    name = trial_name(history)
    spec = history["config"].get("network") or {}
    if not history.get("network"):
        raise RunnerError(f"trial `{name}` is a decision tree, which has no network")
    if not spec.get("layers"):
        raise RunnerError(
            f"the network of trial `{name}` is a TorchScript module, which cannot be rebuilt",
            "load `weights` into your own `nn.Module`, and export that",
        )
    shape = input_shape(run, history)
    weights = runs.weights(run, history)
    made, _ = layers.sequential(_with_tokens(spec["layers"], weights), shape)
    try:
        made.load_state_dict(weights, strict=True)
    except RuntimeError as error:
        raise RunnerError(f"the weights of trial `{name}` do not fit its layers: {error}") from None
    return made.eval(), shape


def to_onnx(
    run: str | os.PathLike[str] | Run, trial: str | dict[str, Any] | None = None, path: str | os.PathLike[str] = "model.onnx"
) -> Path:
    """Writes the network of a trial, with its kept weights, as an ONNX file.

    The file has one input, `rows` [batch, …], and one output, `output` [batch, outputs], both float32 (token ids: int64); the batch size
    is free. Scaling and encoding of the rows are not part of it.

    Args:
        run: A loaded run, or what `load` takes.
        trial: Name of the trial, such as `base-seed0`; may be left out if the run has one trial.
        path: The file.

    Returns:
        The path.

    Raises:
        RunnerError: If the trial has no network of layers, a package is missing, or ONNX has no counterpart of a layer.
    """
    made, shape = _rebuild(run, trial)
    try:
        import onnx  # noqa: F401
        import onnxscript  # noqa: F401
    except ImportError as error:
        raise RunnerError(f"`to_onnx` needs `{error.name}`, which is not installed", "run `pip install onnx onnxscript`") from None
    import torch

    is_tokens = isinstance(made[0], torch.nn.Embedding)
    rows = torch.zeros(2, *shape, dtype=torch.long if is_tokens else torch.float32)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            torch.onnx.export(
                made,
                (rows,),
                os.fspath(path),
                input_names=["rows"],
                output_names=["output"],
                dynamic_shapes=({0: torch.export.Dim("batch")},),
                dynamo=True,
                external_data=False,
                verbose=False,
            )
        except OSError as error:
            raise RunnerError(f"failed to write `{path}`: {error.strerror}") from None
        except Exception as error:
            reason = str(error.__cause__ or error).strip().splitlines()[0]
            raise RunnerError(
                f"torch.onnx cannot export this network: {reason}", "use `network`, and export it with other options"
            ) from None
    return Path(path)
