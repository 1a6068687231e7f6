"""Commands on a terminal: a real one in a new process, and a fast one in the process of the test."""

from __future__ import annotations

import io
import os
import pty
import re
import sys
import threading
from pathlib import Path

import pytest

from sync.cli.entry_point import run
from tests.support.commands import environment, started
from tests.support.secrets_search import KEY


class Terminal(io.StringIO):
    """A stream that says that it is a terminal."""

    def isatty(self) -> bool:
        return True


def terminal_lines(patch: pytest.MonkeyPatch, width: int, *arguments: str) -> list[str]:
    """What a command prints on a terminal of this width in this process, without the escapes of colours."""
    terminal = Terminal()
    with patch.context() as here:
        here.setenv("COLUMNS", str(width))
        here.setattr(sys, "stdout", terminal)
        assert run(arguments, os.environ) == 0
    return re.sub(r"\x1b\[[0-9;]*m", "", terminal.getvalue()).splitlines()


def on_a_terminal(url: str, home: Path, *arguments: str, **variables: str) -> list[str]:
    """The lines that a command prints on a terminal."""
    reader, terminal = pty.openpty()
    environ = environment(home, DATABASE_URL=url, API_KEY=KEY) | {"TERM": "xterm", "COLUMNS": "300", **variables}
    parts: list[bytes] = []

    def read() -> None:
        while True:
            try:
                parts.append(os.read(reader, 1 << 16))
            except OSError:  # the other end is closed
                return

    thread = threading.Thread(target=read)
    thread.start()
    with started(*arguments, environ=environ, stdout=terminal) as process:
        process.wait(60)
    os.close(terminal)
    thread.join()
    os.close(reader)
    return b"".join(parts).decode().splitlines()
