"""The watched days of a history without the runs that are left out of an export."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import date

from msgspec.structs import replace

from sync.catalog.export.lines import ExportedMode, parse_time, text_or_none
from sync.catalog.watch import Success, WatchDay, first_of_day, longest

_Key = tuple[str, date]


class WatchDaysWithoutRuns:
    """Counts the good runs of the lines. A day of which runs were pruned is reckoned from its stored row."""

    def __init__(self) -> None:
        self._on_record: Counter[_Key] = Counter()
        self._left_out: dict[_Key, list[Success]] = {}
        self._kept: dict[_Key, WatchDay] = {}
        self._has_longer_gap: set[_Key] = set()

    def leave_out(self, mode: ExportedMode) -> None:
        if mode.is_good:
            success = _success(mode)
            key = mode.mode, success.day
            self._on_record[key] += 1
            self._left_out.setdefault(key, []).append(success)

    def keep(self, before: ExportedMode, kept: ExportedMode) -> None:
        """``kept`` is the line's mode as it is without the runs left out before it."""
        if kept.is_good:
            success = _success(kept)
            key = kept.mode, success.day
            self._on_record[key] += 1
            known = self._kept.get(key)
            self._kept[key] = known.with_success(success) if known else first_of_day(kept.mode, success)
            if success != _success(before):
                self._has_longer_gap.add(key)

    def rows(self, stored: Iterable[WatchDay]) -> Iterator[WatchDay]:
        """The rows of ``watch_days``."""
        for row in stored:
            key = row.mode, row.day
            if key not in self._left_out and key not in self._has_longer_gap:
                yield row
                continue
            left_out, kept = self._left_out.get(key, []), self._kept.get(key)
            if self._on_record[key] < row.successful_syncs:
                yield _reckoned(row, left_out, kept)
            elif kept is not None:
                yield kept


def _reckoned(row: WatchDay, left_out: Iterable[Success], kept: WatchDay | None) -> WatchDay:
    """The row without runs, where other runs of the day were pruned, of which only the row is left."""
    stamps = {success.stamp for success in left_out}
    first, last = row.first_success_at, row.last_success_at
    if first in stamps:
        first = last if kept is None else kept.first_success_at
    if last in stamps:
        last = first if kept is None else max(first, kept.last_success_at)
    return replace(
        row,
        successful_syncs=row.successful_syncs - len(stamps),
        first_success_at=first,
        last_success_at=last,
        longest_gap_seconds=longest(row.longest_gap_seconds, None if kept is None else kept.longest_gap_seconds),
    )


def _success(mode: ExportedMode) -> Success:
    previous = text_or_none(mode.row.get("previous_success_at"))
    return Success(parse_time(str(mode.stamp)), None if previous is None else parse_time(previous))
