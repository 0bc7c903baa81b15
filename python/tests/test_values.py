"""Arguments, errors and frames."""

from __future__ import annotations

import pytest

import runner_experiments as rx
from runner_experiments import arguments, errors, frames


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0.01, "0.01"),
        (1e-08, "1e-08"),
        (True, "true"),
        ("adam", '"adam"'),
        ([1, 2], "[1, 2]"),
        ((0.9, 0.999), "[0.9, 0.999]"),
        ({"sgd": {"lr": 0.1, "nesterov": False}}, '{ "sgd" = { "lr" = 0.1, "nesterov" = false } }'),
    ],
)
def test_values_are_written_as_toml(value: object, expected: str) -> None:
    assert arguments.toml(value) == expected


def test_a_number_of_numpy_is_a_number() -> None:
    numpy = pytest.importorskip("numpy")
    assert arguments.toml(numpy.float64(0.5)) == "0.5"
    assert arguments.seeds_text(numpy.arange(3)) == "0,1,2"


def test_a_setting_of_another_type_is_an_error() -> None:
    with pytest.raises(rx.RunnerError, match="found object"):
        arguments.settings({"lr": object()})
    assert arguments.settings({"train.clip": None}) == ["--unset", "train.clip"]


def test_an_error_of_runner_is_taken_apart() -> None:
    found = errors.from_output("note: x\nerror: no `lr`\n  in file\nhint: did you mean `lr`?\n", 2)
    assert (found.message, found.hint, found.exit_code) == ("no `lr`\n  in file", "did you mean `lr`?", 2)
    assert errors.from_output("Killed\n", 137).message == "runner ended with exit code 137: Killed"


def test_frames_are_of_the_package_that_is_named() -> None:
    polars, pandas = pytest.importorskip("polars"), pytest.importorskip("pandas")
    rows = [{"a": 1}, {"a": 2, "b": "x"}]
    assert frames.frame(rows, "polars").equals(polars.DataFrame({"a": [1, 2], "b": [None, "x"]}))
    assert isinstance(frames.frame(rows, "pandas"), pandas.DataFrame)
    assert frames.frame([], "polars", ("a", "b")).columns == ["a", "b"]
    with pytest.raises(rx.RunnerError, match="found 'arrow'"):
        frames.frame(rows, "arrow")  # type: ignore[arg-type]


def test_without_polars_and_pandas_a_table_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frames, "find_spec", lambda name: None)
    with pytest.raises(rx.RunnerError) as caught:
        frames.frame([], None)
    assert caught.value.hint == "run `pip install polars`"


def test_all_names_of_the_package_can_be_imported() -> None:
    assert all(getattr(rx, name) is not None for name in rx.__all__)
    with pytest.raises(AttributeError, match="no attribute `train`"):
        rx.train
