"""What a run that was not applied to a mode says of the runs before it: it read their state while it ended.

Let H be the last applied run with a lower ``run_id``, and P the applied run before H. H began after P was
stored, or it would have been superseded, and this run began after H. So it read what P left, or H, or a run that
was applied later.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime

from sync.catalog.verify.findings import format_value
from sync.catalog.verify.mode_rows import ModeRow
from sync.catalog.verify.run_order import Place


class UnappliedRuns:
    """The rows of failed and superseded runs of one mode, compared with the applied ones around them."""

    def __init__(self) -> None:
        self._before: tuple[datetime | None, int | None] = (None, None)
        """The last good stamp and the number of listed models that P left."""
        self._last: tuple[datetime | None, int | None] = (None, None)
        """Those that H left."""
        self._later_good: dict[datetime, list[int]] = defaultdict(list)
        """Rows that only a later run explains, by its stamp; and below by its number of listed models."""
        self._later_listed: dict[int, list[int]] = defaultdict(list)

    def advance(self, stamp: datetime, listed: int | None, *, is_good: bool) -> None:
        """Takes an applied run into account. ``listed`` is None for one of an older version, which counted none."""
        good = stamp if is_good else self._last[0]
        self._before, self._last = self._last, (good, listed)
        self._later_good.pop(stamp, None)
        if listed is not None:
            self._later_listed.pop(listed, None)

    def problems(self, row: ModeRow, place: Place) -> Iterator[str]:
        """What is wrong with the row of a run that was not applied to the mode."""
        if place.lacks_runs:
            return
        (good_before, listed_before), (good, listed) = self._before, self._last
        at, number = row.previous_success_at, row.models_listed
        if good_before is not None and (at is None or at < good_before):
            yield f"previous_success_at is {format_value(at)}, but a successful sync was at {format_value(good_before)}"
        elif at is not None and at not in (good_before, good):
            self._later_good[at].append(row.run_id)
        if number is None and listed_before is not None:
            yield f"models_listed is NULL, but {listed_before} models were listed"
        elif number is not None and listed is not None and number not in (listed_before, listed):
            self._later_listed[number].append(row.run_id)

    def unexplained(self) -> Iterator[tuple[int, str]]:
        """Rows, by run, that no run on record explains; runs that were pruned may."""
        for at, run_ids in self._later_good.items():
            yield from ((run_id, f"previous_success_at is {format_value(at)}, of no such sync") for run_id in run_ids)
        for number, run_ids in self._later_listed.items():
            yield from ((run_id, f"models_listed is {number}, which no run left") for run_id in run_ids)
