"""Saved responses from JSON Lines, from a file with one response, or from a folder of such files.

An archive that runs have written is such a folder: its records say which body came when.

A file with one response has no ``at``. Its time comes from the caller or from the name of the file, such as
``image-2026-03-01T12-00-00Z.json``, and its mode is ``data.mode``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path

import msgspec

from sync.catalog.json.surrogates import replace_lone_surrogates
from sync.catalog.json.tree import MalformedError
from sync.catalog.modes import MODES
from sync.catalog.response.envelope import BOM, read_mode
from sync.catalog.text import one_line
from sync.errors import ResponseRejected, UsageError
from sync.source.archive.names import Kind, parse_name
from sync.source.archive.reader import require_unchanged, response_of_record, responses_in
from sync.source.files.input_file import GZIP_ERRORS, open_file
from sync.source.files.jsonl import MAX_LINE_BYTES, SavedResponse, is_saved_responses, read_saved_responses

_RESPONSE_MODES = (*MODES, "all")
_RESPONSE_SUFFIXES = (".json", ".json.gz")
_RECORD_SUFFIXES = (Kind.RECORD.value, Kind.REJECTED_RECORD.value)
_LINES_SUFFIXES = (".jsonl", ".jsonl.gz", ".ndjson", ".ndjson.gz")
_TIME = re.compile(
    r"""(?<!\d)(20\d\d)-?(\d\d)-?(\d\d)                # the day
    (?:[T_ -]?(\d\d)[-:_.]?(\d\d)(?:[-:_.]?(\d\d)(?:\.(\d{6}|\d{3})(?!\d))?)?)?  # the time of day
    (?!\d)(?P<zone>[+-]\d\d:?\d\d)?""",
    re.IGNORECASE | re.VERBOSE,
)
# A time with another offset is ignored: the time in a name is always UTC.
_UTC_ZONES = (None, "+00:00", "+0000")


def read_saved(path: Path, at: datetime | None = None) -> Iterator[SavedResponse]:
    """The saved responses of a file or folder in order of time; the responses of one time are one value.

    ``at`` is the time of a file with one response. Raises ``UsageError`` when ``at`` cannot be used with the
    path or the path cannot be read, and ``ResponseRejected`` with the file's name for an invalid response.
    """
    if _is_folder(path):
        _require_no_time(at, f"{path} is a folder; put a time into the name of each file")
        yield from _read_folder(path)
        return
    if path.name.lower().endswith(_RECORD_SUFFIXES) and parse_name(path.name):
        _require_no_time(at, f"{path} is a record of an archive, which has a time; leave --at out")
        found = response_of_record(path)
        if found is not None:
            yield _read_response(found[1], found[0])
        return
    time = at or time_in_name(path.name)
    if time is None or path.name.lower().endswith(_LINES_SUFFIXES) or is_saved_responses(path):
        _require_no_time(at, f"each line of {path} has its own time; leave --at out")
        yield from read_saved_responses(path)
    else:
        yield _read_response(path, time)


def time_in_name(name: str) -> datetime | None:
    """The UTC time in a file's name, such as 2026-03-01, 20260301T120000Z or 2026-03-01T12-00; None without one.

    Seconds may have 3 or 6 decimals.
    """
    match = _TIME.search(name)
    if match is None or match["zone"] not in _UTC_ZONES:
        return None
    try:
        year, month, day, hour, minute, second = (int(part or 0) for part in match.groups()[:6])
        fraction = int((match[7] or "").ljust(6, "0"))
        return datetime(year, month, day, hour, minute, second, fraction, tzinfo=UTC)
    except ValueError:
        return None


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:  # such as a name that is too long: opening the file reports it
        return False


def _require_no_time(at: datetime | None, reason: str) -> None:
    if at is not None:
        raise UsageError(f"--at cannot be used: {reason}")


def _read_folder(folder: Path) -> Iterator[SavedResponse]:
    try:
        all_files = sorted(file for file in folder.iterdir() if file.is_file())
    except OSError as error:
        raise UsageError(f"{folder} cannot be read: {error.strerror}; check the path") from error
    files = [file for file in all_files if file.name.lower().endswith(_RESPONSE_SUFFIXES)]
    if not files:
        raise UsageError(
            f"{folder} cannot be imported: it has no file whose name ends in .json or .json.gz; "
            "give the folder with the responses"
        )
    timed = [(_require_time_in_name(file), file) for file in files if parse_name(file.name) is None]
    timed = sorted([*timed, *responses_in(all_files)])
    for at, group in groupby(timed, key=lambda entry: entry[0]):
        yield _merge([_read_response(file, at) for _, file in group])


def _merge(responses: list[SavedResponse]) -> SavedResponse:
    """The responses of one time as one value, with each mode once."""
    first, *others = responses
    for other in others:
        if first.payloads.keys() & other.payloads.keys() or "all" in {*first.payloads, *other.payloads}:
            raise ResponseRejected(
                f"{one_line(other.file)} cannot be imported: {one_line(first.file)} has the same time and mode; "
                "keep one of them"
            )
        first = replace(first, payloads={**first.payloads, **other.payloads})
    return first


def _read_response(file: Path, at: datetime) -> SavedResponse:
    name = one_line(str(file))
    try:
        with open_file(file) as opened:
            body = opened.read(MAX_LINE_BYTES + 1)
    except GZIP_ERRORS as error:
        raise ResponseRejected(
            f"{name} cannot be read: the gzip data is truncated or damaged; get the file again"
        ) from error
    if len(body) > MAX_LINE_BYTES:
        raise ResponseRejected(f"{name} cannot be read: it is longer than {MAX_LINE_BYTES} bytes; check the file")
    require_unchanged(file, body)
    return SavedResponse(str(file), 1, at, {_mode(name, body): body})


def _mode(name: str, body: bytes) -> str:
    try:
        mode = read_mode(replace_lone_surrogates(body.removeprefix(BOM)))
    except (MalformedError, msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ResponseRejected(
            f"{name} is not a saved response: {one_line(str(error))}; save what the API sent, unchanged"
        ) from error
    if mode not in _RESPONSE_MODES:
        raise ResponseRejected(
            f"{name} cannot be imported: it is a response for mode {one_line(mode)}; "
            "give a response for image, video or all"
        )
    return mode


def _require_time_in_name(file: Path) -> datetime:
    at = time_in_name(file.name)
    if at is None:
        raise ResponseRejected(
            f"{one_line(str(file))} cannot be imported: its name has no time; "
            "rename it like 2026-03-01T12-00-00Z.json, or import it alone with --at"
        )
    return at
