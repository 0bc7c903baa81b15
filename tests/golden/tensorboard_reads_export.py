"""Holds what `runner export` writes against the histories, as TensorBoard, pandas, polars and Python's json read it.

    pip install tensorboard==2.21.0 pandas==3.1.1 polars==2.1.0
    runner export overfit_mnist --tensorboard --to board
    runner export overfit_mnist --csv --to tables
    runner export overfit_mnist --keras --to keras
    python tests/golden/tensorboard_reads_export.py runs/overfit_mnist/latest board tables keras

TensorBoard's own `EventAccumulator` must find every scalar at its step with its value in single precision, at the time when
the epoch ended, and the settings where the HParams tab looks for them. Exits with 1 at the first that is otherwise.
"""

import json
import math
import sys
from datetime import datetime
from pathlib import Path

import numpy as np
import pandas
import polars
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.hparams import metadata, plugin_data_pb2


def same(found, expected):
    return math.isnan(found) and math.isnan(expected) or found == expected


def tag(name):
    if "." in name:
        return name.replace(".", "/", 1)
    if name in ("lr", "seconds"):
        return name
    return f"{name[4:]}/validation" if name.startswith("val_") else f"{name}/train"


def check_board(folder, history):
    board = EventAccumulator(str(folder))
    board.Reload()
    curves = {name: [float(value) for value in values] for name, values in history["history"].items()}
    epochs = [int(epoch) for epoch in curves.pop("epoch")]
    test = {f"test/{name}": float(value) for name, value in (history["test"] or {}).items() if name in METRICS}
    tags = {tag(name) for name in curves} | set(test) if epochs or test else set()
    assert set(board.Tags()["scalars"]) == tags, (folder, set(board.Tags()["scalars"]) ^ tags)
    start = datetime.fromisoformat(history["started"]).timestamp()
    ends = start + np.cumsum(np.nan_to_num(curves.get("seconds", [])))
    for name, values in curves.items():
        events = board.Scalars(tag(name))
        assert [event.step for event in events] == epochs, (folder, name)
        for event, value in zip(events, values):
            assert same(event.value, float(np.float32(value))), (folder, name, event, value)
        assert np.allclose([event.wall_time for event in events], ends, atol=1e-3), (folder, name)
    for name, value in test.items():
        (event,) = board.Scalars(name)
        assert same(event.value, float(np.float32(value))), (folder, name)
    content = board.SummaryMetadata("_hparams_/session_start_info").plugin_data.content
    settings = plugin_data_pb2.HParamsPluginData.FromString(content).session_start_info.hparams
    assert settings["seed"].number_value == history["seed"] and settings["variant"].string_value == history["variant"]
    ended = board.SummaryMetadata("_hparams_/session_end_info").plugin_data
    assert ended.plugin_name == metadata.PLUGIN_NAME
    return sum(len(board.Scalars(name)) for name in tags)


def check_tables(folder, histories):
    in_polars = lambda path: pandas.DataFrame(polars.read_csv(path, infer_schema_length=None).to_dict(as_series=False))
    for read in [pandas.read_csv, in_polars]:
        epochs, trials = read(folder / "epochs.csv"), read(folder / "trials.csv")
        assert len(trials) == len(histories) and len(epochs) == sum(len(h["history"]["epoch"]) for h in histories)
        for history in histories:
            mine = epochs[(epochs.variant == history["variant"]) & (epochs.seed == history["seed"])]
            if history["fold"] is not None:
                mine = mine[mine.fold == history["fold"]]
            for name, values in history["history"].items():
                assert np.issubdtype(mine[name].dtype, np.number), (name, mine[name].dtype)
                found = mine[name].to_numpy(float)
                assert np.array_equal(found, [float(value) for value in values], equal_nan=True), name


def check_keras(folder, stem, history):
    written = json.loads((folder / f"{stem}.json").read_text())
    names = {"acc": "accuracy", "val_acc": "val_accuracy", "lr": "learning_rate"}
    curves = {names.get(name, name): values for name, values in history["history"].items() if name != "epoch"}
    assert list(written) == list(curves)
    for name, values in curves.items():
        assert all(same(found, float(value)) for found, value in zip(written[name], values, strict=True)), (stem, name)


if __name__ == "__main__":
    run, board, tables, keras = map(Path, sys.argv[1:])
    files = [path for path in sorted(run.glob("*.json")) if not path.name.endswith(".tree.json")]
    histories = {path.stem: json.loads(path.read_text()) for path in files}
    NOT_METRICS = {"weights", "confusion", "report", "positives", "roc", "precision_recall", "threshold", "targets_near_zero"}
    METRICS = {name for history in histories.values() for name in (history["test"] or {})} - NOT_METRICS
    scalars = 0
    for stem, history in histories.items():
        scalars += check_board(board / stem, history)
        check_keras(keras, stem, history)
    check_tables(tables, list(histories.values()))
    print(f"{len(histories)} trials: TensorBoard reads {scalars} scalars, pandas and polars the tables, and json the curves, as the histories have them")
