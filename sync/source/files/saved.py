"""Saved answers in whatever form people have them: JSON Lines, one answer a file, a folder of such files.

An answer alone in its file has no ``at``: its time comes from the caller, or from the file's name,
such as ``image-2026-03-01T12-00-00Z.json``. Its mode is the one that it says.
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
from sync.source.files.jsonl import (
    GZIP_ERRORS,
    MAX_LINE,
    SavedResponse,
    is_saved_responses,
    open_file,
    read_saved_responses,
)

_RESPONSE_MODES = (*MODES, "all")
_ANSWERS = (".json", ".json.gz")
_LINES = (".jsonl", ".jsonl.gz", ".ndjson", ".ndjson.gz")
_TIME = re.compile(
    r"""(?<!\d)(20\d\d)-?(\d\d)-?(\d\d)                # the day
    (?:[T_ -]?(\d\d)[-:_.]?(\d\d)(?:[-:_.]?(\d\d))?)?  # the time of day
    (?!\d)(?P<zone>[+-]\d\d:?\d\d)?""",
    re.IGNORECASE | re.VERBOSE,
)
_UTC_ZONES = (None, "+00:00", "+0000")


def read_saved(path: Path, at: datetime | None = None) -> Iterator[SavedResponse]:
    """The saved answers of a file or folder in order of time, those of one time together.

    ``at`` is the time of a file with one answer. Raises ``UsageError`` where it makes no sense or
    the path cannot be read, ``ResponseRejected`` naming the file for what is no saved answer.
    """
    if _is_folder(path):
        _refuse(
            at, f"{path} is a folder: --at is the time of a single answer; the names of its files must carry theirs"
        )
        yield from _in_folder(path)
        return
    found = at or time_in_name(path.name)
    if found is None or path.name.lower().endswith(_LINES) or is_saved_responses(path):
        _refuse(at, f"the lines of {path} carry their own times: leave --at out")
        yield from read_saved_responses(path)
    else:
        yield _alone(path, found)


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:  # a name that is too long, for one: opening it says what is wrong
        return False


def time_in_name(name: str) -> datetime | None:
    """The UTC time in a file's name, such as 2026-03-01, 20260301T120000Z or 2026-03-01T12-00; None without one."""
    match = _TIME.search(name)
    if match is None or match["zone"] not in _UTC_ZONES:
        return None
    try:
        year, month, day, hour, minute, second = (int(part or 0) for part in match.groups()[:6])
        return datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    except ValueError:
        return None


def _in_folder(folder: Path) -> Iterator[SavedResponse]:
    try:
        files = sorted(file for file in folder.iterdir() if file.name.lower().endswith(_ANSWERS) and file.is_file())
    except OSError as error:
        raise UsageError(f"{folder} cannot be read: {error.strerror}; check the path") from error
    if not files:
        raise UsageError(f"{folder} holds no file that ends in .json or .json.gz: give the folder with the answers")
    timed = sorted((_time_of(file), file) for file in files)
    for at, group in groupby(timed, key=lambda entry: entry[0]):
        yield _together([_alone(file, at) for _, file in group])


def _together(answers: list[SavedResponse]) -> SavedResponse:
    """The answers of one moment as one: each mode once."""
    first, *others = answers
    for other in others:
        if first.payloads.keys() & other.payloads.keys() or "all" in {*first.payloads, *other.payloads}:
            raise ResponseRejected(
                f"{one_line(other.file)} has the same time and mode as {one_line(first.file)}: keep one of them"
            )
        first = replace(first, payloads={**first.payloads, **other.payloads})
    return first


def _alone(file: Path, at: datetime) -> SavedResponse:
    try:
        with open_file(file) as opened:
            body = opened.read(MAX_LINE + 1)
    except GZIP_ERRORS as error:
        raise ResponseRejected(f"{one_line(str(file))}: its gzip data is cut or damaged; get the file anew") from error
    if len(body) > MAX_LINE:
        raise ResponseRejected(f"{one_line(str(file))} is longer than {MAX_LINE} bytes: it is no saved answer")
    return SavedResponse(str(file), 1, at, {_mode(file, body): body})


def _mode(file: Path, body: bytes) -> str:
    try:
        mode = read_mode(replace_lone_surrogates(body.removeprefix(BOM)))
    except (MalformedError, msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ResponseRejected(
            f"{one_line(str(file))} is no saved answer ({one_line(str(error))}): it must be what the API sent"
        ) from error
    if mode not in _RESPONSE_MODES:
        raise ResponseRejected(
            f"{one_line(str(file))} is an answer for mode {one_line(mode)}: image, video or all is needed"
        )
    return mode


def _time_of(file: Path) -> datetime:
    at = time_in_name(file.name)
    if at is None:
        raise ResponseRejected(
            f"{one_line(str(file))} has no time in its name: call it such as 2026-03-01T12-00-00Z.json,"
            " or import it alone with --at"
        )
    return at


def _refuse(at: datetime | None, why: str) -> None:
    if at is not None:
        raise UsageError(why)
