"""Reads an archive: for ``import``, for ``export``, and for ``verify``. Reads only, a part of a body at a time."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from sync.catalog.text import one_line
from sync.catalog.verify.archive import ArchiveContents, ArchivedBody, ArchivedRecord
from sync.errors import ResponseRejected
from sync.source.archive.folder import names_in
from sync.source.archive.names import ArchiveName, Kind, bodies_by_content, parse_name, parsed_names
from sync.source.archive.record import FORMAT, Record, read_record

_MOST_RECORD_BYTES = 1024 * 1024  # 100 headers of 1000 characters, six bytes each at most


def responses_in(files: Iterable[Path]) -> list[tuple[datetime, Path]]:
    """Of the files of one folder: the time and the body of each response that was taken as a catalog, in order.

    A body that came again has several times. Raises ``ResponseRejected`` for a record whose body is not there.
    """
    by_name = {name: file for file in files if (name := parse_name(file.name)) is not None}
    bodies = bodies_by_content(by_name)
    recorded = {(name.at, *name.content) for name in by_name if name.kind.is_record}
    found: dict[tuple[datetime, str, str], Path] = {}
    for name, file in by_name.items():
        # A run that was killed may have left the body without its record.
        is_alone = name.kind is Kind.BODY and (name.at, *name.content) not in recorded
        if name.kind is Kind.RECORD or is_alone:
            if name.content not in bodies:
                raise _without_body(file)
            found[name.at, *name.content] = by_name[bodies[name.content][0]]
    return [(key[0], file) for key, file in sorted(found.items(), key=lambda entry: entry[0])]


def response_of_record(file: Path) -> tuple[datetime, Path] | None:
    """The time and the body of a record; None for the record of a response that was not taken.

    Raises ``ResponseRejected`` when the record cannot be read or its body is not there.
    """
    name = parse_name(file.name)
    if name is None or name.kind is Kind.REJECTED_RECORD:
        return None
    record = _read(file)
    body = parse_name(record.file) if isinstance(record, Record) else None
    if body is None or body.content != name.content or body.kind.is_record:
        raise ResponseRejected(f"{one_line(str(file))} is not a record of the archive; restore it from a copy")
    path = file.with_name(str(body))
    if not path.is_file():
        raise _without_body(file)
    return name.at, path


def require_unchanged(file: Path, body: bytes) -> None:
    """Raises ``ResponseRejected`` for a body of an archive whose bytes are not those that its name says."""
    name = parse_name(file.name)
    if name is not None and hashlib.sha256(body).hexdigest() != name.sha256:
        raise ResponseRejected(
            f"{one_line(str(file))} was changed: its bytes do not have the SHA-256 of its name; restore it from a copy"
        )


def body_names(folder: Path) -> dict[tuple[str, str], str]:
    """The name of the body by mode and SHA-256. Raises ``UsageError`` when the folder cannot be read."""
    bodies = bodies_by_content(parsed_names(names_in(folder)))
    return {content: str(names[0]) for content, names in bodies.items()}


def read_archive(folders: Sequence[Path]) -> ArchiveContents:
    """All files of the folders, with the hash of each body. Raises ``UsageError`` for a folder that cannot be read."""
    bodies, records, unknown = [], [], []
    for folder in folders:
        for text in names_in(folder):
            name, file = parse_name(text), folder / text
            if name is None or not file.is_file():
                unknown.append(one_line(text))
            elif name.kind.is_record:
                records.append(_archived_record(file, name))
            else:
                bodies.append(_archived_body(file, name))
    return ArchiveContents(tuple(bodies), tuple(records), tuple(unknown))


def lookup(folders: Sequence[Path]) -> Callable[[str, str], bool]:
    """Whether a folder has the body of a mode with a SHA-256; the folders are read at the first question."""
    contents: set[tuple[str, str]] = set()

    def is_there(mode: str, sha256: str) -> bool:
        if not contents:
            contents.add(("", ""))
            contents.update(content for folder in folders for content in body_names(folder))
        return (mode, sha256) in contents

    return is_there


def _archived_body(file: Path, name: ArchiveName) -> ArchivedBody:
    try:
        with file.open("rb") as opened:
            found, size = hashlib.file_digest(opened, "sha256").hexdigest(), opened.tell()
    except OSError:
        found, size = None, 0
    return ArchivedBody(file.name, name.at, name.mode, name.sha256, size, found)


def _archived_record(file: Path, name: ArchiveName) -> ArchivedRecord:
    record = _read(file)
    is_rejected = name.kind is Kind.REJECTED_RECORD
    problem = record if isinstance(record, str) else _difference(record, name)
    if isinstance(record, str) or problem:
        return ArchivedRecord(file.name, name.at, name.mode, name.sha256, is_rejected, problem)
    return ArchivedRecord(
        file=file.name,
        at=name.at,
        mode=name.mode,
        sha256=name.sha256,
        is_rejected=is_rejected,
        catalog_id=record.catalog_id,
        run_id=record.run_id,
        http_status=record.status,
        asked_at=_time(record.asked_at),
        size=record.bytes,
    )


def _read(file: Path) -> Record | str:
    """The record, or why it is none."""
    try:
        with file.open("rb") as opened:
            record = read_record(opened.read(_MOST_RECORD_BYTES))
        for moment in (record.observed_at, record.asked_at, record.received_at):
            _time(moment)
    except OSError as error:
        return f"it cannot be read ({error.strerror})"
    except (msgspec.DecodeError, ValueError, OverflowError, RecursionError) as error:
        return f"it is not a record ({one_line(str(error))})"
    if not 1 <= record.catalog_sync_response <= FORMAT:
        return f"it has the format {record.catalog_sync_response}, and this version reads {FORMAT}"
    return record


def _difference(record: Record, name: ArchiveName) -> str | None:
    """What a record says otherwise than its name."""
    said = (_time(record.observed_at), record.mode, record.sha256, record.error is not None)
    if said != (name.at, name.mode, name.sha256, name.kind is Kind.REJECTED_RECORD):
        return "its time, mode, hash or error is not that of its name"
    body = parse_name(record.file)
    if body is None or body.content != name.content or body.kind.is_record:
        return "its file is not the body of its name"
    return None


def _time(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text).astimezone(UTC)


def _without_body(file: Path) -> ResponseRejected:
    return ResponseRejected(
        f"{one_line(str(file))} is a record without its body; copy the whole folder of the archive, then import it"
    )
