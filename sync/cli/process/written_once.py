"""Lines that are made again after a broken connection, and written once."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from sync.errors import DatabaseError


class WrittenOnce:
    """Passes each line to ``write``, but for those that an earlier attempt has written.

    ``begin`` starts an attempt and returns the function that writes its lines, which raises
    ``DatabaseError`` when they are not those of the attempt before.
    """

    def __init__(self, write: Callable[[bytes], object]) -> None:
        self._write = write
        self._written = 0
        self._digest = hashlib.sha256()
        self._position = 0
        self._repeated = hashlib.sha256()

    def begin(self) -> Callable[[bytes], None]:
        self._position = 0
        self._repeated = hashlib.sha256()
        return self._write_line

    def _write_line(self, line: bytes) -> None:
        self._position += 1
        if self._position > self._written:
            self._write(line)
            self._written += 1
            self._digest.update(line)
            return
        self._repeated.update(line)
        if self._position == self._written and self._repeated.digest() != self._digest.digest():
            raise DatabaseError(
                "the database failed: the connection broke, and the history has changed since; what was written is"
                " not whole, run it again"
            )
