"""The table of results: for a terminal, and for ``docs/performance.md``."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.results import Results
from tests.support.database_servers import KINDS, NAMES

PAGE = Path(__file__).parents[1] / "docs" / "performance.md"
_FIGURES = re.compile(r"(<!-- figures -->\n).*(<!-- end of figures -->\n)", re.DOTALL)
_NO_DECIMALS_FROM = 20  # seconds


@dataclass(frozen=True, slots=True)
class Row:
    """One figure on each kind of database. An empty cell was not measured."""

    figure: str
    target: str
    cells: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Target:
    """A ratio that is aimed at: at most this, or at least this."""

    ratio: float
    is_least: bool = False

    def __str__(self) -> str:
        return f"{'>=' if self.is_least else '<='} {self.ratio:g}"

    def cell(self, over: float, under: float, parts: str) -> str:
        """The ratio, what it was made from, and whether the target is missed."""
        ratio = over / under
        is_met = ratio >= self.ratio if self.is_least else ratio <= self.ratio
        return f"{ratio:.2f} ({parts}){'' if is_met else ' **missed**'}"


# A comparison for information.
NO_TARGET = Target(0, is_least=True)


def cpu_row(results: Results, figure: str, target: Target, over: str, under: str) -> Row:
    """The CPU of one process to that of another; ``{kind}`` in their names is replaced by the kind of database."""
    cells = {}
    for kind in KINDS:
        pair = results.median(over.format(kind=kind)), results.median(under.format(kind=kind))
        if pair[0] and pair[1]:
            parts = f"{_seconds(pair[0].cpu)} / {_seconds(pair[1].cpu)} s"
            cells[kind] = target.cell(pair[0].cpu, pair[1].cpu, parts)
    return Row(figure, "" if target is NO_TARGET else str(target), cells)


def as_text(rows: Sequence[Row]) -> str:
    """The table for a terminal."""
    table = [("figure", "target", *NAMES.values()), *map(_columns, rows)]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    padded = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in table)
    return "\n".join(line.rstrip() for line in padded)


def page_with(page: str, results: Results, rows: Sequence[Row]) -> str:
    """The page with these results in place of those it has."""
    machine = results.made_on
    versions = ", ".join(
        f"{name} {machine[kind]}" for kind, name in {"python": "Python", **NAMES}.items() if kind in machine
    )
    head = ("Figure", "Target", *NAMES.values())
    table = "".join(f"| {' | '.join(row)} |\n" for row in (head, ["---"] * len(head), *map(_columns, rows)))
    computer = f"{machine['cores']} cores, {machine['memory']}, {machine['system']}"
    figures = f"Measured on {machine['day']}: {computer}; {versions}.\n\n{table}"
    return _FIGURES.sub(lambda found: f"{found[1]}{figures}{found[2]}", page)


def _columns(row: Row) -> tuple[str, ...]:
    return row.figure, row.target, *(row.cells.get(kind, "") for kind in KINDS)


def _seconds(number: float) -> str:
    return f"{number:.2f}" if number < _NO_DECIMALS_FROM else f"{number:.0f}"
