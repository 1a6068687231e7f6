"""The watched days of a history without the runs that are left out of an export."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import date, datetime

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
        self._named: dict[_Key, set[datetime]] = {}
        """The times of successful syncs that the lines name, also as the one before another."""
        self._has_longer_gap: set[_Key] = set()

    def leave_out(self, mode: ExportedMode) -> None:
        if mode.is_good:
            success = _success(mode)
            key = mode.mode, success.day
            self._on_record[key] += 1
            self._left_out.setdefault(key, []).append(success)
            self._name(mode.mode, success)

    def keep(self, before: ExportedMode, kept: ExportedMode) -> None:
        """``kept`` is the line's mode as it is without the runs left out before it."""
        if kept.is_good:
            success = _success(kept)
            key = kept.mode, success.day
            self._on_record[key] += 1
            known = self._kept.get(key)
            self._kept[key] = known.with_success(success) if known else first_of_day(kept.mode, success)
            original = _success(before)
            self._name(kept.mode, original)
            if success != original:
                self._has_longer_gap.add(key)

    def _name(self, mode: str, success: Success) -> None:
        for time in filter(None, (success.stamp, success.previous)):
            self._named.setdefault((mode, time.date()), set()).add(time)

    def rows(self, stored: Iterable[WatchDay]) -> Iterator[WatchDay]:
        """The rows of ``watch_days``."""
        for row in stored:
            key = row.mode, row.day
            if key not in self._left_out and key not in self._has_longer_gap:
                yield row
                continue
            kept = self._kept.get(key)
            if self._on_record[key] < row.successful_syncs:
                left_out = {success.stamp for success in self._left_out.get(key, [])}
                yield _reckoned(row, left_out, self._named[key] - left_out, kept)
            elif kept is not None:
                yield kept


def _reckoned(row: WatchDay, left_out: set[datetime], named: set[datetime], kept: WatchDay | None) -> WatchDay:
    """The row without runs, where other runs of the day were pruned. ``named`` are times of syncs that remain.

    The last sync that remains is named by the one after it. The first one may not be: then the row begins with a run
    that is left out.
    """
    number = row.successful_syncs - len(left_out)
    remaining = named | ({row.first_success_at, row.last_success_at} - left_out)
    last = max(remaining, default=row.last_success_at)
    first = min(remaining, default=row.first_success_at)
    if first == last and number > 1:
        first = row.first_success_at
    return replace(
        row,
        successful_syncs=number,
        first_success_at=first,
        last_success_at=last,
        longest_gap_seconds=longest(row.longest_gap_seconds, None if kept is None else kept.longest_gap_seconds),
    )


def _success(mode: ExportedMode) -> Success:
    previous = text_or_none(mode.row.get("previous_success_at"))
    return Success(parse_time(str(mode.stamp)), None if previous is None else parse_time(previous))
