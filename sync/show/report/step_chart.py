"""A step chart of one model: its costs over the period as paths for SVG, and the texts under the pointer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sync.catalog.history.cost_timeline import CostInterval
from sync.catalog.history.period_costs import clipped
from sync.catalog.history.report_data import Period
from sync.show.report.scales import CostScale, TimeScale, cost_scale, number
from sync.show.report.texts import axis_cost, cost_text, span_text

WIDTH, HEIGHT = 264, 98
PLOT_WIDTH, PLOT_TOP, PLOT_BOTTOM = 218, 6, 76
_NARROWEST = 0.5  # a pointer does not tell narrower parts apart
MOST_AREAS = int(PLOT_WIDTH / _NARROWEST)


@dataclass(frozen=True, slots=True)
class Area:
    """A part of the chart with a text of its own."""

    path: str
    title: str


@dataclass(frozen=True, slots=True)
class Label:
    """A text beside the chart."""

    y: str
    text: str


@dataclass(frozen=True, slots=True)
class StepChart:
    """What is drawn. The line has a corner for each change, and no point where the model was not listed."""

    line: str
    without_cost: str
    """Where the model was listed and had no cost."""
    areas: Sequence[Area]
    labels: Sequence[Label]
    is_log: bool
    end: tuple[str, str] | None
    """The place of the cost at the end of the period; None if there is none."""


def step_chart(intervals: Iterable[CostInterval], period: Period, most_areas: int = MOST_AREAS) -> StepChart:
    """The chart of a model. Of more than ``most_areas`` parts, narrow neighbours have one text together."""
    parts = list(clipped(intervals, period))
    times = TimeScale(period, PLOT_WIDTH)
    costs = cost_scale(
        (Decimal(each.credit_cost) for each in parts if each.credit_cost is not None), PLOT_TOP, PLOT_BOTTOM
    )
    last = parts[-1] if parts else None
    end = last.credit_cost if last is not None and last.valid_to is None else None
    return StepChart(
        line=_line(parts, times, costs),
        without_cost=_without_cost(parts, times),
        areas=list(_areas(parts, times, most_areas)),
        labels=[Label(number(costs.y(cost) + 3.5), axis_cost(cost)) for cost in costs.ticks()],
        is_log=costs.is_log,
        end=None if end is None else (number(PLOT_WIDTH), number(costs.y(float(end)))),
    )


def time_after(moment: datetime, period: Period) -> str:
    """A path around the part of a chart after a time; empty where there is none."""
    times = TimeScale(period, PLOT_WIDTH)
    start = times.x(moment)
    width = number(PLOT_WIDTH - start)
    return "" if width == "0" else f"M{number(start)} {PLOT_TOP}h{width}V{PLOT_BOTTOM}h-{width}z"


def _line(parts: Iterable[CostInterval], times: TimeScale, costs: CostScale) -> str:
    """A horizontal line for each cost, joined by vertical ones where one follows the other without a gap."""
    drawn: list[str] = []
    end: datetime | None = None
    for part in parts:
        if part.credit_cost is None:
            end = None
            continue
        y = number(costs.y(float(part.credit_cost)))
        drawn.append(f"V{y}" if end == part.valid_from else f"M{number(times.x(part.valid_from))} {y}")
        end = part.valid_to
        drawn.append(f"H{number(times.x(end or times.period.until))}")
    return "".join(drawn)


def _without_cost(parts: Iterable[CostInterval], times: TimeScale) -> str:
    spans = ((part.valid_from, part.valid_to or times.period.until) for part in parts if part.credit_cost is None)
    return "".join(f"M{number(times.x(start))} {PLOT_BOTTOM}H{number(times.x(end))}" for start, end in spans)


@dataclass(frozen=True, slots=True)
class _Span:
    """A part of the period in which the model had one cost, none, or was not listed."""

    start: datetime
    end: datetime
    text: str


def _areas(parts: Sequence[CostInterval], times: TimeScale, most: int) -> Iterator[Area]:
    """The parts from left to right, those too narrow joined with the ones after them."""
    narrowest = PLOT_WIDTH / most if len(parts) > most else _NARROWEST
    joined: list[_Span] = []
    for span in _spans(parts, times.period):
        joined.append(span)
        if times.x(span.end) - times.x(joined[0].start) >= narrowest:
            yield _area(joined, times)
            joined = []
    if joined:
        yield _area(joined, times)


def _spans(parts: Sequence[CostInterval], period: Period) -> Iterator[_Span]:
    at = period.since
    for part in parts:
        if part.valid_from > at:
            yield _Span(at, part.valid_from, "not listed")
        at = part.valid_to or period.until
        yield _Span(part.valid_from, at, cost_text(part.credit_cost))
    if parts and at < period.until:
        yield _Span(at, period.until, "not listed")


def _area(spans: Sequence[_Span], times: TimeScale) -> Area:
    start, end = times.x(spans[0].start), times.x(spans[-1].end)
    text = spans[0].text if len(spans) == 1 else f"{len(spans)} costs, the last {spans[-1].text}"
    width = number(max(end - start, 0.5))
    path = f"M{number(start)} 0h{width}v{number(PLOT_BOTTOM)}h-{width}z"
    return Area(path, f"{span_text(spans[0].start, spans[-1].end)}: {text}")
