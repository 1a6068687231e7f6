"""The parts of the table: a row for each target, a cell for each database."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.databases import KINDS
from benchmarks.process_usage import Sample

KIB, MIB = 1024, 1024 * 1024
_WHOLE_FROM = 20  # seconds


@dataclass(frozen=True, slots=True)
class Cell:
    """What was reached in one database."""

    ratio: float
    figure: str
    is_met: bool
    digits: int = 2

    def __str__(self) -> str:
        return f"{self.ratio:.{self.digits}f} ({self.figure}){'' if self.is_met else ' **missed**'}"


@dataclass(frozen=True, slots=True)
class Target:
    """A row of the table; a cell is missing where nothing was measured."""

    what: str
    aim: str
    cells: dict[str, Cell]


@dataclass(frozen=True, slots=True)
class Limit:
    """A ratio that may not be larger, or not smaller."""

    number: float
    at_least: bool = False

    def __str__(self) -> str:
        return f"{'>=' if self.at_least else '<='} {self.number:g}"

    def holds(self, ratio: float) -> bool:
        return ratio >= self.number if self.at_least else ratio <= self.number

    def cell(self, over: float, under: float, figure: str, digits: int = 2) -> Cell:
        return Cell(over / under, figure, self.holds(over / under), digits)

    def of_cpu(self, over: Sample | None, under: Sample | None) -> Cell | None:
        """CPU to CPU. Of a process that was cut off only so much is known: it took more."""
        if over is None or under is None:
            return None
        mark = "more than " if over.is_cut else ""
        return self.cell(over.cpu, under.cpu, f"{mark}{_seconds(over.cpu)} / {_seconds(under.cpu)} s")


def target(what: str, aim: object, cell_of: Callable[[str], Cell | None]) -> Target:
    """A row, of the cells that there are."""
    return Target(what, str(aim), {kind: cell for kind in KINDS if (cell := cell_of(kind))})


def _seconds(number: float) -> str:
    return f"{number:.2f}" if number < _WHOLE_FROM else f"{number:.0f}"
