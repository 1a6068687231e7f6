"""What the database must hold, worked out in plain Python from what was sent and when.

It knows the rules and none of the program's code: half-open intervals, the removal guard, stamps that
never go back, what an import takes, and which runs may be forgotten.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from tests.support.made_responses import Model

TICK = timedelta(microseconds=1)
GUARD_PERCENT, GUARD_COUNT = 20, 3
BAD_COST = "not a cost"

Interval = tuple[datetime, datetime | None, object]


@dataclass
class Life:
    """One model: what it was when, and what it cost."""

    versions: list[Interval] = field(default_factory=list)
    costs: list[Interval] = field(default_factory=list)

    @property
    def is_listed(self) -> bool:
        return bool(self.versions) and self.versions[-1][1] is None

    def becomes(self, model: Model, stamp: datetime) -> bool:
        """Whether it changed."""
        meaning = (cost_of(model), model["params"]["x"])
        if self.is_listed and self.versions[-1][2] == meaning:
            return False
        cost = cost_of(model)
        if not self.is_listed or self.costs[-1][2] != cost:
            _close(self.costs, stamp)
            self.costs.append((stamp, None, cost))
        _close(self.versions, stamp)
        self.versions.append((stamp, None, meaning))
        return True

    def goes(self, stamp: datetime) -> None:
        _close(self.versions, stamp)
        _close(self.costs, stamp)


@dataclass
class LazyRecords:
    """One mode."""

    lives: dict[str, Life] = field(default_factory=dict)
    stamp: datetime | None = None
    version: int = 0
    run_id: int | None = None

    @property
    def listed(self) -> set[str]:
        return {model_id for model_id, life in self.lives.items() if life.is_listed}


@dataclass(frozen=True)
class Sent:
    """An answer for a mode: its models, some of which may be malformed."""

    models: tuple[Model, ...]

    @property
    def good(self) -> dict[str, Model]:
        return {model["id"]: model for model in self.models if _is_good(model)}

    @property
    def seen(self) -> set[str]:
        return {model["id"] for model in self.models if _has_id(model)}

    @property
    def is_readable(self) -> bool:
        return all(map(_has_id, self.models))

    @property
    def is_whole(self) -> bool:
        return all(map(_is_good, self.models))


@dataclass
class Run:
    """A row of ``sync_runs``, as far as forgetting goes."""

    status: str
    finished_at: datetime
    is_import: bool = False
    is_referred_to: bool = False


@dataclass
class Expected:
    """The whole database."""

    shelves: dict[str, LazyRecords] = field(default_factory=lambda: {"image": LazyRecords(), "video": LazyRecords()})
    runs: dict[int, Run] = field(default_factory=dict)

    def held(self, answers: Mapping[str, Sent]) -> dict[str, int]:
        """How many removals the guard holds in each mode that it holds."""
        missing = {mode: len(self._missing(mode, sent)) for mode, sent in answers.items()}
        return {
            mode: number
            for mode, number in missing.items()
            if _is_too_much(len(self.shelves[mode].listed), number, len(answers[mode].models))
        }

    def apply(
        self, run_id: int, answers: Mapping[str, Sent], observed_at: datetime, *, accepted: int | str | None, run: Run
    ) -> dict[str, str]:
        """Store a run; the status of each mode that gave an answer."""
        held = self.held(answers)
        keeps = {} if accepted in ("all", sum(held.values())) else held
        statuses: dict[str, str] = {}
        for mode, sent in answers.items():
            shelf = self.shelves[mode]
            stamp = observed_at if shelf.stamp is None else max(observed_at, shelf.stamp + TICK)
            changed = [shelf.lives.setdefault(id_, Life()).becomes(model, stamp) for id_, model in sent.good.items()]
            gone = set() if mode in keeps else self._missing(mode, sent)
            for model_id in gone:
                shelf.lives[model_id].goes(stamp)
            run.is_referred_to = run.is_referred_to or any(changed) or bool(gone)
            shelf.stamp, shelf.run_id, shelf.version = stamp, run_id, shelf.version + 1
            statuses[mode] = _status(sent, is_held=mode in keeps)
        self.runs[run_id] = run
        if answers:
            self._abandon(run_id)
        return statuses

    def forget(self, before: datetime) -> int:
        """Prune: how many runs go."""
        current = {shelf.run_id for shelf in self.shelves.values()}
        gone = [run_id for run_id, run in self.runs.items() if _is_forgettable(run, before) and run_id not in current]
        for run_id in gone:
            del self.runs[run_id]
        return len(gone)

    def _missing(self, mode: str, sent: Sent) -> set[str]:
        return self.shelves[mode].listed - sent.seen if sent.is_readable else set()

    def _abandon(self, before: int) -> None:
        for run_id, run in self.runs.items():
            if run.status == "running" and run_id < before:
                run.status = "abandoned"


def cost_of(model: Model) -> Decimal | None:
    cost = model["credits"]["default_cost"]
    return None if cost is None else Decimal(cost)


def run_status(statuses: Sequence[str]) -> str:
    present = set(statuses)
    if len(present) == 1:
        return statuses[0]
    return "held" if present == {"success", "held"} else "partial"


def _is_too_much(listed: int, missing: int, received: int) -> bool:
    if missing and not received:
        return True
    return missing >= GUARD_COUNT and missing * 100 > GUARD_PERCENT * listed


def _status(sent: Sent, *, is_held: bool) -> str:
    if not sent.is_whole:
        return "partial"
    return "held" if is_held else "success"


def _is_forgettable(run: Run, before: datetime) -> bool:
    well = run.status in {"success", "superseded"} and not run.is_import and not run.is_referred_to
    return well and run.finished_at < before


def _has_id(model: Model) -> bool:
    return isinstance(model["id"], str)


def _is_good(model: Model) -> bool:
    return _has_id(model) and model["credits"]["default_cost"] != BAD_COST


def _close(intervals: list[Interval], stamp: datetime) -> None:
    if intervals and intervals[-1][1] is None:
        intervals[-1] = (intervals[-1][0], stamp, intervals[-1][2])
