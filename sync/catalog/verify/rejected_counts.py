"""The number of rejected models at each stamp of a mode, for the comparison with ``models_rejected``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from sync.catalog.verify.findings import StoredRow
from sync.catalog.verify.mode_rows import ModeRow


class RejectedCounts:
    """Sweeps over the rows of ``rejected_models`` of one mode, in the order of stamps."""

    def __init__(self, rows: Iterable[StoredRow]) -> None:
        self._steps = sorted(_steps(rows))
        self._next = self._open = self._without_id = 0

    def problems(self, row: ModeRow, stamp: datetime) -> Iterator[str]:
        """Where an applied row contradicts the rejected models. Rows are passed in the order of their stamps."""
        self._move(stamp)
        rejected = row.models_rejected or 0
        if row.is_good and self._without_id:
            yield "is_good is 1, but a model with an unreadable id was rejected"
        has_models = bool(row.models_added or row.models_changed)
        if not row.is_good and has_models and row.hold_reason is None and not self._without_id:
            yield "is_good is 0, but nothing was held back, and no model with an unreadable id was rejected"
        # A model that may be missing keeps its row: where a removal is held back, or an id is unreadable.
        is_certain = row.hold_reason is None and not self._without_id
        if rejected > self._open or (is_certain and rejected != self._open):
            yield f"models_rejected is {rejected}, but rejected_models has {self._open} rows at that time"

    def _move(self, stamp: datetime) -> None:
        while self._next < len(self._steps) and self._steps[self._next][0] <= stamp:
            _, number, without_id = self._steps[self._next]
            self._open += number
            self._without_id += without_id
            self._next += 1


def _steps(rows: Iterable[StoredRow]) -> Iterator[tuple[datetime, int, int]]:
    for row in rows:
        without_id = int(row["model_id"] is None)
        for time, step in ((row["valid_from"], 1), (row["valid_to"], -1)):
            if isinstance(time, datetime):
                yield time, step, step * without_id
