"""The rows of the tables of a report: the change feed, net movers, models that came and went, provider means."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from sync.catalog.history.period_costs import NetMove, ProviderMean, net_moves, provider_means
from sync.catalog.history.report_data import CostEvent, Period, ReportData
from sync.catalog.model.costs import CostChange
from sync.show.report.scales import TimeScale, cost_scale, number
from sync.show.report.texts import ChangeText, change_text, cost_text, mean_text, printable, time_text

SPARK_WIDTH, SPARK_HEIGHT = 160, 28
_SPARK_ROOM = 2.0
_KINDS = {
    "added": "new",
    "removed": "removed",
    "relisted": "relisted",
    "increase": "up",
    "decrease": "down",
    "cost_set": "cost set",
    "cost_unset": "cost removed",
}


@dataclass(frozen=True, slots=True)
class FeedRow:
    """An event of the change feed."""

    seen: str
    not_before: str
    model_id: str
    place: str
    kind: str
    change: ChangeText


@dataclass(frozen=True, slots=True)
class MoveRow:
    """A model that moved from one end of the period to the other."""

    model_id: str
    place: str
    kind: str
    change: ChangeText


@dataclass(frozen=True, slots=True)
class Moves:
    """The net movers: the largest moves first, then prices from 0 and without a number; models that came and went."""

    moved: Sequence[MoveRow]
    came: Sequence[MoveRow]
    went: Sequence[MoveRow]


@dataclass(frozen=True, slots=True)
class MeanRow:
    """The costs of a provider."""

    mode: str
    provider: str
    model_count: str
    priced_count: str
    lowest: str
    mean: str
    highest: str
    change: ChangeText | None
    line: str


def feed_rows(events: Iterable[CostEvent]) -> Iterator[FeedRow]:
    """The change feed."""
    for event in events:
        change = change_text(CostChange(event.old_cost, event.new_cost))
        is_cost = event.kind in ("increase", "decrease", "relisted")
        if not is_cost:
            change = ChangeText(change.old, change.new, "", "", "", "")
        yield FeedRow(
            time_text(event.changed_at),
            time_text(event.not_before),
            printable(event.model_id),
            _place(event.mode, event.provider),
            _KINDS.get(event.kind, event.kind),
            _with_empty_end(change, event.kind),
        )


def _with_empty_end(change: ChangeText, kind: str) -> ChangeText:
    """A model that was added had no cost before, one that was removed has none after: no text in place of "no cost"."""
    if kind == "added":
        return ChangeText("", change.new, "", "", "", "")
    return ChangeText(change.old, "", "", "", "", "") if kind == "removed" else change


def moves(data: ReportData) -> Moves:
    """The net movers of the period."""
    found = net_moves(data.models, data.period, data.mode_begins)
    moved = [each for each in found if each.kind not in ("new", "gone")]
    return Moves(
        [_move_row(each) for each in sorted(moved, key=_by_size)],
        [_move_row(each) for each in found if each.kind == "new"],
        [_move_row(each) for each in found if each.kind == "gone"],
    )


def _by_size(move: NetMove) -> tuple[bool, Decimal, bool, Decimal]:
    percent, new = move.change.percent, move.change.new
    return (percent is None, -abs(percent or Decimal(0)), new is None, -Decimal(new or 0))


def _move_row(move: NetMove) -> MoveRow:
    model = move.model
    return MoveRow(printable(model.model_id), _place(model.mode, model.provider), move.kind, change_text(move.change))


def _place(mode: str, provider: str) -> str:
    return " · ".join(filter(None, [printable(provider), mode]))


def mean_rows(data: ReportData) -> Iterator[MeanRow]:
    """The costs of each provider."""
    for mean in provider_means(data.models, data.period, data.mode_begins):
        yield MeanRow(
            mean.mode,
            printable(mean.provider) or "no provider",
            f"{mean.model_count:,}",
            f"{mean.priced_count:,}",
            _number_text(mean.lowest),
            mean_text(mean.mean),
            _number_text(mean.highest),
            _mean_change(mean),
            _spark(mean, data.period),
        )


def _number_text(cost: Decimal | None) -> str:
    return "" if cost is None else cost_text(f"{cost:f}")


def _mean_change(mean: ProviderMean) -> ChangeText | None:
    if mean.mean is None or mean.mean_then is None or mean.mean == mean.mean_then:
        return None
    return change_text(CostChange(f"{mean.mean_then:f}", f"{mean.mean:f}"))


def _spark(mean: ProviderMean, period: Period) -> str:
    """The mean over time as a path; of several steps in one place only the last."""
    times = TimeScale(period, SPARK_WIDTH)
    costs = cost_scale((cost for _, cost in mean.steps if cost is not None), _SPARK_ROOM, SPARK_HEIGHT - _SPARK_ROOM)
    at = {round(times.x(moment) * 2) / 2: cost for moment, cost in mean.steps}
    ends = [*at, float(SPARK_WIDTH)][1:]
    drawn: list[str] = []
    is_joined = False
    for (start, cost), end in zip(at.items(), ends, strict=True):
        if cost is not None:
            y = number(costs.y(float(cost)))
            drawn.append(f"{f'V{y}' if is_joined else f'M{number(start)} {y}'}H{number(end)}")
        is_joined = cost is not None
    return "".join(drawn)
