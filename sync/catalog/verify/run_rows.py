"""The rules of one row of ``sync_runs``: its status, times and origin, beside those of its modes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import pairwise

from msgspec import Struct

from sync.catalog.changes.mode_plan import combined_status
from sync.catalog.model.entities import EVENT_RULES
from sync.catalog.verify.findings import format_value
from sync.catalog.verify.mode_rows import ModeRow

_WITHOUT_MODES = ("running", "abandoned", "failed")
_WITH_AN_ERROR = ("failed", "superseded", "held")
# A clock may be set back during a run. More than an hour beside the API's clock is refused.
_CLOCK_TOLERANCE = timedelta(hours=1)
_KEY_FINGERPRINT = re.compile(r"[0-9a-f]{12}")


class RunRow(Struct, frozen=True):
    """A row of ``sync_runs``; the times in UTC."""

    run_id: int
    started_at: datetime
    observed_at: datetime | None
    finished_at: datetime | None
    status: str
    trigger_kind: str
    base_url: str | None
    error_type: str | None
    error_message: str | None
    event_rules: int
    key_fingerprint: str | None
    accepted: str | None
    source_catalog_id: str | None
    source_run_id: int | None

    @property
    def is_import(self) -> bool:
        return self.trigger_kind == "import"


def run_problems(run: RunRow, modes: Sequence[ModeRow]) -> Iterator[str]:
    """What is wrong with a run, beside what its modes say. ``modes`` are in the order of their names."""
    yield from _status_problems(run, modes)
    yield from _time_problems(run)
    yield from _origin_problems(run, modes)
    if (run.error_type is None) != (run.error_message is None):
        yield "only one of error_type and error_message is NULL"
    elif (run.error_type is None and run.status in _WITH_AN_ERROR) or (run.error_type and run.status == "success"):
        yield f"error_type is {format_value(run.error_type)}, but status is {run.status}"
    if not 1 <= run.event_rules <= EVENT_RULES:
        yield f"event_rules is {run.event_rules}, and there are no such rules"


def _status_problems(run: RunRow, modes: Sequence[ModeRow]) -> Iterator[str]:
    statuses = [mode.status for mode in modes]
    if not statuses:
        if run.status not in _WITHOUT_MODES:
            yield f"status is {run.status}, but the run has no row in sync_run_modes"
        elif run.accepted is not None:
            yield "accepted is not NULL, but the run applied nothing"
    elif run.status != combined_status(statuses):
        yield f"status is {run.status}, but that of its modes is {' and '.join(statuses)}"
    if run.observed_at is None and any(mode.is_applied for mode in modes):
        yield "observed_at is NULL, but the run was applied"
    if run.observed_at is not None and not statuses:
        yield f"observed_at is {format_value(run.observed_at)}, but the run has no row in sync_run_modes"


def _time_problems(run: RunRow) -> Iterator[str]:
    if (run.finished_at is None) != (run.status == "running"):
        yield f"finished_at is {format_value(run.finished_at)}, but status is {run.status}"
    if run.status == "abandoned":
        return  # another host's clock gave finished_at
    times = [("observed_at", run.observed_at), ("finished_at", run.finished_at)]
    if not run.is_import:  # an import observes what was saved before it
        times.insert(0, ("started_at", run.started_at))
    known = [(name, time) for name, time in times if time is not None]
    for (name, time), (later_name, later) in pairwise(known):
        if time - later > _CLOCK_TOLERANCE:  # a sum may be beyond the last year
            yield f"{name} is {format_value(time)}, later than {later_name} {format_value(later)}"
    if run.finished_at is not None and run.started_at - run.finished_at > _CLOCK_TOLERANCE:
        yield f"started_at is {format_value(run.started_at)}, later than finished_at {format_value(run.finished_at)}"


def _origin_problems(run: RunRow, modes: Sequence[ModeRow]) -> Iterator[str]:
    if (run.source_catalog_id is None) != (run.source_run_id is None):
        yield "only one of source_catalog_id and source_run_id is NULL"
    if run.key_fingerprint is not None and not _KEY_FINGERPRINT.fullmatch(run.key_fingerprint):
        yield f"key_fingerprint is {format_value(run.key_fingerprint)}, which is not 12 hex digits"
    if run.is_import:
        for name, value in (("base_url", run.base_url), ("key_fingerprint", run.key_fingerprint)):
            if value is not None:
                yield f"{name} is {format_value(value)}, but the run is an import"
    elif run.base_url is None and any(mode.is_applied for mode in modes):
        yield f"base_url is NULL, but trigger_kind is {run.trigger_kind}"
    for mode in modes:
        if mode.is_applied and mode.was_requested == run.is_import:
            yield f"trigger_kind is {run.trigger_kind}, but mode {mode.mode} was requested {mode.attempts} times"
