"""The chart of the figures as a small SVG, drawn here so that nothing has to be installed for it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import log10

from benchmarks.results import Results

_SIZES = (100, 1_000, 10_000, 100_000)
_KINDS = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}
_STEPS = {"first": "first sync", "unchanged": "unchanged sync"}
_LINES = {
    "dlt": ("dlt, child tables", "#b3521b"),
    "dlt_json": ("dlt, JSON columns", "#d99a2b"),
    "ours": ("catalog-sync", "#1b6ab3"),
    "floor": ("floor", "#777"),
}
_WIDTH, _HEIGHT, _LEFT, _TOP, _GAP = 330, 210, 56, 76, 84
_SECONDS = (0.1, 1, 10, 100, 1_000)


@dataclass(frozen=True, slots=True)
class _Panel:
    """One drawing: both axes are logarithmic."""

    x: float
    y: float

    def across(self, size: float) -> float:
        return self.x + (log10(size) - 2) / 3 * _WIDTH

    def up(self, seconds: float) -> float:
        return self.y + _HEIGHT - (log10(max(seconds, _SECONDS[0])) + 1) / 4 * _HEIGHT


def chart(results: Results) -> str:
    """CPU of one process by the number of models: a panel for each step and database."""
    body = [*_legend(), *(line for panel in _panels(results) for line in panel)]
    width, height = _LEFT + 2 * (_WIDTH + _GAP), _TOP + 2 * (_HEIGHT + _GAP)
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif"'
    return "\n".join((f'{head} font-size="12">', '<rect width="100%" height="100%" fill="#fff"/>', *body, "</svg>\n"))


def _panels(results: Results) -> Iterator[Iterator[str]]:
    for row, (step, told) in enumerate(_STEPS.items()):
        for column, (kind, name) in enumerate(_KINDS.items()):
            panel = _Panel(_LEFT + column * (_WIDTH + _GAP), _TOP + row * (_HEIGHT + _GAP))
            yield _axes(panel, f"{name}: {told}")
            yield _lines(panel, results, kind, step)


def _axes(panel: _Panel, title: str) -> Iterator[str]:
    yield _text(panel.x, panel.y - 8, title, "start", "font-weight='bold'")
    for seconds in _SECONDS:
        y = panel.up(seconds)
        yield f'<path d="M{panel.x} {y:.1f}h{_WIDTH}" stroke="#ddd"/>'
        yield _text(panel.x - 6, y + 4, f"{seconds:g} s", "end")
    for size in _SIZES:
        yield _text(panel.across(size), panel.y + _HEIGHT + 16, f"{size:,}", "middle")
    yield _text(panel.x + _WIDTH / 2, panel.y + _HEIGHT + 34, "models", "middle")


def _lines(panel: _Panel, results: Results, kind: str, step: str) -> Iterator[str]:
    for contender, (_, colour) in _LINES.items():
        found = [(size, results.middle("sync", kind, size, step, contender)) for size in _SIZES]
        points = [(panel.across(size), panel.up(sample.cpu), sample.is_cut) for size, sample in found if sample]
        if points:
            path = " ".join(f"{x:.1f},{y:.1f}" for x, y, _ in points)
            yield f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>'
        for x, y, is_cut in points:
            yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{"#fff" if is_cut else colour}" stroke="{colour}"/>'


def _legend() -> Iterator[str]:
    yield _text(_LEFT, 16, "CPU of the process, in seconds; an open circle was cut off", "start")
    for number, (name, colour) in enumerate(_LINES.values()):
        x = _LEFT + number * 170
        yield f'<path d="M{x} 34h22" stroke="{colour}" stroke-width="2"/>'
        yield _text(x + 28, 38, name, "start")


def _text(x: float, y: float, text: str, anchor: str, more: str = "") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" {more}>{text}</text>'
