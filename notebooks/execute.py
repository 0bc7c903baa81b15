"""Executes the notebooks top to bottom: to check them against what is committed, or to write them anew.

    python notebooks/execute.py check [NAME ...]    # what `cargo xtask test` does, on quick runs
    python notebooks/execute.py write [NAME ...]    # what `cargo xtask notebooks` does, on whole runs

Runs are read from `runs/`, or from the folder in RUNNER_RUNS. A check fails when a cell raises, when anything is written to
standard error, when a cell yields other pictures than it does in the committed notebook (their number, their size), when a
picture is empty, and when a committed notebook is too large or holds what only one machine or one moment knows.
Exit codes: 0 all is well, 1 something is not.
"""

from __future__ import annotations

import argparse
import base64
import io
import os
import re
import sys
import tempfile
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from PIL import Image

HERE = Path(__file__).resolve().parent
LARGEST = 300_000
# A picture of this share of ink or less is empty axes at most; one of the other share or more is a black box.
INK = (0.004, 0.9)
FEWEST_COLOURS = 8
METADATA = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}, "language_info": {"name": "python"}}
SHORT = "**Short run:**"
# What a path on somebody's machine or a moment in time looks like.
PERSONAL = re.compile(r"/(?:home|root|tmp|Users|mnt|work)/[\w.-]+|\d{4}-\d\d-\d\d[T ]\d\d:?\d\d|0x[0-9a-f]{8,}")


def main() -> int:
    parser = argparse.ArgumentParser(description="Executes the notebooks", epilog="Runs are read from `runs/`, or from the folder in RUNNER_RUNS.")
    parser.add_argument("task", choices=["check", "write"], help="hold them against what is committed, or write them anew")
    parser.add_argument("names", nargs="*", metavar="NAME", help="notebooks, as `A_perceptrons`; without any, all")
    asked = parser.parse_args()
    notebooks = sorted(HERE.glob("*.ipynb"))
    unknown = sorted(set(asked.names) - {file.stem for file in notebooks})
    if unknown:
        known = ", ".join(file.stem for file in notebooks)
        print(f"error: no notebook `{unknown[0]}`\nhint: there are {known}", file=sys.stderr)
        return 1
    faults = 0
    for file in notebooks:
        if asked.names and file.stem not in asked.names:
            continue
        began = time.monotonic()
        found = check(file) if asked.task == "check" else write(file)
        faults += len(found)
        for fault in found:
            print(f"error: {file.name}: {fault}", file=sys.stderr)
        if not found:
            print(f"{file.name}: {told(file)}, {time.monotonic() - began:.1f} s", file=sys.stderr)
    return 1 if faults else 0


def told(file: Path) -> str:
    notebook = nbformat.read(file, as_version=4)
    return f"{sum(map(len, pictures_by_cell(notebook)))} pictures, {file.stat().st_size / 1000:.0f} kB"


def check(file: Path) -> list[str]:
    """The faults of a committed notebook, and of what it yields when it is executed."""
    committed = nbformat.read(file, as_version=4)
    faults = faults_of_committed(committed, file.stat().st_size)
    try:
        executed = execute(nbformat.read(file, as_version=4))
    except CellExecutionError as error:
        return [*faults, f"a cell failed\n{plain(str(error))}"]
    return faults + faults_of_executed(executed) + differences(committed, executed)


def write(file: Path) -> list[str]:
    """Executes a notebook and writes it, whole or not at all; its faults, if it was not written."""
    try:
        notebook = cleaned(execute(nbformat.read(file, as_version=4)))
    except CellExecutionError as error:
        return [f"a cell failed, and it was left as it was\n{plain(str(error))}"]
    text = nbformat.writes(notebook) + "\n"
    faults = faults_of_executed(notebook) + faults_of_committed(notebook, len(text.encode()))
    if faults:
        return [*faults, "it was left as it was"]
    with tempfile.NamedTemporaryFile("w", dir=file.parent, suffix=".part", delete=False, encoding="utf-8") as beside:
        beside.write(text)
    os.chmod(beside.name, 0o644)
    os.replace(beside.name, file)
    return []


