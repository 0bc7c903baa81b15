"""`runner setup`, with a download script that writes small files."""

from __future__ import annotations

from pathlib import Path

import pytest

import runner_experiments as rx
from runner_experiments import libtorch, setup_command

SCRIPT = """
import os, sys
command, home, variant = sys.argv[1:]
assert command == "fetch" and os.environ["RUNNER_SETUP_COMMAND"] == "runner setup"
if os.path.exists(os.path.join(home, "fails")):
    sys.exit(print("no space left\\nhint: free 2 GB") or 2)
lib = os.path.join(home, "staging", "new", "torch", "lib")
os.makedirs(lib)
open(os.path.join(lib, "libtorch_cpu.so"), "w").write(variant)
os.makedirs(os.path.join(home, "wheels"), exist_ok=True)
"""


@pytest.fixture(autouse=True)
def machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An empty cache, and a machine without an NVIDIA driver."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    monkeypatch.setattr(setup_command, "_DRIVERS", ())
    monkeypatch.setattr(setup_command, "find_spec", lambda name: True)  # an environment without pip runs these tests too
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    monkeypatch.setattr(setup_command, "_SCRIPT", script)


def content() -> str:
    return (libtorch.home() / "torch" / "lib" / "libtorch_cpu.so").read_text()


def test_it_downloads_once_and_again_for_another_variant(capsys: pytest.CaptureFixture[str]) -> None:
    assert setup_command.main([]) == 0
    assert "0.5 GB" in capsys.readouterr().err
    assert content() == "cpu"
    assert sorted(path.name for path in libtorch.home().iterdir()) == ["READY", "lock", "torch"]
    assert setup_command.main(["--cpu"]) == 0
    assert capsys.readouterr().err == ""
    assert setup_command.main(["--cuda"]) == 0
    assert content() == "cuda"
    assert setup_command.main(["--cpu"]) == 0, "the one with CUDA can also use the CPU"
    assert content() == "cuda"


def test_a_failure_has_the_hint_of_the_script_and_keeps_the_earlier_libtorch() -> None:
    setup_command.main([])
    (libtorch.home() / "fails").write_text("")
    with pytest.raises(rx.RunnerError) as caught:
        setup_command.main(["--force"])
    assert (caught.value.message, caught.value.hint) == ("failed to download libtorch: no space left", "free 2 GB")
    assert content() == "cpu" and (libtorch.home() / "READY").is_file()


def test_the_source_has_no_downloads(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(setup_command, "_SCRIPT", tmp_path / "nowhere.py")
    with pytest.raises(rx.RunnerError, match="is part of the wheel"):
        setup_command.main([])


def test_without_pip_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(setup_command, "find_spec", lambda name: None)
    with pytest.raises(rx.RunnerError, match="has no pip"):
        setup_command.main([])
