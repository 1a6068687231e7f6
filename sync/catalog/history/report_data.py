"""What a report is made from: the catalog in a period, as values read from one moment of the database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from sync.catalog.history.cost_timeline import CostInterval
from sync.catalog.history.evidence import SealedTree


@dataclass(frozen=True, slots=True)
class Period:
    """The times from ``since`` until just before ``until``, in UTC."""

    since: datetime
    until: datetime

    @property
    def seconds(self) -> float:
        """The length of the period."""
        return (self.until - self.since).total_seconds()


@dataclass(frozen=True, slots=True)
class ModelCosts:
    """A model in one mode, with the intervals of its cost that reach into the period, in order of time."""

    mode: str
    model_id: str
    name: str
    provider: str
    intervals: tuple[CostInterval, ...]


@dataclass(frozen=True, slots=True)
class CostEvent:
    """A row of ``v_credit_cost_changes``; costs are exact decimal texts."""

    changed_at: datetime
    not_before: datetime | None
    mode: str
    model_id: str
    name: str
    provider: str
    kind: str
    old_cost: str | None
    new_cost: str | None


@dataclass(frozen=True, slots=True)
class WatchedMode:
    """How a mode was watched. ``watched_days`` are UTC days of the period with a successful sync, as ISO dates."""

    mode: str
    last_success: datetime | None
    watched_days: frozenset[str]
    first_day: date | None = None
    """The first watched day on record: whether the mode was watched before is not known."""


@dataclass(frozen=True, slots=True)
class Held:
    """What is held back in a mode until a person accepts it; ``number`` is that of its models."""

    mode: str
    run_id: int
    reason: str
    model_ids: Sequence[str]
    number: int


@dataclass(frozen=True, slots=True)
class RejectedModel:
    """A model that was rejected during the period. ``until`` is None while it is rejected."""

    mode: str
    model_id: str | None
    reason: str
    since: datetime
    until: datetime | None


@dataclass(frozen=True, slots=True)
class IgnoredField:
    """A field that was ignored during the period. ``until`` is None while it is ignored."""

    path: str
    since: datetime
    until: datetime | None
    added_by: str
    reason: str


@dataclass(frozen=True, slots=True)
class Acceptance:
    """What a person accepted in a run of the period; ``accepted`` is the document that the run recorded."""

    run_id: int
    at: datetime
    accepted: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class PeriodRecord:
    """The runs of a period, of all modes, and the seals when the report was made."""

    catalog_id: str | None
    tree: SealedTree
    run_counts: Mapping[str, int] = field(default_factory=dict)
    """By status."""
    first_run_id: int | None = None
    last_run_id: int | None = None
    imported: int = 0
    """The number of the runs that are imports of saved responses, which have no URL and no key."""
    base_urls: Sequence[str] = ()
    keys: Sequence[str] = ()
    """The fingerprints of the API keys."""


@dataclass(frozen=True, slots=True)
class ReportData:
    """All that a report shows."""

    asked: Period
    """The period that was asked for."""
    mode_begins: Mapping[str, datetime]
    """When the recorded history of each mode of the report begins; a mode without any is left out."""
    models: Sequence[ModelCosts] = ()
    """In the order of mode, provider and id."""
    events: Sequence[CostEvent] = ()
    """Those of the period, newest first, but for the models of the first sync of a mode. Not more than are shown."""
    event_counts: Mapping[str, int] = field(default_factory=dict)
    """The number of all such events by kind."""
    first_listed: int = 0
    """The number of models that the first sync of a mode listed, in the period."""
    other_changes: Mapping[str, int] = field(default_factory=dict)
    """The number of changes in the period that are not about a cost, by entity."""
    watched: Sequence[WatchedMode] = ()
    held: Sequence[Held] = ()
    rejected: Sequence[RejectedModel] = ()
    """The newest ones."""
    rejected_count: int = 0
    ignored: Sequence[IgnoredField] = ()
    accepted: Sequence[Acceptance] = ()
    record: PeriodRecord | None = None

    @property
    def first_observed(self) -> datetime | None:
        """When the recorded history begins; None without any."""
        return min(self.mode_begins.values(), default=None)

    @property
    def period(self) -> Period:
        """The part of the period that the history covers; the whole period where it covers none."""
        begin = self.first_observed
        if begin is None or not self.asked.since < begin < self.asked.until:
            return self.asked
        return Period(begin, self.asked.until)

    @property
    def has_history(self) -> bool:
        """Whether anything was observed before the end of the period."""
        return self.first_observed is not None and self.first_observed < self.asked.until
