"""Calculates in plain Python what the database must contain, from what was sent and when.

It implements the rules again and shares no code with the program: half-open intervals, the guards,
stamps that never go back, what an import accepts, and which runs ``prune`` may delete.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal, TypeAlias

from tests.support.made_responses import Model
from tests.torture.expected_copies import good_start
from tests.torture.expected_guards import Comings, Trips, trips
from tests.torture.expected_history import Interval, ModelHistory, close, cost_of
from tests.torture.expected_rejections import ExpectedRejections

STAMP_STEP = timedelta(microseconds=1)
BAD_COST = "not a cost"
Accepted: TypeAlias = dict[str, int] | Literal["all"] | None
"""The accepted numbers of removals and of costs."""
IGNORING_X = ("params.x", "params.*", "params")
"""Paths that cover the only parameter of a model."""


@dataclass
class ExpectedMode:
    """The models of one mode, and its row of ``sync_state``."""

    histories: dict[str, ModelHistory] = field(default_factory=dict)
    stamp: datetime | None = None
    version: int = 0
    run_id: int | None = None
    good_stamp: datetime | None = None
    good_asked_at: datetime | None = None
    """When the last successful sync sent its request, less the time for which a cache had had the response."""
    base_url: str | None = None
    rejections: ExpectedRejections = field(default_factory=ExpectedRejections)
    comings: list[Comings] = field(default_factory=list)
    """What runs removed and added without a person."""

    @property
    def listed(self) -> set[str]:
        return {model_id for model_id, history in self.histories.items() if history.is_listed}

    def next_stamp(self, observed_at: datetime) -> datetime:
        """The clock may have gone back; a stamp comes after the last one all the same."""
        return observed_at if self.stamp is None else max(observed_at, self.stamp + STAMP_STEP)

    def trips(self, response: SentResponse, observed_at: datetime) -> Trips:
        return trips(
            {id_: self.histories[id_].costs[-1][2] for id_ in self.listed},
            {id_: cost_of(model) for id_, model in response.valid.items()},
            response.seen,
            received=len(response.models),
            is_readable=response.is_readable,
            recent=self.comings,
            stamp=self.next_stamp(observed_at),
        )

    def store(
        self, response: SentResponse, stamp: datetime, *, keeps_missing: bool, is_accepted: bool, ignores_x: bool
    ) -> bool:
        """Stores a response of which not everything is held back; whether anything changed."""
        new = response.valid.keys() - self.histories.keys()
        keeps_missing = keeps_missing or not response.is_readable
        removed = frozenset() if keeps_missing else self.listed - response.seen
        changed = [
            self.histories.setdefault(model_id, ModelHistory()).store(model, stamp, ignores_x=ignores_x)
            for model_id, model in response.valid.items()
        ]
        for model_id in removed:
            self.histories[model_id].remove(stamp)
        # The first models of a mode were there before, and a person knows of what was accepted.
        if self.good_stamp is not None and not is_accepted:
            self.comings.append(Comings(stamp, frozenset(removed), frozenset(new)))
        return any(changed) or bool(removed)


@dataclass(frozen=True)
class SentResponse:
    """The response for one mode; some of its models may be malformed."""

    models: tuple[Model, ...]

    @property
    def valid(self) -> dict[str, Model]:
        return {model["id"]: model for model in self.models if _is_valid(model)}

    @property
    def seen(self) -> set[str]:
        return {model["id"] for model in self.models if _has_id(model)}

    @property
    def is_readable(self) -> bool:
        """Whether each model has an id; removals can be derived from such a response only."""
        return all(map(_has_id, self.models))

    @property
    def is_valid(self) -> bool:
        return all(map(_is_valid, self.models))

    @property
    def malformed(self) -> list[tuple[str | None, int]]:
        """The ids of the malformed models, None for one that is unreadable, and what else the models have."""
        bad = [model for model in self.models if not _is_valid(model)]
        return [(model["id"] if _has_id(model) else None, model["params"]["x"]) for model in bad]


@dataclass
class ExpectedRun:
    """What ``prune`` takes into account of a row of ``sync_runs``."""

    status: str
    finished_at: datetime
    is_import: bool = False
    is_referred_to: bool = False
    """Whether a version or an event has the key of this run."""
    has_acceptance: bool = False
    """Whether a person accepted something that the run needed."""
    seen: set[tuple[str, str]] = field(default_factory=set)
    """Mode and id of each valid model of its responses, but for those held back as a whole."""


@dataclass
class ExpectedDatabase:
    """What the database must contain after all runs so far."""

    modes: dict[str, ExpectedMode] = field(default_factory=lambda: {"image": ExpectedMode(), "video": ExpectedMode()})
    runs: dict[int, ExpectedRun] = field(default_factory=dict)
    reported: set[str] = field(default_factory=set)
    """The modes in which the last run reported a rejected model."""
    ignored: dict[str, list[Interval]] = field(default_factory=dict)
    """By path, the intervals in which it is ignored; their values are not used."""

    def ignores_x(self, stamp: datetime) -> bool:
        """Whether the parameter x is ignored at this moment."""
        return any(
            start <= stamp and (end is None or stamp < end)
            for path in IGNORING_X
            for start, end, _ in self.ignored.get(path, [])
        )

    def ignore(self, path: str, now: datetime) -> datetime | None:
        """When a path is ignored from; None if it is ignored already."""
        intervals = self.ignored.setdefault(path, [])
        if intervals and intervals[-1][1] is None:
            return None
        start = max([self._after_all_stamps(now), *(end for _, end, _ in intervals if end)])
        intervals.append((start, None, None))
        return start

    def end_ignoring(self, path: str, now: datetime) -> datetime | None:
        """When a path is no longer ignored; None if it is not ignored."""
        intervals = self.ignored.get(path, [])
        if not intervals or intervals[-1][1] is not None:
            return None
        end = max(self._after_all_stamps(now), intervals[-1][0] + STAMP_STEP)
        close(intervals, end)
        return end

    def _after_all_stamps(self, now: datetime) -> datetime:
        return max([now, *(mode.stamp + STAMP_STEP for mode in self.modes.values() if mode.stamp)])

    def held_back(self, responses: Mapping[str, SentResponse], observed_at: datetime) -> dict[str, Trips]:
        """What the guards hold back in each mode, whatever a person accepts."""
        return {mode: self.modes[mode].trips(response, observed_at) for mode, response in responses.items()}

    def apply(
        self,
        run_id: int,
        responses: Mapping[str, SentResponse],
        observed_at: datetime,
        *,
        accepted: Accepted,
        run: ExpectedRun,
        asked_at: datetime,
        age: int | None = None,
        base_url: str | None = None,
    ) -> dict[str, str]:
        """Stores the responses of a run; the status of each of their modes.

        ``asked_at`` is when the requests began, ``age`` that of the responses; an import has no ``base_url``.
        """
        tripped = self.held_back(responses, observed_at)
        agreed = accepted_kinds(tripped.values(), accepted)
        statuses: dict[str, str] = {}
        self.reported = set()
        for mode, response in responses.items():
            expected, left = self.modes[mode], tripped[mode].left(**agreed)
            stamp = expected.next_stamp(observed_at)
            is_certain = response.is_readable and left.reason is None
            if not left.holds_mode:
                run.seen |= {(mode, model_id) for model_id in response.valid}
                needed = agreed["removals"] and bool(tripped[mode].missing)
                is_changed = expected.store(
                    response,
                    stamp,
                    keeps_missing=bool(left.missing),
                    is_accepted=needed,
                    ignores_x=self.ignores_x(stamp),
                )
                start = expected.good_asked_at and min(expected.good_asked_at, stamp)
                rejection_changed, is_reported = expected.rejections.apply(
                    response.malformed, set(response.valid), stamp, not_before=start, missing_is_certain=is_certain
                )
                self.reported |= {mode} if is_reported else set()
                run.is_referred_to = run.is_referred_to or is_changed or rejection_changed
                needed = needed or (agreed["costs"] and bool(tripped[mode].moved))
                needed = needed or (base_url is not None and is_foreign(base_url, expected.base_url))
                run.has_acceptance = run.has_acceptance or needed
                expected.base_url = base_url or expected.base_url
            expected.stamp, expected.run_id, expected.version = stamp, run_id, expected.version + 1
            statuses[mode] = _mode_status(response, left)
            # A response of which no model was accepted shows nothing.
            if is_certain and (response.valid or not response.malformed):
                expected.good_stamp = stamp
                expected.good_asked_at = good_start(expected.good_asked_at, asked_at, age)
        self.runs[run_id] = run
        if responses:
            # A run that applies nothing marks no other run.
            self._mark_abandoned(run_id)
        return statuses

    def prune(self, before: datetime) -> int:
        """Deletes the runs that ``prune`` may delete; their number."""
        # sync_state refers to these runs.
        current = {mode.run_id for mode in self.modes.values()}
        deleted = [run_id for run_id, run in self.runs.items() if _is_prunable(run, before) and run_id not in current]
        for run_id in deleted:
            del self.runs[run_id]
        return len(deleted)

    def _mark_abandoned(self, before: int) -> None:
        for run_id, run in self.runs.items():
            if run.status == "running" and run_id < before:
                run.status = "abandoned"


def is_foreign(base_url: str, last: str | None) -> bool:
    """Whether a base URL is another address than the last one, for addresses without a path or a port of their own."""
    return last is not None and _host_of(base_url) != _host_of(last)


def _host_of(base_url: str) -> str:
    return base_url.lower().removeprefix("https://").removesuffix("/").removesuffix(":443")


def run_status(mode_statuses: Sequence[str]) -> str:
    """The status of a run, from those of its modes."""
    # A held mode and a successful one make a held run; any other mixture is partial.
    distinct = set(mode_statuses)
    if len(distinct) == 1:
        return mode_statuses[0]
    return "held" if distinct == {"success", "held"} else "partial"


def accepted_kinds(tripped: Iterable[Trips], accepted: Accepted) -> dict[str, bool]:
    """Whether a person accepts the removals, and the costs, of a run: exact numbers, or all."""
    numbers = needed_numbers(tripped)
    return dict.fromkeys(numbers, accepted in ("all", numbers))


def needed_numbers(tripped: Iterable[Trips]) -> dict[str, int]:
    """The numbers that a person has to accept for all modes of a run."""
    tripped = list(tripped)
    return {
        "removals": sum(len(each.missing) for each in tripped),
        "costs": sum(len(each.moved) for each in tripped),
    }


def _mode_status(response: SentResponse, left: Trips) -> str:
    if not response.is_valid and not left.holds_mode:
        return "partial"
    return "held" if left.reason else "success"


def _is_prunable(run: ExpectedRun, before: datetime) -> bool:
    is_unused = run.status in {"success", "superseded"} and not run.is_import and not run.is_referred_to
    is_unused = is_unused and not run.has_acceptance
    return is_unused and run.finished_at < before


def _has_id(model: Model) -> bool:
    return isinstance(model["id"], str)


def _is_valid(model: Model) -> bool:
    return _has_id(model) and model["credits"]["default_cost"] != BAD_COST
