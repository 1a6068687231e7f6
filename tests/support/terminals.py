"""Commands on a terminal: a real one in a new process, and a fast one in the process of the test."""

from __future__ import annotations

import io
import os
import pty
import threading
from pathlib import Path

from tests.support.commands import environment, started
from tests.support.secrets_search import KEY


class Terminal(io.StringIO):
    """A stream that says that it is a terminal."""

    def isatty(self) -> bool:
        return True


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
