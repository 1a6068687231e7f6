"""Where a run stands in the order of runs, and whether runs between two of them are no longer on record.

``prune`` deletes unchanged runs, a database may leave numbers out, and an export may leave runs out.
"""

from __future__ import annotations

from msgspec import Struct

from sync.catalog.verify.run_rows import RunRow


class Place(Struct, frozen=True):
    """The place of a run among the runs on record, from 1."""

    run_id: int
    position: int
    source: str | None = None
    """The catalog that the run was exported from."""
    source_run_id: int | None = None
    lacks_runs: bool = False
    """Whether runs of its source before it were left out, or pruned there."""

    @property
    def is_complete(self) -> bool:
        """Whether every run before it is on record."""
        return (self.source_run_id or self.run_id) == self.position

    def is_next_to(self, earlier: Place) -> bool:
        """Whether every run between an earlier one and this one is on record."""
        if self.source != earlier.source:
            return False
        between = (self.source_run_id or self.run_id) - (earlier.source_run_id or earlier.run_id)
        return between == self.position - earlier.position


class RunOrder:
    """Gives each run its place. Runs are passed in the order of ``run_id``."""

    def __init__(self) -> None:
        self.last_run_id = self.position = 0
        self.has_imported_runs = self._lacks_runs = False
        self._last_of_source: dict[str, int] = {}

    @property
    def missing(self) -> int:
        """The number of runs that are not on record; some of these numbers no run may have had."""
        return self.last_run_id - self.position

    def place(self, run: RunRow) -> Place:
        self.position += 1
        self.last_run_id = run.run_id
        if run.source_catalog_id is not None and run.source_run_id is not None:
            self.has_imported_runs = True
            last = self._last_of_source.get(run.source_catalog_id, 0)
            self._lacks_runs = self._lacks_runs or run.source_run_id != last + 1
            self._last_of_source[run.source_catalog_id] = run.source_run_id
            lacks_runs = self._lacks_runs
        else:
            lacks_runs = False
        return Place(run.run_id, self.position, run.source_catalog_id, run.source_run_id, lacks_runs)
