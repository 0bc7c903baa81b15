"""Finds and runs the program `runner`."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from runner_experiments import libtorch
from runner_experiments.errors import RunnerError, from_output

HERE = Path(__file__).resolve().parent


def runner() -> Path:
    """Returns the path of the program: `RUNNER_PROGRAM`, else the one of this package, else the one on `PATH`."""
    own = os.environ.get("RUNNER_PROGRAM")
    if own:
        return Path(own)
    packaged = HERE / "bin" / "runner"
    if packaged.is_file():
        return packaged
    found = shutil.which("runner")
    if found:
        return Path(found)
    raise RunnerError(
        "there is no program `runner`",
        "install the wheel that `cargo xtask wheel` builds, or put `runner` on PATH: `cargo xtask install`",
    )


def environment(program: Path) -> dict[str, str]:
    """Returns the environment variables of the program.

    Those of this package get `RUNNER_LIBTORCH`, the directory of libtorch's libraries, or `RUNNER_LIBTORCH_ERROR`, which
    `bin/runner-engine` prints if a command needs libtorch. Other programs find libtorch themselves.
    """
    variables = dict(os.environ)
    if program.parent == HERE / "bin":
        variables.pop("RUNNER_LIBTORCH_ERROR", None)
        try:
            variables["RUNNER_LIBTORCH"] = str(libtorch.find())
        except RunnerError as error:
            variables["RUNNER_LIBTORCH_ERROR"] = f"error: {error}"
    return variables


def call(arguments: Sequence[str], on_line: Callable[[str], None] | None = None) -> str:
    """Runs `runner` with these arguments and returns its stdout.

    Args:
        arguments: The command and its arguments.
        on_line: Called with each line of stderr: the progress, warnings and notes.

    Raises:
        RunnerError: If it exits with another code than 0, with its message and hint.
        KeyboardInterrupt: After Ctrl-C; `runner` has saved a checkpoint.
    """
    program = runner()
    command = [str(program), *arguments]
    try:
        process = subprocess.Popen(
            command,
            env=_without_colors(environment(program)),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            errors="replace",
            start_new_session=True,
        )
    except OSError as error:
        raise RunnerError(f"failed to start `{program}`: {error.strerror}", "install runner again") from None
    return _finish(process, on_line)


def _without_colors(variables: dict[str, str]) -> dict[str, str]:
    """Returns the variables for output that is parsed: Jupyter sets `CLICOLOR_FORCE`."""
    return {name: value for name, value in variables.items() if name != "CLICOLOR_FORCE"} | {"NO_COLOR": "1"}


def call_json(arguments: Sequence[str], on_line: Callable[[str], None] | None = None) -> Any:
    """Runs `runner ARGUMENTS --json` and returns what it printed."""
    text = call([*arguments, "--json"], on_line)
    try:
        return json.loads(text)
    except ValueError:
        raise RunnerError(f"`runner {' '.join(arguments)} --json` printed no JSON: {text[:200]!r}") from None


def _finish(process: subprocess.Popen[str], on_line: Callable[[str], None] | None) -> str:
    """Reads both streams until the program ends. Ctrl-C is passed on: runner saves a checkpoint and ends."""
    output: list[str] = []
    assert process.stdout is not None and process.stderr is not None
    reader = threading.Thread(target=lambda stream: output.append(stream.read()), args=(process.stdout,), daemon=True)
    reader.start()
    errors: list[str] = []
    interrupted = False
    while True:
        try:
            for line in process.stderr:
                errors.append(line)
                if on_line is not None:
                    on_line(line.rstrip("\n"))
            code = process.wait()
            break
        except KeyboardInterrupt:
            # The program has its own session, so that one Ctrl-C is not delivered twice, which would end it at once.
            process.send_signal(signal.SIGINT)
            interrupted = True
    reader.join()
    if interrupted or code in (-signal.SIGINT, 130):
        raise KeyboardInterrupt("runner was interrupted; `runner resume` continues the run")
    if code != 0:
        raise from_output("".join(errors), code)
    return "".join(output)


def main() -> None:
    """The command `runner`: `runner setup` downloads libtorch; all other commands are those of the program."""
    try:
        if sys.argv[1:2] == ["setup"]:
            from runner_experiments import setup_command

            sys.exit(setup_command.main(sys.argv[2:]))
        program = HERE / "bin" / "runner"
        if not program.is_file():
            raise RunnerError("this installation of `runner_experiments` has no program `runner`", "install the wheel, not the source", 2)
        os.execve(program, ["runner", *sys.argv[1:]], environment(program))
    except RunnerError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(error.exit_code or 2)
    except OSError as error:
        print(
            f"error: failed to start `runner`: {error.strerror}\nhint: this wheel is for another system; see `pip debug --verbose`",
            file=sys.stderr,
        )
        sys.exit(2)
