"""The report as one HTML page: fills the templates. The page loads nothing, and says so to the browser."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from sync.catalog.history.report_data import ReportData
from sync.show.report import step_chart, summary, tables
from sync.show.report.cards import mode_cards
from sync.show.report.record import record_facts
from sync.show.report.texts import duration_text, printable, time_text
from sync.show.report.time_axis import marks
from sync.show.values import format_count

GENERATOR = '<meta name="generator" content="catalog-sync'
"""What every report has within its first bytes, by which a report is known."""
DEFAULT_TITLE = "Model costs"


@dataclass(frozen=True, slots=True)
class ReportHead:
    """What a report says of itself."""

    title: str
    made_at: datetime
    version: str
    mode: str | None = None
    provider: str | None = None


def report_page(data: ReportData, head: ReportHead) -> str:
    """The whole page. Everything in it that came from the API or a person is escaped."""
    environment = Environment(
        loader=PackageLoader("sync.show.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    style, script = (_source(environment, name) for name in ("report.css", "report.js"))
    page = environment.get_template("report.html").render(
        **_head(head),
        style=style,
        script=script,
        policy=_policy(style, script),
        **_contents(data, head),
    )
    # A lone surrogate in a text that a person gave cannot be written.
    return page.encode("utf-8", "replace").decode()


def _head(head: ReportHead) -> dict[str, Any]:
    filters = [
        f"mode {head.mode}" if head.mode else "",
        f"provider {printable(head.provider)}" if head.provider else "",
    ]
    return {
        "title": printable(head.title) or DEFAULT_TITLE,
        "filters": [each for each in filters if each],
        "made_at": time_text(head.made_at),
        "version": head.version,
    }


def _contents(data: ReportData, head: ReportHead) -> dict[str, Any]:
    period = data.period
    contents = {
        "since": time_text(period.since),
        "until": time_text(period.until),
        "duration": duration_text(period),
        "asked_since": time_text(data.asked.since) if period != data.asked else "",
        "first_observed": time_text(data.first_observed),
        "has_history": data.has_history,
        "of_all_providers": head.provider is not None,
        "held": summary.held_notes(data.held),
        "rejected": summary.rejected_notes(data.rejected),
        "rejected_count": data.rejected_count,
        "ignored": summary.ignored_notes(data.ignored),
        "accepted": summary.accepted_notes(data.accepted),
        "record": [] if data.record is None else list(record_facts(data.record)),
    }
    return contents | (_history(data, head) if data.has_history else {})


def _history(data: ReportData, head: ReportHead) -> dict[str, Any]:
    total = sum(data.event_counts.values())
    others = sum(data.other_changes.values())
    return {
        "tiles": list(summary.tiles(data, head.made_at)),
        "watches": list(summary.watches(data, head.made_at)),
        "strip": {"width": summary.STRIP_WIDTH, "height": summary.STRIP_HEIGHT},
        "feed": list(tables.feed_rows(data.events)),
        "feed_total": total,
        "first_listed": data.first_listed,
        "other_changes": others,
        "other_entities": ", ".join(f"{count:,} in {entity}" for entity, count in data.other_changes.items()),
        "moves": tables.moves(data),
        "means": list(tables.mean_rows(data)),
        "spark": {"width": tables.SPARK_WIDTH, "height": tables.SPARK_HEIGHT},
        "modes": list(mode_cards(data)),
        "chart": {
            "width": step_chart.WIDTH,
            "height": step_chart.HEIGHT,
            "plot_width": step_chart.PLOT_WIDTH,
            "top": step_chart.PLOT_TOP,
            "bottom": step_chart.PLOT_BOTTOM,
        },
        "marks": marks(data.period, step_chart.PLOT_WIDTH),
        "count": format_count,
    }


def _source(environment: Environment, name: str) -> str:
    assert environment.loader is not None  # noqa: S101  # it was given above
    return environment.loader.get_source(environment, name)[0]


def _policy(style: str, script: str) -> str:
    """A content security policy by which the page loads nothing and runs nothing but its own style and script."""
    return (
        f"default-src 'none'; style-src '{_sha256(style)}'; script-src '{_sha256(script)}';"
        " base-uri 'none'; form-action 'none'"
    )


def _sha256(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
