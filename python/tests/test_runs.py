"""Training and loading runs."""

from __future__ import annotations

import json
import math
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import runner_experiments as rx


def test_a_run_is_trained_with_the_settings_given(faster: rx.Run) -> None:
    assert (faster.experiment, faster.seeds, faster.variants) == ("digits_mlp", [0, 1], ["base"])
    assert faster.trial_names == ["base-seed0", "base-seed1"]
    assert faster.trial()["config"]["train"]["optimizer"]["adam"]["lr"] == 0.01
    assert json.loads((faster.folder / "run.json").read_text())["finished"]


def test_curves_have_a_row_per_trial_and_epoch(digits: rx.Run) -> None:
    polars = pytest.importorskip("polars")
    curves = digits.curves
    assert curves.columns[:4] == ["variant", "seed", "fold", "epoch"]
    assert curves.height == 2 * 20
    history = digits.trial(seed=1)["history"]
    assert curves.filter(polars.col("seed") == 1)["loss"].to_list() == history["loss"]
    assert digits.curve("loss", seed=1)["loss"].to_list() == history["loss"]


def test_frames_of_pandas_have_the_same_values(digits: rx.Run) -> None:
    pandas = pytest.importorskip("pandas")
    curves = rx.load(digits.folder, frames="pandas").curves
    assert isinstance(curves, pandas.DataFrame)
    assert list(curves[curves["seed"] == 0]["loss"]) == digits.trial(seed=0)["history"]["loss"]


def test_metrics_are_those_of_the_test_rows(penguins: rx.Run) -> None:
    metrics = rx.load(penguins).metrics
    assert metrics["variant"].to_list() == penguins.variants
    assert metrics["loss"].to_list() == [penguins.trial(variant)["test"]["loss"] for variant in penguins.variants]
    assert penguins.trials["epochs"].to_list() == [5] * len(penguins.variants)


def test_a_run_without_test_rows_has_no_metrics(digits: rx.Run) -> None:
    assert digits.metrics.columns == ["variant", "seed", "fold"]
    assert digits.metrics.height == 2


def test_a_run_is_found_by_experiment_directory_id_and_name(digits: rx.Run, faster: rx.Run, out: Path) -> None:
    assert rx.load("digits_mlp", out=out).name == faster.name
    assert rx.load(digits.folder).name == digits.name
    listed = subprocess.run([_runner(), "runs", "--out", out, "--json"], capture_output=True, check=True, text=True)
    ids = {Path(row["folder"]).name: row["id"] for row in json.loads(listed.stdout)}
    assert rx.load(ids[digits.name], out=out).name == digits.name
    assert rx.load(ids[digits.name][:6], out=out).name == digits.name


def _runner() -> Path:
    from runner_experiments import programs

    return programs.runner()


def test_a_missing_run_is_an_error_with_a_hint(out: Path) -> None:
    with pytest.raises(rx.RunnerError) as caught:
        rx.load("mnist_dropout", out=out)
    assert "no run of `mnist_dropout`" in caught.value.message
    assert "`runner exp mnist_dropout`" in caught.value.hint


