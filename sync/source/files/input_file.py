"""Opening a file that a user names, plain or gzip."""

from __future__ import annotations

import gzip
import stat
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedIOBase
from pathlib import Path

from sync.errors import UsageError

# What reading from a gzip file raises when the file is truncated (EOFError) or damaged.
GZIP_ERRORS = (EOFError, zlib.error, gzip.BadGzipFile)
_GZIP_MAGIC = b"\x1f\x8b"


@contextmanager
def open_file(path: Path) -> Iterator[BufferedIOBase]:
    """The bytes of a file, decompressed when they are gzip, whatever the file's name.

    Raises ``UsageError`` when the file cannot be opened or read, or is a pipe, and one of ``GZIP_ERRORS``
    while a damaged gzip file is read.
    """
    try:
        # Opening a pipe blocks until something writes to it, and a pipe cannot be read a second time.
        if stat.S_ISFIFO(path.stat().st_mode):
            raise UsageError(
                f"{path} cannot be read: it is a pipe, and the file is read more than once; save its output to a file"
            )
        with path.open("rb") as file:
            is_gzip = file.read(len(_GZIP_MAGIC)) == _GZIP_MAGIC
            file.seek(0)
            if not is_gzip:
                yield file
                return
            with gzip.open(file) as decompressed:
                yield decompressed
    except gzip.BadGzipFile:  # an OSError as well, but not one of the file system
        raise
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror or error}; check the path") from error
