"""A file that is written whole or not at all, or stdout."""

from __future__ import annotations

import errno
import gzip
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from sync.errors import OutputNotWritten, UsageError

Write = Callable[[bytes], object]


@contextmanager
def whole_file(path: Path) -> Iterator[Write]:
    """A function that writes to the file, or to stdout for ``-``; the file is compressed if its name ends in .gz.

    The file appears at the end, in place of one with this name. Until then its contents are in a file beside it,
    which is deleted when an error ends the with statement. What is no regular file, such as /dev/null, is
    written to directly. Raises ``UsageError`` if the file cannot be made, ``OutputNotWritten`` on a full disk.
    """
    if str(path) == "-":
        yield sys.stdout.buffer.write
        sys.stdout.buffer.flush()
        return
    with _translated(path):
        target = Path(os.path.realpath(path))
        if target.is_symlink():  # only links in a loop; Path.resolve() of Python 3.11 raises RuntimeError for them
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
        is_special = target.exists() and not target.is_file()
        if target.is_dir():
            raise UsageError(f"{path} cannot be written: it is a folder; give the name of a file")
        beside = target if is_special else target.with_name(f".{target.name}.{os.getpid()}.part")
        try:
            with beside.open("wb" if is_special else "xb") as file:
                with _compressed(file, path) as output:
                    yield output.write
                file.flush()
                if not is_special:
                    os.fsync(file.fileno())
            if not is_special:
                beside.replace(target)
        except BaseException:
            if not is_special:
                with suppress(OSError):
                    beside.unlink()
            raise


def write_document(path: Path | None, text: str, begin: str) -> None:
    """Writes a text as a whole file, or to stdout without a path, where ``begin`` is how such texts begin.

    Raises ``UsageError`` for a file that holds something else, such as the database, and as ``whole_file`` does.
    """
    if path is not None and str(path) != "-":
        _require_replaceable(path, begin.encode())
    with whole_file(path or Path("-")) as write:
        write(text.encode())


def _require_replaceable(path: Path, begin: bytes) -> None:
    try:
        if not path.is_file() or not path.stat().st_size:
            return
        with gzip.open(path) if path.name.lower().endswith(".gz") else path.open("rb") as file:
            found = file.read(len(begin))
    except PermissionError:
        return  # opening it for writing reports it
    except (OSError, EOFError):
        found = b""  # not compressed, in spite of its name
    if found != begin:
        raise UsageError(f"{path} was not written: there is another file with this name; give another name")


@contextmanager
def _compressed(file: BinaryIO, path: Path) -> Iterator[BinaryIO]:
    if not path.name.lower().endswith(".gz"):
        yield file
        return
    # Without name and time, so that the same history gives the same file.
    with gzip.GzipFile("", "wb", 6, file, mtime=0) as output:
        yield output  # type: ignore[misc]  # a GzipFile is one in all that is used here


@contextmanager
def _translated(path: Path) -> Iterator[None]:
    try:
        yield
    except (FileNotFoundError, NotADirectoryError, PermissionError, FileExistsError) as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}; check the path") from error
    except OSError as error:
        if error.errno in {errno.ENAMETOOLONG, errno.ELOOP}:
            raise UsageError(f"{path} cannot be written: {error.strerror}; give another name") from error
        raise OutputNotWritten(
            f"{path} could not be written: {error.strerror or error}; make room there, then run it again"
        ) from error
