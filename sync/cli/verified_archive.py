"""The archive of ``verify``: what is compared with the runs, and what is said of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sync.catalog.verify.archive import ArchiveCheck, ArchiveContents
    from sync.catalog.verify.findings import Finding
    from sync.store.database import Connection


class ArchiveVerification:
    """The files of the folders, read once; without a folder there is nothing to find and to say."""

    def __init__(self, folders: Sequence[Path], contents: ArchiveContents | None) -> None:
        self._folders, self._contents = folders, contents
        self._check: ArchiveCheck | None = None

    @classmethod
    def of(cls, folders: Sequence[Path]) -> ArchiveVerification:
        """Reads every file. Raises ``UsageError`` for a folder that cannot be read."""
        if not folders:
            return cls((), None)
        from sync.source.archive.reader import read_archive

        return cls(folders, read_archive(folders))

    def findings(self, connection: Connection) -> Iterator[Finding]:
        if self._contents is None:
            return
        from sync.catalog.verify.archive import ArchiveCheck
        from sync.source.archive.reader import lookup
        from sync.store.identity import read_identity
        from sync.store.verify.read_archived import recorded_runs

        own = read_identity(connection)
        self._check = ArchiveCheck(self._contents, own.catalog_id if own else None, lookup(self._folders))
        yield from self._check.findings(recorded_runs(connection))

    def text(self) -> str:
        """A clause for the line that says that all agrees, after ``findings``."""
        if self._contents is None:
            return ""
        from sync.catalog.verify.findings import format_time
        from sync.show.values import format_count

        begin = self._contents.begin
        if begin is None:
            return "; the archive is empty"
        pruned = self._check.pruned if self._check else 0
        of_pruned = f", {pruned} of them of runs that are not on record any more" if pruned else ""
        bodies, records = len(self._contents.bodies), len(self._contents.records)
        return (
            f"; the archive has all responses since {format_time(begin)}: {format_count(bodies, 'distinct response')},"
            f" {format_count(records, 'record')}{of_pruned}"
        )

    def numbers(self) -> dict[str, object] | None:
        """The same for the JSON document; None without an archive."""
        if self._contents is None:
            return None
        return {
            "begin": self._contents.begin,
            "responses": len(self._contents.bodies),
            "records": len(self._contents.records),
            "pruned": self._check.pruned if self._check else 0,
        }
