"""Exports networks written in PyTorch for `[network] torchscript`."""

from __future__ import annotations

import copy
import os
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

from runner_experiments.errors import RunnerError

if TYPE_CHECKING:
    import torch


def export_module(module: torch.nn.Module, path: str | os.PathLike[str], example: torch.Tensor | None = None) -> Path:
    """Writes a module as a TorchScript file, which an experiment names: `[network] torchscript = "net.pt"`.

    The module is written in training mode on the CPU; the module itself stays unchanged.

    Args:
        module: Its `forward` takes one tensor, [batch, …] with the shape of the rows, and returns one, [batch, outputs]. A loss or a
            metric takes two: `forward(output, target)`.
        path: The file, which should end in `.pt`. For a file per seed write `net-{seed}.pt` into the experiment.
        example: Rows for `torch.jit.trace`, [batch, …]. Without them the module is scripted, which keeps dropout, batch normalization and
            branches as they are.

    Returns:
        The path.

    Raises:
        RunnerError: If TorchScript cannot compile the module; the message names the line.
    """
    try:
        import torch
    except ImportError:
        raise RunnerError("`export_module` needs torch, which is not installed", "run `pip install torch==2.11.0`") from None
    copied = copy.deepcopy(module).to("cpu").train(module.training)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            if example is None:
                script = torch.jit.script(copied)
            else:
                script = torch.jit.trace(copied, example.to("cpu"), check_trace=False)  # type: ignore[no-untyped-call]
            script.save(os.fspath(path))  # type: ignore[no-untyped-call]
    except OSError as error:
        raise RunnerError(f"failed to write `{path}`: {error.strerror}") from None
    except (RuntimeError, NotImplementedError, TypeError) as error:
        name = type(module).__name__
        reason = str(error).strip()
        if not Path(path).parent.is_dir():
            raise RunnerError(f"failed to write `{path}`: its directory does not exist") from None
        hint = "rewrite that line in the Python that TorchScript compiles" if example is None else "check the shape of `example`"
        raise RunnerError(f"TorchScript cannot compile `{name}`: {reason}", hint) from None
    return Path(path)
