"""The exception of this package."""

from __future__ import annotations


class RunnerError(Exception):
    """An error with its reason and a hint, as `runner` prints them.

    A notebook shows only these two, without a traceback.

    Attributes:
        message: What is wrong, and where.
        hint: What to do about it, or None.
        exit_code: Exit code of `runner`: 2 for invalid input and failures, 1 if a check of `--strict` failed; None if `runner`
            was not started.
    """

    def __init__(self, message: str, hint: str | None = None, exit_code: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.exit_code = exit_code

    def __str__(self) -> str:
        return self.message if self.hint is None else f"{self.message}\nhint: {self.hint}"

    def _render_traceback_(self) -> list[str]:
        """Returns the lines that IPython shows instead of a traceback."""
        return [f"error: {self}"]


def from_output(text: str, exit_code: int) -> RunnerError:
    """Returns the error that `runner` printed to stderr: its last line `error: …`, and the hint below it."""
    lines = [line.rstrip() for line in text.splitlines() if line.strip()]
    start = max((place for place, line in enumerate(lines) if line.startswith("error: ")), default=None)
    if start is None:
        reason = lines[-1] if lines else "it printed no reason"
        return RunnerError(f"runner ended with exit code {exit_code}: {reason}", exit_code=exit_code)
    message, hint = [lines[start].removeprefix("error: ")], None
    for line in lines[start + 1 :]:
        if line.startswith("hint: "):
            hint = line.removeprefix("hint: ")
        elif hint is None:
            message.append(line)
        elif line.startswith(" "):
            hint += "\n" + line
    return RunnerError("\n".join(message), hint, exit_code)
