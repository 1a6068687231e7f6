"""The names of the files in an archive: a time in UTC, a mode, the SHA-256 of the body, and what the file is.

``2026-03-01T12-00-00.123456Z-image-<64 hex digits>.json`` is a body; ``.meta.json`` in place of ``.json`` is the
record beside it, which says when and how a run received these bytes. A body that was not taken as a catalog ends in
``.rejected``, its record in ``.rejected.meta.json``. ``import`` reads the time from the name, and so does a person.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import MAXYEAR, UTC, datetime
from enum import Enum

from msgspec import Struct

from sync.catalog.modes import MODES
from sync.catalog.times import EARLIEST_YEAR


class Kind(Enum):
    """What a file is; the value is the end of its name."""

    BODY = ".json"
    RECORD = ".meta.json"
    REJECTED_BODY = ".rejected"
    REJECTED_RECORD = ".rejected.meta.json"

    @property
    def is_record(self) -> bool:
        return self in (Kind.RECORD, Kind.REJECTED_RECORD)


_NAME = re.compile(
    rf"(\d{{4}}-\d\d-\d\d)T(\d\d-\d\d-\d\d\.\d{{6}})Z-({'|'.join(MODES)})-([0-9a-f]{{64}})"
    rf"({'|'.join(re.escape(kind.value) for kind in Kind)})",
    re.ASCII,
)
_TIME = "%Y-%m-%dT%H-%M-%S.%f"


class ArchiveName(Struct, frozen=True):
    """A name, taken apart. ``at`` is when the last response of the run had arrived."""

    at: datetime
    mode: str
    sha256: str
    kind: Kind

    def __str__(self) -> str:
        return f"{self.at.astimezone(UTC):{_TIME}}Z-{self.mode}-{self.sha256}{self.kind.value}"

    @property
    def content(self) -> tuple[str, str]:
        """Mode and hash: files with the same ones are about the same bytes."""
        return self.mode, self.sha256


def parse_name(text: str) -> ArchiveName | None:
    """None for a name that is not one of an archive."""
    found = _NAME.fullmatch(text)
    if found is None:
        return None
    try:
        # Ten times as fast as strptime, and there may be ten thousand names.
        at = datetime.fromisoformat(f"{found[1]}T{found[2].replace('-', ':')}+00:00")
    except ValueError:
        return None
    if not EARLIEST_YEAR <= at.year < MAXYEAR:  # so that the times around it are times as well
        return None
    return ArchiveName(at, found[3], found[4], Kind(found[5]))


def parsed_names(texts: Iterable[str]) -> Iterator[ArchiveName]:
    """Those of the names that are of an archive."""
    return (name for name in map(parse_name, texts) if name is not None)


def bodies_by_content(names: Iterable[ArchiveName]) -> dict[tuple[str, str], list[ArchiveName]]:
    """The bodies of each content, those that were taken and the oldest ones first."""
    bodies: dict[tuple[str, str], list[ArchiveName]] = {}
    for name in sorted(names, key=lambda name: (name.kind is not Kind.BODY, name.at)):
        if not name.kind.is_record:
            bodies.setdefault(name.content, []).append(name)
    return bodies
