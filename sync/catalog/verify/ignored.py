"""The rules of ``ignored_fields``: paths that can be ignored, and intervals that do not overlap."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import pairwise

from sync.catalog.changes.ignored import IgnoredField, IgnoredFields, ignored_field
from sync.catalog.changes.ignored_path import PathError, parse_path
from sync.catalog.verify.findings import Finding, RowScope, StoredRow, format_time, format_value, unreadable_findings

_SCOPE = RowScope("ignored_fields")


def ignored_of_rows(rows: Iterable[StoredRow]) -> IgnoredFields:
    """The ignored fields of the rows that can be read."""
    return IgnoredFields(field for row in rows if (field := _field(row)) is not None)


def ignored_findings(rows: Sequence[StoredRow]) -> Iterator[Finding]:
    """Rows that the command would not have written. ``rows`` are in the order of ``valid_from``."""
    yield from unreadable_findings(_SCOPE, rows)
    by_path: dict[object, list[StoredRow]] = defaultdict(list)
    for row in rows:
        by_path[row["path"]].append(row)
        if problem := _problem(row):
            yield _SCOPE.finding(f"path {format_value(row['path'])}: {problem}", row["valid_from"])
    for path, intervals in by_path.items():
        for row, later in pairwise(intervals):
            end, start = row["valid_to"], later["valid_from"]
            if end is None or (isinstance(end, datetime) and isinstance(start, datetime) and start < end):
                yield _SCOPE.finding(f"path {format_value(path)}: the interval overlaps the previous one", start)


def _field(row: StoredRow) -> IgnoredField | None:
    path, start, end = row["path"], row["valid_from"], row["valid_to"]
    if not isinstance(path, str) or not isinstance(start, datetime) or not (end is None or isinstance(end, datetime)):
        return None
    return ignored_field(path, start, end)


def _problem(row: StoredRow) -> str | None:
    start, end = row["valid_from"], row["valid_to"]
    if isinstance(start, datetime) and isinstance(end, datetime) and end <= start:
        return f"valid_to is {format_time(end)}, not after valid_from"
    try:
        parse_path(str(row["path"]))
    except PathError as error:
        return f"the path cannot be ignored: {error}"
    return None
