"""Standard streams that may be closed, full, or a pipe without a reader.

None of these makes a run fail: the run is stored first, and a write error is reported at the end.
"""

from __future__ import annotations

import io
import os
import sys
from typing import TYPE_CHECKING, TextIO

from sync.errors import OutputNotWritten

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer


class _Output(io.FileIO):
    """Accepts everything that is written, and remembers the error when the operating system does not."""

    def __init__(self, descriptor: int, *, raises_broken_pipe: bool) -> None:
        super().__init__(descriptor, "wb", closefd=False)
        self._raises_broken_pipe = raises_broken_pipe
        self.write_error: OSError | None = None

    def write(self, data: ReadableBuffer, /) -> int:
        try:
            return super().write(data)
        except OSError as error:
            if self._raises_broken_pipe and isinstance(error, BrokenPipeError):
                raise
            self.write_error = error  # stays set: later writes do not bring the missing part back
            return memoryview(data).nbytes


def install_safe_streams() -> None:
    """Replaces stdout and stderr by streams to which a write never fails. To be called once, at the start.

    Only a pipe without a reader on stdout still raises ``BrokenPipeError``. Any other write error, as
    on a full disk, is reported by ``require_written``.
    """
    _open_closed_streams()
    sys.stdout = _text_stream(sys.stdout, _Output(1, raises_broken_pipe=True))
    sys.stderr = _text_stream(sys.stderr, _Output(2, raises_broken_pipe=False))


def require_written() -> None:
    """Raises ``OutputNotWritten`` unless everything printed on stdout has been written."""
    sys.stdout.flush()
    output = getattr(getattr(sys.stdout, "buffer", None), "raw", None)
    if isinstance(output, _Output) and output.write_error is not None:
        raise OutputNotWritten(
            f"the output could not be written: {output.write_error.strerror}; everything else was done; make room"
            " where stdout goes, then run it again"
        ) from output.write_error


def drop_output() -> None:
    """Connects stdout to the null device, since the buffer is flushed once more at exit and would fail again."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def flush_at_exit() -> None:
    """Writes what is buffered. To be called last: a broken pipe found by the interpreter would change the exit code."""
    try:
        sys.stdout.flush()
    except OSError:
        drop_output()


def _open_closed_streams() -> None:
    """Opens the null device for each closed stream.

    Otherwise the next opened file or socket gets the number of that stream, and the output goes there.
    """
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:
        pass
    os.close(descriptor)


def _text_stream(stream: TextIO | None, output: _Output) -> io.TextIOWrapper:
    """A stream with the encoding of the one it replaces; characters outside that encoding become escapes."""
    return io.TextIOWrapper(
        io.BufferedWriter(output),
        encoding=stream.encoding if stream else "utf-8",
        errors="backslashreplace",
        # stderr by line, so that errors and requests appear at once even in a file.
        line_buffering=output.isatty() or output.fileno() == 2,
    )
