"""The chart of ``docs/performance.md``: CPU of a sync by the number of models, as SVG with logarithmic axes."""

from __future__ import annotations

from collections.abc import Iterator
from math import log10

from benchmarks.part_sync import SIZES
from benchmarks.results import Results
from tests.support.database_servers import NAMES

_STEPS = ("first", "unchanged")
_COLOURS = {"dlt": "#b3521b", "catalog-sync": "#1b6ab3", "baseline": "#777"}
_SECONDS = (0.1, 1, 10)
_WIDTH, _HEIGHT, _LEFT, _TOP, _GAP = 230, 180, 50, 70, 70


def chart(results: Results) -> str:
    """A panel for each step and database."""
    body = [*_legend()]
    for row, step in enumerate(_STEPS):
        for column, (kind, name) in enumerate(NAMES.items()):
            x, y = _LEFT + column * (_WIDTH + _GAP), _TOP + row * (_HEIGHT + _GAP)
            body += [_text(x, y - 8, f"{name}: {step} sync", "start"), *_axes(x, y), *_lines(results, x, y, kind, step)]
    width, height = _LEFT + len(NAMES) * (_WIDTH + _GAP), _TOP + len(_STEPS) * (_HEIGHT + _GAP)
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif"'
    return "\n".join((f'{head} font-size="12">', '<rect width="100%" height="100%" fill="#fff"/>', *body, "</svg>\n"))


def _right(x: float, models: int) -> float:
    return x + log10(models / SIZES[0]) / log10(SIZES[-1] / SIZES[0]) * _WIDTH


def _up(y: float, seconds: float) -> float:
    return y + _HEIGHT - log10(seconds / _SECONDS[0]) / log10(_SECONDS[-1] / _SECONDS[0]) * _HEIGHT


def _axes(x: float, y: float) -> Iterator[str]:
    for seconds in _SECONDS:
        yield f'<path d="M{x} {_up(y, seconds):.1f}h{_WIDTH}" stroke="#ddd"/>'
        yield _text(x - 6, _up(y, seconds) + 4, f"{seconds:g} s", "end")
    for models in SIZES:
        yield _text(_right(x, models), y + _HEIGHT + 16, f"{models:,}", "middle")
    yield _text(x + _WIDTH / 2, y + _HEIGHT + 34, "models", "middle")


def _lines(results: Results, x: float, y: float, kind: str, step: str) -> Iterator[str]:
    for program, colour in _COLOURS.items():
        medians = [(models, results.median(f"sync {kind} {models} {step} {program}")) for models in SIZES]
        points = [(_right(x, models), _up(y, usage.cpu)) for models, usage in medians if usage]
        path = " ".join(f"{right:.1f},{up:.1f}" for right, up in points)
        yield f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>'
        yield from (f'<circle cx="{right:.1f}" cy="{up:.1f}" r="3" fill="{colour}"/>' for right, up in points)


def _legend() -> Iterator[str]:
    yield _text(_LEFT, 16, "CPU of the process, in seconds", "start")
    for number, (program, colour) in enumerate(_COLOURS.items()):
        x = _LEFT + number * 130
        yield f'<path d="M{x} 34h22" stroke="{colour}" stroke-width="2"/>'
        yield _text(x + 28, 38, program, "start")


def _text(x: float, y: float, text: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{text}</text>'
