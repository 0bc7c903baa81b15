"""Reads safetensors files, in which the weights of trials are."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any, Literal

from runner_experiments.errors import RunnerError

Framework = Literal["torch", "numpy"]
# Name in the file: name in torch, name in numpy.
_TYPES = {
    "F64": ("float64", "float64"),
    "F32": ("float32", "float32"),
    "F16": ("float16", "float16"),
    "BF16": ("bfloat16", None),
    "I64": ("int64", "int64"),
    "I32": ("int32", "int32"),
    "I16": ("int16", "int16"),
    "I8": ("int8", "int8"),
    "U8": ("uint8", "uint8"),
    "BOOL": ("bool", "bool"),
}


def of_trial(folder: Path, name: str, framework: Framework) -> dict[str, Any]:
    """Returns the kept weights of the trial `name` in a run directory."""
    file = folder / f"{name}.safetensors"
    if file.is_file():
        return read(file, framework)
    if (folder / f"{name}.tree.json").is_file():
        raise RunnerError(f"trial `{name}` is a decision tree, which has no weights")
    raise RunnerError(f"trial `{name}` has no weights: `{file}` does not exist")


def read(file: Path, framework: Framework = "torch") -> dict[str, Any]:
    """Returns the tensors of a safetensors file: eight bytes with the length of the header, the header as JSON, the values."""
    if framework not in ("torch", "numpy"):
        raise RunnerError(f'`framework` is "torch" or "numpy", found {framework!r}')
    content = file.read_bytes()
    try:
        (length,) = struct.unpack("<Q", content[:8])
        header = json.loads(content[8 : 8 + length])
        entries = {
            name: (_TYPES[entry["dtype"]], entry["shape"], entry["data_offsets"])
            for name, entry in header.items()
            if name != "__metadata__"
        }
    except (struct.error, ValueError, KeyError, TypeError) as error:
        raise RunnerError(f"`{file}` is damaged, or no safetensors file: {error}") from None
    values = memoryview(content)[8 + length :]
    if any(end > len(values) for _, _, (_, end) in entries.values()):
        raise RunnerError(f"`{file}` is incomplete")
    convert = _torch if framework == "torch" else _numpy
    return {name: convert(types, shape, bytearray(values[start:end])) for name, (types, shape, (start, end)) in entries.items()}


def _torch(types: tuple[str, str | None], shape: list[int], values: bytearray) -> Any:
    try:
        import torch
    except ImportError:
        raise RunnerError(
            "weights as tensors need torch, which is not installed", 'run `pip install torch==2.11.0`, or set `framework="numpy"`'
        ) from None
    dtype = getattr(torch, types[0])
    return torch.frombuffer(values, dtype=dtype).reshape(shape) if values else torch.empty(shape, dtype=dtype)


def _numpy(types: tuple[str, str | None], shape: list[int], values: bytearray) -> Any:
    try:
        import numpy
    except ImportError:
        raise RunnerError("weights as arrays need numpy, which is not installed", "run `pip install numpy`") from None
    if types[1] is None:
        raise RunnerError("numpy has no bfloat16", 'set `framework="torch"`')
    return numpy.frombuffer(values, types[1]).reshape(shape)
