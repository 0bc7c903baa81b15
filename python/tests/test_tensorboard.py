"""Event files of a run in training, as the real TensorBoard shows them."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from runner_experiments import programs

pytest.importorskip("tensorboard")

EPOCHS = 6000


def train(arguments: list[str], folder: Path) -> subprocess.Popen[bytes]:
    program = programs.runner()
    return subprocess.Popen(
        [str(program), *arguments, "--quiet", "--tensorboard", "logs"], cwd=folder, env=programs.environment(program), stdout=subprocess.DEVNULL
    )


@contextmanager
def tensorboard(logs: Path, *options: str) -> Iterator[Callable[..., Any]]:
    """Starts TensorBoard, and returns a function that gets an answer of its server."""
    command = [sys.executable, "-m", "tensorboard.main", "--logdir", str(logs), "--port", "0", "--reload_interval", "1", *options]
    server = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    try:
        assert server.stderr is not None
        found = next(match for line in server.stderr if (match := re.search(r" at (http://\S+?)/? ", line)))

        def get(path: str, **query: str) -> Any:
            with urllib.request.urlopen(f"{found[1]}/data/plugin/{path}?{urllib.parse.urlencode(query)}", timeout=30) as answer:
                return json.load(answer)

        yield get
    finally:
        server.terminate()
        server.wait()


def wait_for(condition: Callable[[], Any], interval: float = 0.5) -> Any:
    """Returns the first result that is true. `interval`: seconds between two attempts."""
    end = time.monotonic() + 120
    while time.monotonic() < end:
        found = condition()
        if found:
            return found
        time.sleep(interval)
    raise AssertionError("waited too long")


def train_until(training: subprocess.Popen[bytes], condition: Callable[[], Any]) -> None:
    """Continues the training until `condition` is true, and pauses it: it must not end while TensorBoard loads its files."""
    training.send_signal(signal.SIGCONT)
    wait_for(condition, interval=0.01)
    training.send_signal(signal.SIGSTOP)
    assert training.poll() is None, "it is still training"


def size_of_events(folder: Path) -> int:
    """Bytes in all event files of a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*tfevents*"))


def steps(get: Callable[..., Any], run: str, tag: str = "loss/train") -> list[int]:
    try:
        return [step for _, step, _ in get("scalars/scalars", run=run, tag=tag)]
    except OSError:  # the run is not loaded yet
        return []


def tags(get: Callable[..., Any]) -> dict[str, list[str]]:
    """Tags of the scalars of each run; empty while TensorBoard loads them."""
    try:
        found: dict[str, list[str]] = get("scalars/tags")
        return found
    except OSError:
        return {}


@pytest.mark.parametrize("options", [("--load_fast=true",), ("--load_fast=false", "--samples_per_plugin=scalars=100000")])
def test_tensorboard_shows_a_run_in_training_and_each_epoch_once_after_a_kill(out: Path, tmp_path: Path, options: tuple[str, ...]) -> None:
    split = "data.digits.split={ validation = 0.2, test = 0.2 }"
    (tmp_path / "logs").mkdir()
    with tensorboard(tmp_path / "logs", *options) as get:
        training = train(["exp", "digits_mlp", "--set", split, "--set", "batch=16", "--epochs", str(EPOCHS), "--checkpoint", "20"], tmp_path)
        try:
            checkpoints = "runs/*/*/checkpoint.safetensors"
            train_until(training, lambda: list(tmp_path.glob(checkpoints)) and size_of_events(tmp_path / "logs") > 10_000)
            run = wait_for(lambda: next(iter(tags(get)), None))
            assert re.fullmatch(r"digits_mlp/[^/]+/base-seed0", run)
            early = wait_for(lambda: steps(get, run))
            size = size_of_events(tmp_path / "logs")
            train_until(training, lambda: size_of_events(tmp_path / "logs") > size + 10_000)
            wait_for(lambda: steps(get, run)[-1:] > early[-1:])
            wait_for(lambda: {"loss/train", "acc/train", "loss/validation", "lr"} <= set(tags(get).get(run, [])))
            training.kill()
            training.wait()
            training = train(["resume", "digits_mlp"], tmp_path)
            last = wait_for(lambda: steps(get, run)[-1:] == [EPOCHS] and steps(get, run))
            assert training.wait() == 0
            assert last == sorted(set(last)), "no epoch is there twice"
            assert wait_for(lambda: [tag for tag in tags(get).get(run, []) if tag.startswith("test/")])
        finally:
            training.kill()
            training.wait()
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    (folder,) = (tmp_path / "logs" / "digits_mlp").iterdir()
    events = EventAccumulator(str(folder / "base-seed0"), size_guidance={"scalars": 0}).Reload()
    assert [event.step for event in events.Scalars("loss/train")] == list(range(1, EPOCHS + 1))
    assert "hparams" in events.summary_metadata["_hparams_/session_start_info"].plugin_data.plugin_name
