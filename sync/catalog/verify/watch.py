"""The rules of ``watch_days``: each row has the successful syncs of its day that are on record.

Successful syncs that were pruned are in their row alone, so there may be more of them than on record.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime

from sync.catalog.verify.findings import Finding, RowScope, StoredRow, format_value, unreadable_findings
from sync.catalog.watch import WatchDay

_TABLE = "watch_days"


def watch_findings(
    rows: Sequence[StoredRow], on_record: Mapping[tuple[str, date], WatchDay], last: Mapping[str, object]
) -> Iterator[Finding]:
    """What is wrong with the rows. ``last`` is ``good_observed_at`` of each mode."""
    stored: set[tuple[object, object]] = set()
    for row in rows:
        mode, day = row["mode"], row["day"]
        scope = RowScope(_TABLE, mode if isinstance(mode, str) else None)
        stored.add((mode, day))
        unreadable = list(unreadable_findings(scope, [row]))
        yield from unreadable
        if not unreadable:
            known = on_record.get((mode, day)) if isinstance(mode, str) and isinstance(day, date) else None
            for problem in (*_own_problems(row, last.get(str(mode))), *_run_problems(row, known)):
                yield scope.finding(f"day {day}: {problem}", row["first_success_at"])
    for (mode, day), known in on_record.items():
        if (mode, day) not in stored:
            yield RowScope(_TABLE, mode).finding(f"the day {day} is missing", known.first_success_at)


def _own_problems(row: StoredRow, last: object) -> Iterator[str]:
    first_at, last_at, number = row["first_success_at"], row["last_success_at"], row["successful_syncs"]
    for name in ("first_success_at", "last_success_at"):
        time = row[name]
        if isinstance(time, datetime) and time.astimezone(UTC).date() != row["day"]:
            yield f"{name} is {format_value(time)}, of another day"
    if not isinstance(number, int) or number < 1 or (number == 1) != (first_at == last_at):
        yield (f"successful_syncs is {format_value(number)}, from {format_value(first_at)} to {format_value(last_at)}")
    if isinstance(last_at, datetime) and not (isinstance(last, datetime) and last_at <= last):
        yield f"last_success_at is {format_value(last_at)}, later than good_observed_at {format_value(last)}"


def _run_problems(row: StoredRow, known: WatchDay | None) -> Iterator[str]:
    """Where a row contradicts the runs of its day that are on record."""
    number = row["successful_syncs"]
    if known is None or not isinstance(number, int):
        return
    if number < known.successful_syncs:
        yield f"successful_syncs is {number}, but {known.successful_syncs} successful syncs are on record"
        return
    expected = {
        "first_success_at": known.first_success_at,
        "last_success_at": known.last_success_at,
        "longest_gap_seconds": known.longest_gap_seconds,
    }
    is_whole = number == known.successful_syncs
    for name, value in expected.items():
        if row[name] != value and (is_whole or not _includes(name, row[name], value)):
            yield f"{name} is {format_value(row[name])}, but the runs on record give {format_value(value)}"


def _includes(name: str, stored: object, on_record: object) -> bool:
    """Whether a row may have a value, of which the syncs on record have a part."""
    if isinstance(stored, datetime) and isinstance(on_record, datetime):
        return stored <= on_record if name == "first_success_at" else stored >= on_record
    return on_record is None or (isinstance(stored, int) and isinstance(on_record, int) and stored >= on_record)