def execute(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    # The kernel's own talk (it warns that it listens on this machine) is none of the notebook's.
    client = NotebookClient(notebook, timeout=300, kernel_name="python3", record_timing=False, extra_arguments=["--log-level=40"], resources={"metadata": {"path": str(HERE)}})
    return client.execute()


def cleaned(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """Without what changes from one machine to another."""
    notebook.metadata = nbformat.from_dict(METADATA)
    for cell in notebook.cells:
        cell.metadata = nbformat.from_dict({})
    return notebook


def pictures_by_cell(notebook: nbformat.NotebookNode) -> list[list[bytes]]:
    """The PNG pictures that each code cell yielded."""
    return [
        [base64.b64decode(output.data["image/png"]) for output in cell.outputs if "image/png" in output.get("data", {})]
        for cell in notebook.cells
        if cell.cell_type == "code"
    ]


def faults_of_committed(notebook: nbformat.NotebookNode, size: int) -> list[str]:
    faults = []
    if size > LARGEST:
        faults.append(f"it is {size / 1000:.0f} kB, and at most {LARGEST / 1000:.0f} kB are allowed")
    if notebook.metadata != METADATA or any(cell.metadata for cell in notebook.cells):
        faults.append("it holds metadata of an editor or a machine; `cargo xtask notebooks` writes it without")
    if not any(pictures_by_cell(notebook)):
        faults.append("it holds no pictures; `cargo xtask notebooks` executes and writes it")
    text = "\n".join(texts(notebook))
    for experiment in re.findall(re.escape(SHORT) + r" `(\w+)`", text):
        faults.append(f"it was executed on a short run; `runner exp {experiment}` makes a whole one, then `cargo xtask notebooks`")
    if found := PERSONAL.search(text):
        faults.append(f"its output holds `{found.group()}`, which only one machine or one moment knows")
    return faults


def texts(notebook: nbformat.NotebookNode) -> list[str]:
    """All that the cells said."""
    said = []
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            said.append(output.get("text", ""))
            said += [value for kind, value in output.get("data", {}).items() if kind.startswith("text/")]
    return said


def faults_of_executed(notebook: nbformat.NotebookNode) -> list[str]:
    """What is wrong with what the cells yielded: warnings, and pictures with nothing in them."""
    faults = []
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    for number, (cell, pictures) in enumerate(zip(code, pictures_by_cell(notebook), strict=True), start=1):
        for output in cell.outputs:
            if output.output_type == "stream" and output.name == "stderr":
                faults.append(f"code cell {number} wrote to standard error: {plain(output.text).strip()}")
        faults += [f"picture {place} of code cell {number} is {fault}" for place, picture in enumerate(pictures, start=1) if (fault := emptiness(picture))]
    return faults


def emptiness(picture: bytes) -> str | None:
    """In what way a picture is empty, if it is."""
    image = Image.open(io.BytesIO(picture)).convert("RGB")
    counts = image.getcolors(maxcolors=1 << 24)
    background = max(count for count, _ in counts)
    ink = 1 - background / (image.width * image.height)
    if len(counts) < FEWEST_COLOURS or not INK[0] < ink < INK[1]:
        return f"empty: {len(counts)} colours, {ink:.2%} ink"
    return None


def differences(committed: nbformat.NotebookNode, executed: nbformat.NotebookNode) -> list[str]:
    """Where the executed notebook yields other pictures than the committed one has."""
    faults = []
    for number, (before, after) in enumerate(zip(pictures_by_cell(committed), pictures_by_cell(executed), strict=True), start=1):
        if len(before) != len(after):
            faults.append(f"code cell {number} yields {len(after)} pictures, and {len(before)} are committed")
            continue
        for place, (old, new) in enumerate(zip(before, after), start=1):
            sizes = [Image.open(io.BytesIO(picture)).size for picture in (old, new)]
            if sizes[0] != sizes[1]:
                faults.append(f"picture {place} of code cell {number} is {sizes[1][0]}×{sizes[1][1]}, and {sizes[0][0]}×{sizes[0][1]} is committed")
    return faults


def plain(text: str) -> str:
    """Without the colours of a terminal."""
    return re.sub(r"\x1b\[[0-9;]*m", "", text)


if __name__ == "__main__":
    sys.exit(main())
