"""The rules between the runs of one mode: each continues what the runs before it left.

Runs are passed in the order of ``run_id``, which is that of their stamps: a run that began earlier and is
applied later is superseded.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from msgspec import Struct

from sync.catalog.verify.accepted import Accepted, base_url_problem
from sync.catalog.verify.findings import format_value
from sync.catalog.verify.mode_rows import ModeRow
from sync.catalog.verify.run_counts import RunCounts
from sync.catalog.verify.run_order import Place
from sync.catalog.verify.run_rows import RunRow
from sync.catalog.verify.unapplied_runs import UnappliedRuns

_MICROSECOND = timedelta(microseconds=1)


class _Good(Struct, frozen=True):
    """A successful sync."""

    place: Place
    stamp: datetime
    observed_at: datetime | None


class _Payload(Struct, frozen=True):
    sha256: str | None
    size: int | None
    received: int | None


class RunSequence:
    """The runs of one mode so far."""

    def __init__(self, mode: str) -> None:
        self.mode = mode
        self.applied = self.good = self.listed = 0
        self.base_url: str | None = None
        """That of the last applied sync, but for one that was held back as a whole."""
        self.unapplied = UnappliedRuns()
        self._last: tuple[Place, datetime] | None = None
        self._last_good: _Good | None = None
        self._not_good: set[datetime] = set()
        """The stamps of the applied runs since the last good one."""
        self._payload: _Payload | None = None
        self._has_listed = False

    def problems(
        self, run: RunRow, row: ModeRow, place: Place, counts: RunCounts, accepted: Accepted | None
    ) -> Iterator[str]:
        """What is wrong with a run beside the runs before it. ``accepted`` is None if it cannot be read."""
        if not row.is_applied or row.stamp is None:
            yield from self.unapplied.problems(row, place)
            return
        yield from self._stamp_problems(run, row, row.stamp, place)
        yield from self._success_problems(row, place)
        self.listed += counts.added - counts.removed
        if row.models_listed is not None and row.models_listed != self.listed:
            yield f"models_listed is {row.models_listed}, but the changes up to this run give {self.listed}"
        if row.models_listed is None and self._has_listed and not place.lacks_runs:
            yield "models_listed is NULL, but an earlier run has it"
        yield from self._payload_problems(row)
        if run.base_url is not None and not row.holds_mode:
            yield from self._base_url_problems(run.base_url, row, place, accepted)
        self._advance(run, row, row.stamp, place)

    def _stamp_problems(self, run: RunRow, row: ModeRow, stamp: datetime, place: Place) -> Iterator[str]:
        observed_at = run.observed_at
        if observed_at is None or row.is_of_older_version:
            return  # a script that migrated could not move the stamps of old runs
        before, last_stamp = self._last or (None, None)
        if last_stamp is not None and stamp <= last_stamp:
            yield f"stamp is {format_value(stamp)}, not after {format_value(last_stamp)} of the run before"
        elif stamp < observed_at:
            yield f"stamp is {format_value(stamp)}, earlier than observed_at {format_value(observed_at)}"
        elif stamp != observed_at:
            # The clock was set back: the stamp is just after the one before it.
            is_known = place.is_complete if before is None else place.is_next_to(before)
            if is_known and (last_stamp is None or stamp != last_stamp + _MICROSECOND):
                yield f"stamp is {format_value(stamp)}, but observed_at is {format_value(observed_at)}"

    def _success_problems(self, row: ModeRow, place: Place) -> Iterator[str]:
        stored, last = row.previous_success_at, self._last_good
        name = f"previous_success_at is {format_value(stored)}"
        if last is None:
            if stored is not None and place.is_complete:
                yield f"{name}, but no successful sync is on record before"
        elif stored not in (last.stamp, last.observed_at):
            is_earlier = stored is None or stored < last.stamp
            if is_earlier or stored in self._not_good or place.is_next_to(last.place):
                yield f"{name}, but the last successful sync was at {format_value(last.stamp)}"

    def _payload_problems(self, row: ModeRow) -> Iterator[str]:
        """The same response as that of the run before has the same size and number of models."""
        before = self._payload
        self._payload = _Payload(row.payload_sha256, row.payload_bytes, row.models_received)
        if before is not None and before.sha256 == row.payload_sha256 and before != self._payload:
            yield (
                f"payload_bytes is {row.payload_bytes} and models_received is {row.models_received}, but the run before"
                f" has {before.size} and {before.received} with the same payload_sha256"
            )

    def _base_url_problems(self, base_url: str, row: ModeRow, place: Place, accepted: Accepted | None) -> Iterator[str]:
        before, self.base_url = self.base_url, base_url
        # An older version accepted any base URL, and a run that was left out may have accepted one.
        if before is None or accepted is None or row.is_of_older_version or place.lacks_runs:
            return
        if problem := base_url_problem(accepted, self.mode, before, base_url):
            yield problem

    def _advance(self, run: RunRow, row: ModeRow, stamp: datetime, place: Place) -> None:
        self.applied += 1
        self._last = (place, stamp)
        self._has_listed = self._has_listed or row.models_listed is not None
        self.unapplied.advance(stamp, row.models_listed, is_good=row.is_good == 1)
        if row.is_good:
            self.good += 1
            self._last_good, self._not_good = _Good(place, stamp, run.observed_at), set()
        else:
            self._not_good.add(stamp)
