"""Where libtorch is looked for."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

import runner_experiments as rx
from runner_experiments import libtorch


@pytest.fixture(autouse=True)
def nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A machine without any libtorch."""
    monkeypatch.delenv("LIBTORCH", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    monkeypatch.setattr(sys, "path", [str(tmp_path / "site")])


def torch(folder: Path, version: str = "2.11.0+cpu") -> Path:
    """Writes what is looked at in a torch."""
    (folder / "lib").mkdir(parents=True)
    (folder / "version.py").write_text(f"__version__ = '{version}'\n")
    (folder / "lib" / "libtorch_cpu.so").write_text("")
    return folder


def downloaded() -> Path:
    found = torch(libtorch.home() / "torch")
    (libtorch.home() / "READY").write_text("libtorch 2.11.0 cpu\n")
    return found


def test_without_any_the_error_names_both_remedies() -> None:
    with pytest.raises(rx.RunnerError) as caught:
        libtorch.find()
    assert "has no torch" in caught.value.message
    assert "`runner setup`" in caught.value.hint and "`pip install torch==2.11.0`" in caught.value.hint
    assert caught.value.exit_code == 2


def test_the_variable_is_before_the_environment_and_this_before_the_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    cache = downloaded()
    assert libtorch.find() == cache / "lib"
    site = torch(tmp_path / "site" / "torch")
    assert libtorch.find() == site / "lib"
    own = torch(tmp_path / "own")
    monkeypatch.setenv("LIBTORCH", str(own))
    assert libtorch.find() == own / "lib"


def test_another_version_is_an_error_unless_the_cache_has_the_right_one(tmp_path: Path) -> None:
    torch(tmp_path / "site" / "torch", "2.9.1+cu128")
    with pytest.raises(rx.RunnerError, match=r"needs libtorch 2.11.0, but the torch in `.*` is version 2.9.1"):
        libtorch.find()
    cache = downloaded()
    assert libtorch.find() == cache / "lib"


def test_a_download_that_was_interrupted_is_not_used() -> None:
    downloaded()
    (libtorch.home() / "READY").unlink()
    with pytest.raises(rx.RunnerError, match="has no torch"):
        libtorch.find()


def test_a_wrong_variable_is_an_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("LIBTORCH", str(tmp_path / "nowhere"))
    with pytest.raises(rx.RunnerError, match="has no `lib/libtorch_cpu.so`"):
        libtorch.find()
    monkeypatch.setenv("LIBTORCH", str(torch(tmp_path / "old", "2.10.0")))
    with pytest.raises(rx.RunnerError, match="is version 2.10.0; runner needs 2.11.0"):
        libtorch.find()
