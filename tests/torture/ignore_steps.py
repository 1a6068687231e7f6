"""The steps of the state machine in which a person ignores a field, or ignores it no longer."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from sync.errors import CatalogSyncError, Outcome
from sync.store.database import Connection, in_transaction
from sync.store.ignored import add_ignored, end_ignored
from tests.torture.database_under_test import engine_for, require
from tests.torture.machine_steps import MachineSteps


def ignore(steps: MachineSteps, path: str) -> None:
    """Ignores a field, or fails because it is ignored already."""
    now = steps.advance_clock()
    expected = steps.expected.ignore(path, now)
    _require_moment(steps.url, expected, lambda connection: add_ignored(connection, [path], now, "noise", "somebody"))


def end_ignoring(steps: MachineSteps, path: str) -> None:
    """Ends the ignoring of a field, or fails because it is not ignored."""
    now = steps.advance_clock()
    expected = steps.expected.end_ignoring(path, now)
    _require_moment(steps.url, expected, lambda connection: end_ignored(connection, path, now, "removed"))


def _require_moment(url: str, expected: datetime | None, work: Callable[[Connection], datetime]) -> None:
    """The work returns the expected moment; None for a refusal."""
    moment: datetime | None = None
    with engine_for(url) as engine:
        try:
            moment = in_transaction(engine, lambda connection, _: work(connection))
        except CatalogSyncError as error:
            require(error.outcome == Outcome.USAGE, f"the change of ignored fields failed: {error}")
    require(moment == expected, f"ignored fields changed at {moment}, not {expected}")
