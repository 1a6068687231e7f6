"""How a table fits a width: columns take several lines, then some are left out, then each row becomes a record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from sync.show.fold import longest_number, text_width
from sync.show.values import is_number

GAP = "  "


@dataclass(frozen=True)
class Column:
    """A column of texts, its heading first."""

    name: str
    cells: Sequence[str]
    min_width: int | None = None
    """To what width its texts may be folded; None if they must stay in one line."""
    is_cost: bool = False
    """Whether its numbers go to the right although it has other texts too."""

    @cached_property
    def width(self) -> int:
        return max(map(text_width, self.cells))

    @cached_property
    def narrowest(self) -> int:
        """The smallest width at which nothing is cut: no number is divided."""
        if self.min_width is None:
            return self.width
        return max(min(self.width, self.min_width), *map(longest_number, self.cells))

    @cached_property
    def is_right(self) -> bool:
        """Whether the whole column goes to the right: numbers, or costs and words in place of costs."""
        texts = [text for text in self.cells[1:] if text]
        return (bool(texts) and all(map(is_number, texts))) or (self.is_cost and self.min_width is None)


@dataclass(frozen=True, slots=True)
class Layout:
    """The columns that fit a width, each with its own width, and those that are left out."""

    widths: Mapping[str, int]
    left_out: Sequence[str]


def fit(columns: Sequence[Column], expendable: Sequence[str], width: int) -> Layout | None:
    """The layout at this width; ``expendable`` columns are left out in this order. None if records are needed."""
    kept = {column.name: column for column in columns}
    left_out = []
    for name in (None, *expendable):
        if name in kept:
            left_out.append(kept.pop(name).name)
        available = width - len(GAP) * (len(kept) - 1)
        if sum(column.narrowest for column in kept.values()) <= available:
            return Layout(_widths(list(kept.values()), available), left_out)
    return None


def _widths(columns: Sequence[Column], available: int) -> dict[str, int]:
    """The widths of columns that fit: the widest ones that may be folded are made narrower, down to a common width."""
    limit = max(column.width for column in columns)
    while sum(_limited(column, limit) for column in columns) > available:
        limit -= 1
    return {column.name: _limited(column, limit) for column in columns}


def _limited(column: Column, limit: int) -> int:
    return column.width if column.min_width is None else max(column.narrowest, min(column.width, limit))
