"""Values for reports: a history with every kind of event, and texts that a careless page would obey."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sync.catalog.history.cost_timeline import CostInterval
from sync.catalog.history.report_data import CostEvent, ModelCosts, Period, ReportData, WatchedMode
from sync.show.report.page import ReportHead, report_page

BEGIN = datetime(2026, 3, 1, tzinfo=UTC)
END = BEGIN + timedelta(days=90)
PERIOD = Period(BEGIN, END)
HEAD = ReportHead("Costs", END, "1.2.3")
MARKUP = "<script>alert(1)</script><b>\"'&amp;"
LONG = "x" * 255
WIDE = "模型" * 20
RIGHT_TO_LEFT = "نموذج الصور"
REVERSING = "abc\u202edef"


def day(number: float) -> datetime:
    """A time that many days after the start of the period."""
    return BEGIN + timedelta(days=number)


def intervals(*costs: tuple[float, str | None] | None, end: float | None = None) -> tuple[CostInterval, ...]:
    """Intervals from days and costs: each ends where the next one begins, ``(day, "gone")`` makes a gap."""
    steps = [each for each in costs if each is not None]
    found = []
    for place, (start, cost) in enumerate(steps):
        following = steps[place + 1][0] if place + 1 < len(steps) else end
        if cost != "gone":
            found.append(CostInterval(day(start), None if following is None else day(following), cost))
    return tuple(found)


def model(model_id: str, *costs: tuple[float, str | None], mode: str = "image", **fields: Any) -> ModelCosts:
    values = {"name": model_id.title(), "provider": "Acme", **fields}
    return ModelCosts(mode, model_id, values["name"], values["provider"], intervals(*costs))


def event(model_id: str, kind: str, old: str | None, new: str | None, at: float = 10, **fields: Any) -> CostEvent:
    values = {"mode": "image", "name": model_id, "provider": "Acme", "not_before": day(at - 1), **fields}
    return CostEvent(
        day(at), values["not_before"], values["mode"], model_id, values["name"], values["provider"], kind, old, new
    )


def report(models: Sequence[ModelCosts] = (), events: Iterable[CostEvent] = (), **fields: Any) -> ReportData:
    """Values of a report; the mode image was watched on the first ten days."""
    listed = list(events)
    watched = WatchedMode("image", day(80), frozenset(f"{day(number):%Y-%m-%d}" for number in range(10)))
    values: dict[str, Any] = {
        "asked": PERIOD,
        "mode_begins": {"image": BEGIN, "video": BEGIN},
        "watched": [watched],
        **fields,
    }
    counts: dict[str, int] = {}
    for each in listed:
        counts[each.kind] = counts.get(each.kind, 0) + 1
    return ReportData(models=models, events=listed, event_counts=counts, **values)


def page(models: Sequence[ModelCosts] = (), events: Iterable[CostEvent] = (), **fields: Any) -> str:
    return report_page(report(models, events, **fields), HEAD)
