"""A file to which several processes append whole texts."""

from __future__ import annotations

import fcntl
import os
import stat
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from sync.errors import OutputNotWritten

_MODE = 0o644
# Without O_NONBLOCK a pipe that nobody reads would be waited for; a file does not know it.
_FLAGS = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOCTTY | os.O_NONBLOCK


def append_to_file(path: Path, text: str, separator: str) -> None:
    """Appends the text to the file, made if missing, and returns when it is on the disk.

    What another process appends at the same time comes before or after it. If the file does not end with
    ``separator``, since an earlier text was cut or edited, that comes first. A text that does not fit is taken
    back. Raises ``OutputNotWritten``.
    """
    try:
        is_new = not path.exists()
        descriptor = os.open(path, _FLAGS, _MODE)
        try:
            _append(descriptor, lambda: _whole(path, text, separator).encode())
        finally:
            os.close(descriptor)
        if is_new:
            _sync_folder(path)
    except OSError as error:
        raise OutputNotWritten(f"{path} could not be written: {error.strerror or error}") from error


def _whole(path: Path, text: str, separator: str) -> str:
    """The text, after the separator where the file does not end with it."""
    with suppress(PermissionError):  # a file that only takes more, and cannot be read
        if path.is_file() and (size := path.stat().st_size):
            with path.open("rb") as file:
                file.seek(max(0, size - len(separator.encode())))
                return text if file.read() == separator.encode() else separator + text
    return text


def _append(descriptor: int, make_content: Callable[[], bytes]) -> None:
    is_file = stat.S_ISREG(os.fstat(descriptor).st_mode)
    if is_file:
        with suppress(OSError):  # some network drives have no locks
            fcntl.flock(descriptor, fcntl.LOCK_EX)
    start = os.fstat(descriptor).st_size
    content = make_content()
    try:
        while content:  # a disk that is nearly full takes a part first
            content = content[os.write(descriptor, content) :]
        if is_file:
            os.fsync(descriptor)
    except OSError:
        if is_file:
            with suppress(OSError):
                os.ftruncate(descriptor, start)
        raise


def _sync_folder(path: Path) -> None:
    """Without this the name of a new file may be lost with the power, whatever is in it."""
    with suppress(OSError):  # not every file system takes it
        descriptor = os.open(path.resolve().parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
