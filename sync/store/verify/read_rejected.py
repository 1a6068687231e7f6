"""Reads the rows of ``rejected_models`` for ``verify``. Reads only."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection

from models_db.tables import rejected_models
from sync.catalog.modes import MODES
from sync.catalog.verify.findings import Finding, StoredRow
from sync.catalog.verify.rejected import rejected_findings, scope_of, text_problem
from sync.catalog.verify.runs import RunInMode
from sync.store.batches import batches
from sync.store.verify.raw_rows import every_column, read_rows

_TEXT = frozenset(("raw",))
# A text has up to 3 MiB.
_TEXTS_AT_ONCE = 20


@dataclass
class RejectedRows:
    """All rows by mode, in the order of ``valid_from``, without their texts, which may be very long together."""

    connection: Connection
    by_mode: dict[object, list[StoredRow]] = field(default_factory=dict)
    _by_model: dict[object, list[StoredRow]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        columns = rejected_models.c
        query = every_column(rejected_models, but=_TEXT).order_by(columns.valid_from, columns.raw_sha256)
        by_mode: dict[object, list[StoredRow]] = defaultdict(list)
        by_model: dict[object, list[StoredRow]] = defaultdict(list)
        for row in read_rows(self.connection, rejected_models, query, but=_TEXT):
            by_mode[row["mode"]].append(row)
            by_model[row["mode"], row["model_id"]].append(row)
        self.by_mode, self._by_model = by_mode, by_model

    def last_stamp(self, mode: str) -> datetime | None:
        """The latest time of the rows of a mode."""
        times = (row[column] for row in self.by_mode.get(mode, ()) for column in ("valid_from", "valid_to"))
        return max((time for time in times if isinstance(time, datetime)), default=None)

    def of_model(self, mode: object, model_id: object) -> Sequence[StoredRow]:
        return self._by_model.get((mode, model_id), ())

    @property
    def run_ids(self) -> set[int]:
        rows = (row for rows in self.by_mode.values() for row in rows)
        return {run for row in rows for run in (row["opened_run_id"], row["closed_run_id"]) if isinstance(run, int)}

    def findings(self, runs: Mapping[str, Mapping[int, RunInMode]]) -> Iterator[Finding]:
        """What is wrong with the rows. ``runs`` has those of ``run_ids``."""
        for mode in MODES:
            yield from rejected_findings(mode, self.by_mode.get(mode, ()), runs.get(mode, {}))
        hashes = {row["raw_sha256"] for rows in self.by_mode.values() for row in rows}
        yield from self._text_findings(sorted(text for text in hashes if isinstance(text, str)))

    def _text_findings(self, hashes: Iterable[str]) -> Iterator[Finding]:
        for batch in batches(hashes, _TEXTS_AT_ONCE):
            query = every_column(rejected_models).where(rejected_models.c.raw_sha256.in_(batch))
            for row in read_rows(self.connection, rejected_models, query):
                problem = text_problem(row)
                if problem:
                    yield scope_of(row).finding(problem, row["valid_from"])
