"""The streams that a command is started with: closed, full or left, they never decide how it ends."""

from __future__ import annotations

import io
import os
import sys
from typing import TYPE_CHECKING, TextIO

from sync.errors import OutputNotWritten

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer


class _Output(io.FileIO):
    """Takes all that is written, and remembers that the system did not."""

    def __init__(self, number: int, *, leaves: bool) -> None:
        super().__init__(number, "wb", closefd=False)
        self._may_be_left = leaves
        self.lost: OSError | None = None

    def write(self, data: ReadableBuffer, /) -> int:
        try:
            return super().write(data)
        except OSError as error:
            if self._may_be_left and isinstance(error, BrokenPipeError):
                raise
            self.lost = error  # no later success makes up for it
            return memoryview(data).nbytes


def install_safe_streams() -> None:
    """Puts streams in place of stdout and stderr that can always be written to.

    A reader of stdout that leaves is still a ``BrokenPipeError``. What else the system does not take,
    as on a full disk, is left out; ``require_written`` tells. To be called once, as the program starts.
    """
    _plug()
    sys.stdout = _text(sys.stdout, _Output(1, leaves=True))
    sys.stderr = _text(sys.stderr, _Output(2, leaves=False))


def require_written() -> None:
    """Raises ``OutputNotWritten`` unless all that was printed on stdout has gone out."""
    sys.stdout.flush()
    lost = getattr(getattr(sys.stdout, "buffer", None), "raw", None)
    if isinstance(lost, _Output) and lost.lost is not None:
        raise OutputNotWritten(
            f"what it prints could not be written: {lost.lost.strerror}; all else was done: make room where stdout"
            " goes, then run it again"
        ) from lost.lost


def drop_output() -> None:
    """From now on stdout goes nowhere: a buffer flushed at exit would fail once more."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def flush_at_exit() -> None:
    """Sends what is left. To be called last: what nobody reads would else be a failure at exit."""
    try:
        sys.stdout.flush()
    except OSError:
        drop_output()


def _plug() -> None:
    """Fills the places of streams that are closed, lest a database or a socket gets their number and their text."""
    while (number := os.open(os.devnull, os.O_RDWR)) <= 2:
        pass
    os.close(number)


def _text(stream: TextIO | None, output: _Output) -> io.TextIOWrapper:
    """Like the stream there was; a letter that its locale lacks is written as an escape."""
    return io.TextIOWrapper(
        io.BufferedWriter(output),
        encoding=stream.encoding if stream else "utf-8",
        errors="backslashreplace",
        line_buffering=output.isatty() or output.fileno() == 2,
    )
