"""Keeps the responses of a run in the archive, before anything of them is stored in the database.

A body is written once for a mode, however often it comes. A record is written when a mode's response is another one
than that of the mode's last record: so the records say which response came when, and a response that repeats costs
nothing. No file is ever changed, and a name exists only for a file that is whole and on the disk.
"""

from __future__ import annotations

import errno
import hashlib
import os
import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from io import RawIOBase
from pathlib import Path

from sync.source.archive.folder import folder_error, names_in, require_writable
from sync.source.archive.names import ArchiveName, Kind, bodies_by_content, parsed_names
from sync.source.archive.record import Received, ReceivingRun, make_record

_PART = ".part"
_PIECE = 64 * 1024  # bytes
_LONGEST_SECRET = 4096  # bytes
_LEFTOVER_SECONDS = 3600.0  # no write takes that long
# Another run writes two bodies at most. A signal must end a run within 10 s.
_LOCK_SECONDS = 5.0
_LOCK_STEP = 0.02


class ArchiveWriter:
    """An archive that runs write to. ``mask`` hides secrets in a text."""

    def __init__(self, folder: Path, mask: Callable[[str], str] = str) -> None:
        self._folder, self._mask = folder, mask

    def require_usable(self) -> None:
        """Raises ``UsageError`` unless files can be made in the folder. Writes nothing."""
        require_writable(self._folder)

    def keep(self, run: ReceivingRun, responses: Sequence[Received]) -> None:
        """Keeps the responses: when it returns, they are on the disk.

        An empty body leaves nothing, nor does the body of a failed request that repeats a secret. Raises
        ``ArchiveNotWritten`` or ``UsageError``; then no body and no record has been added, unless the disk failed
        between two renames.
        """
        kept = [received for received in responses if received.body and not self._has_secret(received)]
        try:
            with _locked(self._folder):
                self._write(dict(self._new_files(run, kept)))
        except OSError as error:
            raise folder_error(self._folder, error) from error

    def _has_secret(self, received: Received) -> bool:
        # What may be a catalog was searched for the key when it came, and a password may be a word of it.
        if received.is_catalog:
            return False
        body = received.body
        # In pieces that overlap by the longest secret: a large body takes no more memory, and one piece is enough.
        pieces = (body[start : start + _PIECE + _LONGEST_SECRET] for start in range(0, len(body), _PIECE))
        return any(self._mask(text) != text for text in (piece.decode("utf-8", "replace") for piece in pieces))

    def _new_files(self, run: ReceivingRun, responses: Sequence[Received]) -> Iterator[tuple[str, bytes]]:
        """Name and content of each file to write; of each response the body first."""
        names = names_in(self._folder)
        for received in responses:
            rejected = received.error is not None
            sha256 = hashlib.sha256(received.body).hexdigest()
            body = ArchiveName(run.observed_at, received.mode, sha256, Kind.REJECTED_BODY if rejected else Kind.BODY)
            same = bodies_by_content(parsed_names(name for name in names if sha256 in name))
            file = self._whole_body(same.get(body.content, ()), len(received.body))
            record = ArchiveName(
                run.observed_at, received.mode, sha256, Kind.REJECTED_RECORD if rejected else Kind.RECORD
            )
            last = _last_record(names, received.mode)
            if file is None:
                yield str(body), received.body
            elif last is not None and (last.content, last.kind) == (record.content, record.kind):
                continue
            yield str(record), make_record(run, received, sha256, file or str(body), self._mask)

    def _whole_body(self, names: Sequence[ArchiveName], size: int) -> str | None:
        """The name of a body that is there. One of another size was changed, so it is written again."""
        for name in map(str, names):
            with suppress(OSError):
                if (self._folder / name).stat().st_size == size:
                    return name
        return None

    def _write(self, files: dict[str, bytes]) -> None:
        if not files:
            return
        # All of them are written before the first gets its name: a full disk adds nothing.
        parts = {name: self._folder / f".{name}.{os.getpid()}-{secrets.token_hex(4)}{_PART}" for name in files}
        try:
            for name, content in files.items():
                _write_part(parts[name], content)
            self._remove_leftovers(next(iter(parts.values())).stat().st_mtime)
            # In this order, and each on the disk before the next: a record's body is there.
            for name, part in parts.items():
                part.replace(self._folder / name)
                _sync_folder(self._folder)
        finally:
            for part in parts.values():
                with suppress(OSError):
                    part.unlink(missing_ok=True)

    def _remove_leftovers(self, now: float) -> None:
        """Removes what runs that were killed had not finished. ``now`` is by the clock of the file system."""
        for path in self._folder.glob(f".*{_PART}"):
            with suppress(OSError):
                if now - path.stat().st_mtime > _LEFTOVER_SECONDS:
                    path.unlink()


def _last_record(names: Sequence[str], mode: str) -> ArchiveName | None:
    """The last record of a mode. ``names`` are in order, and so are the times with which they begin."""
    records = (name for name in parsed_names(reversed(names)) if name.mode == mode and name.kind.is_record)
    return next(records, None)


def _write_part(path: Path, content: bytes) -> None:
    with path.open("xb", buffering=0) as file:
        _write_bytes(file, content)
        os.fsync(file.fileno())


def _write_bytes(file: RawIOBase, content: bytes) -> None:
    view = memoryview(content)
    while view:  # a write may be cut short
        view = view[file.write(view) or 0 :]


def _sync_folder(folder: Path) -> None:
    if not hasattr(os, "O_DIRECTORY"):
        return
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        # Some network file systems cannot, and write a rename through.
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise
    finally:
        os.close(descriptor)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Keeps other runs on this host from writing, so that two of them with the same response write one body.

    A lock that cannot be had is done without: then the worst is a body under two names.
    """
    if not hasattr(os, "O_DIRECTORY"):  # no POSIX
        yield
        return
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        deadline = time.monotonic() + _LOCK_SECONDS
        while not _try_lock(descriptor) and time.monotonic() < deadline:
            time.sleep(_LOCK_STEP)
        yield
    finally:
        os.close(descriptor)


def _try_lock(descriptor: int) -> bool:
    """Whether the folder is locked, or cannot be locked at all, as on some network file systems."""
    import fcntl  # only POSIX has it

    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True
