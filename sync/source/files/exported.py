"""Reads the file of an exported history: first as a whole, so that nothing of a damaged file is imported."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import msgspec
from msgspec import Struct

from sync.catalog.export.lines import FORMAT, End, ExportedRun, Header, Line, decode
from sync.catalog.text import one_line
from sync.errors import ResponseRejected, UsageError
from sync.source.files.jsonl import MAX_LINE_BYTES, numbered_lines

# The texts of a line are inside JSON strings, where each quotation mark takes two bytes.
_MAX_LINE_BYTES = 2 * MAX_LINE_BYTES
_ADVICE = "export the history again"


class NumberedLine(Struct, frozen=True):
    """A line, and where it is."""

    file: str
    number: int
    line: Line


def is_export(path: Path) -> bool:
    """Whether the file begins like an exported history. Raises as reading the file does."""
    if path.is_dir():
        return False
    first = next((line for _, line in numbered_lines(path, _MAX_LINE_BYTES)), b"")
    try:
        return msgspec.json.decode(first, type=dict[str, msgspec.Raw]).get("line") == msgspec.Raw(b'"export"')
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False


def check_export(path: Path) -> int:
    """The number of runs in the file. Raises ``ResponseRejected`` with file and line for one that is not whole.

    Raises ``UsageError`` for a file that only a later version of the program can read.
    """
    number, runs, last_run, end, digest = 0, 0, 0, None, hashlib.sha256()
    for number, text in numbered_lines(path, _MAX_LINE_BYTES):
        if end is not None:
            raise _rejected(path, number, "follows the last line of the export")
        line = _decode(path, number, text)
        if isinstance(line, Header):
            _require_format(path, line)
        if isinstance(line, Header) != (number == 1):
            raise _rejected(path, number, "is in the wrong place")
        if isinstance(line, ExportedRun):
            if line.run_id <= last_run:
                raise _rejected(path, number, f"is in the wrong place: run {line.run_id} follows run {last_run}")
            runs, last_run = runs + 1, line.run_id
        if isinstance(line, End):
            end = line
            if (line.runs, line.sha256) != (runs, digest.hexdigest()):
                raise _rejected(path, number, "does not agree with the lines before it: the file was changed")
        digest.update(text)
    if end is None:
        raise _rejected(path, number, "is not the last line of an export: the file is truncated")
    return runs


def read_export(path: Path) -> Iterator[NumberedLine]:
    """The lines of a file that ``check_export`` accepted."""
    for number, text in numbered_lines(path, _MAX_LINE_BYTES):
        yield NumberedLine(str(path), number, _decode(path, number, text))


def _decode(path: Path, number: int, text: bytes) -> Line:
    try:
        return decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        # A line of a later version may have any form, and the first line says which version it is.
        raise _rejected(path, number, f"is no line of an export: {one_line(str(error))}") from error


def _require_format(path: Path, header: Header) -> None:
    if header.format > FORMAT:
        raise UsageError(
            f"{path} cannot be imported: catalog-sync {header.app_version} exported it in format {header.format}, and"
            f" this version reads formats up to {FORMAT}; install that version"
        )


def _rejected(path: Path, number: int, problem: str) -> ResponseRejected:
    return ResponseRejected(f"{path} line {number} {problem}; {_ADVICE}")