def test_errors_have_the_message_and_the_hint_of_runner(out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLICOLOR_FORCE", "1")  # as in Jupyter
    with pytest.raises(rx.RunnerError) as caught:
        rx.run("digits_mpl", out=out, progress=False)
    assert caught.value.exit_code == 2
    assert "digits_mpl" in caught.value.message
    assert "digits_mlp" in caught.value.hint
    assert str(caught.value).splitlines()[-1].startswith("hint: ")
    with pytest.raises(rx.RunnerError, match="train.optimizer.adam.lr"):
        rx.run("digits_mlp", set={"lr": "fast"}, out=out, progress=False)
    with pytest.raises(rx.RunnerError, match="`seeds` is empty"):
        rx.run("digits_mlp", seeds=[])


def test_a_missed_expectation_is_an_error_with_strict(out: Path) -> None:
    with pytest.raises(rx.RunnerError) as caught:
        rx.run("digits_mlp", set={"lr": 0.5}, seeds=0, epochs=50, out=out / "strict", strict=True, progress=False)
    assert caught.value.exit_code == 1
    assert rx.load("digits_mlp", out=out / "strict").seeds == [0]


def test_a_damaged_history_is_named(digits: rx.Run, tmp_path: Path) -> None:
    text = (digits.folder / "base-seed0.json").read_text()
    (tmp_path / "base-seed0.json").write_text(text[: len(text) // 2])
    with pytest.raises(rx.RunnerError, match="base-seed0.json` is damaged"):
        rx.load(tmp_path)
    (tmp_path / "base-seed0.json").write_text(text.replace("runner.history/2", "runner.history/9"))
    with pytest.raises(rx.RunnerError, match="runner.history/9"):
        rx.load(tmp_path)


def test_values_that_are_not_finite_are_floats(digits: rx.Run, tmp_path: Path) -> None:
    history = json.loads((digits.folder / "base-seed0.json").read_text())
    history["history"]["loss"][:2] = ["inf", "nan"]
    (tmp_path / "base-seed0.json").write_text(json.dumps(history))
    losses = rx.load(tmp_path).curves["loss"].to_list()
    assert losses[0] == math.inf and math.isnan(losses[1])


def test_a_history_of_an_earlier_version_has_the_current_names(digits: rx.Run, tmp_path: Path) -> None:
    history = json.loads((digits.folder / "base-seed0.json").read_text())
    history["schema"] = "runner.history/1"
    history["asked"] = history.pop("provenance")
    history["theirs"] = [
        {"value": row["metric"], "theirs": row["reference"], "ours": row["this_run"], "exact": row["exact"]}
        for row in history.pop("references")
    ]
    history["diagnosis"]["verdict"] = "jumping_about"
    del history["diagnosis"]["label"]
    history["network"]["layers"] = [{"output": layer.pop("output_shape"), **layer} for layer in history["network"]["layers"]]
    (tmp_path / "base-seed0.json").write_text(json.dumps(history))
    run = rx.load(tmp_path)
    assert run.trials["label"].to_list() == ["unstable"]
    assert run.references["reference"].to_list() == digits.of_first_seed().references["reference"].to_list()
    assert run.trial()["network"]["layers"][0]["output_shape"] == [32]


def test_layers_are_in_the_order_of_the_network(digits: rx.Run, tmp_path: Path) -> None:
    history = json.loads((digits.folder / "base-seed0.json").read_text())
    history["history"] |= {"gradient_norm.10": history["history"]["loss"], "gradient_norm.2": history["history"]["loss"]}
    (tmp_path / "base-seed0.json").write_text(json.dumps(history))
    layers = rx.load(tmp_path).by_layer("gradient_norm")
    assert layers.select("layer", "depth").unique().sort("depth").rows() == [("2", 1), ("10", 2)]


def test_weights_are_those_of_the_file(digits: rx.Run) -> None:
    numpy = pytest.importorskip("numpy")
    found = rx.weights(digits, "base-seed1", framework="numpy")
    assert {name: value.shape for name, value in found.items()}["0.weight"] == (32, 64)
    assert found["0.weight"].dtype == numpy.float32
    assert not numpy.array_equal(found["0.weight"], digits.weights(seed=0, framework="numpy")["0.weight"])
    assert numpy.isfinite(found["4.bias"]).all()


def test_the_trial_must_be_named_if_there_are_several(digits: rx.Run) -> None:
    with pytest.raises(rx.RunnerError, match="has 2 trials"):
        rx.weights(digits, framework="numpy")
    with pytest.raises(rx.RunnerError, match="no trial `base-seed7`"):
        rx.weights(digits, "base-seed7", framework="numpy")
    with pytest.raises(rx.RunnerError, match="no trial of variant wide, seed 3"):
        digits.trial("wide", seed=3)


@pytest.mark.parametrize("how", ["shorter", "no header", "nonsense"])
def test_a_damaged_weight_file_is_an_error(digits: rx.Run, tmp_path: Path, how: str) -> None:
    content = (digits.folder / "base-seed0.safetensors").read_bytes()
    damaged = {"shorter": content[:-100], "no header": content[:5], "nonsense": b"\xff" * 50}[how]
    (tmp_path / "base-seed0.json").write_text((digits.folder / "base-seed0.json").read_text())
    (tmp_path / "base-seed0.safetensors").write_bytes(damaged)
    with pytest.raises(rx.RunnerError, match="base-seed0.safetensors` is"):
        rx.weights(tmp_path, framework="numpy")


def test_an_interrupted_run_is_resumed(out: Path) -> None:
    code = "import runner_experiments as rx\nrx.run('digits_mlp', epochs=100000, set={'train.batch': 8}, out='stopped')\n"
    process = subprocess.Popen([sys.executable, "-c", code], cwd=out.parent, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    for line in process.stderr:
        if line.startswith("epoch"):
            break
    process.send_signal(signal.SIGINT)
    rest = process.stderr.read()
    assert process.wait() != 0
    assert "KeyboardInterrupt" in rest
    assert rx.load("digits_mlp", out=out.parent / "stopped").trials["status"].to_list() == ["interrupted"]


def test_comparison_has_the_numbers_of_runner(digits: rx.Run, faster: rx.Run) -> None:
    compared = rx.compare(digits, faster, metric="best.loss")
    assert len(compared.groups) == 2 and compared.baseline == compared.groups[0]
    assert compared.settings["setting"].to_list() == ["train.optimizer.adam.lr"]
    tests = compared.tests
    assert tests["metric"].to_list() == ["best.loss"] and tests["difference"][0] < 0
    assert tests["p"].to_list() == [compared.data["tests"][0]["groups"][1]["p"]]
    means = {row["group"]: row["mean"] for row in compared.metrics.iter_rows(named=True) if row["metric"] == "best.loss"}
    losses = [digits.trial(seed=seed)["best"]["loss"] for seed in (0, 1)]
    assert means[compared.baseline] == pytest.approx(sum(losses) / 2)
    with pytest.raises(rx.RunnerError):
        rx.compare(digits, metric="no_such_metric")


def test_a_sweep_ranks_its_configurations(out: Path, tmp_path: Path) -> None:
    found = rx.sweep(
        "digits_mlp", space={"lr": [0.001, 0.01], "train.batch": "256,512"}, seeds=0, epochs=3, out=out.parent / "sweeps", progress=False
    )
    table = found.table
    assert table["rank"].to_list() == [1, 2, 3, 4]
    assert table["best.loss"].to_list() == sorted(table["best.loss"].to_list())
    assert set(table["train.optimizer.adam.lr"].to_list()) == {0.001, 0.01}
    assert rx.load_sweep("digits_mlp", out=out.parent / "sweeps").folder == found.folder
    best = rx.run(found.best_experiment(tmp_path / "best.toml"), epochs=1, out=tmp_path, progress=False)
    assert best.trial()["config"]["train"]["optimizer"]["adam"]["lr"] == table["train.optimizer.adam.lr"][0]
    with pytest.raises(rx.RunnerError, match="no sweep of `tuned`"):
        rx.load_sweep("tuned", out=out)


def test_progress_is_printed_and_can_be_turned_off(out: Path, capfd: pytest.CaptureFixture[str]) -> None:
    rx.run("digits_mlp", epochs=3, out=out / "shown")
    assert "epoch 3/3" in capfd.readouterr().err
    rx.run("digits_mlp", epochs=3, out=out / "shown", progress=False)
    assert capfd.readouterr().err == ""


def test_a_missing_program_is_an_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("RUNNER_PROGRAM", os.fspath(tmp_path / "runner"))
    with pytest.raises(rx.RunnerError, match="failed to start"):
        rx.run("digits_mlp")
