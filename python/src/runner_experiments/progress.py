"""Shows the progress of training, in a terminal or a notebook."""

from __future__ import annotations

import html
import re
import sys
from types import TracebackType
from typing import Any

_EPOCH = re.compile(r"(?:epoch\s+)?(\d[\d,]*)(?:/| of )(\d[\d,]*)")


class Progress:
    """The lines that `runner` prints to stderr: a bar with the newest line in a notebook, one line in a terminal.

    Without a terminal, each line is printed. Warnings and notes are always printed.
    """

    def __init__(self, is_shown: bool) -> None:
        self._is_shown = is_shown
        self._handle: Any = _notebook_display() if is_shown else None
        self._is_terminal = sys.stderr.isatty()
        self._width = 0

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        if self._width:
            print(file=sys.stderr)

    def line(self, text: str) -> None:
        """Shows a line of stderr."""
        if not self._is_shown or not text.strip() or text.startswith(("error: ", "hint: ")):
            return
        found = _EPOCH.match(text)
        if self._handle is not None:
            if found or text.startswith(("warning: ", "note: ")):
                self._handle.update(_Html(text, found))
        elif self._is_terminal and found:
            print("\r" + text[:79].ljust(self._width), end="", file=sys.stderr, flush=True)
            self._width = min(len(text), 79)
        else:
            print(("\n" if self._width else "") + text, file=sys.stderr, flush=True)
            self._width = 0


class _Html:
    def __init__(self, text: str, found: re.Match[str] | None) -> None:
        self._text, self._found = text, found

    def _repr_html_(self) -> str:
        words = f"<code>{html.escape(self._text)}</code>"
        if self._found is None:
            return words
        done, total = (int(part.replace(",", "")) for part in self._found.groups())
        return f'<progress value="{done}" max="{total}"></progress> {words}'

    def __repr__(self) -> str:
        return self._text


def _notebook_display() -> Any:
    """Returns a display that can be updated if this is a notebook, else None."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    if shell is None or not hasattr(shell, "kernel"):
        return None
    from IPython.display import display

    return display(  # type: ignore[no-untyped-call, unused-ignore]
        _Html("starting runner", None), display_id=True
    )
