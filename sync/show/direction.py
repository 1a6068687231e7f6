"""Whether a cost rose or fell: as a sign, a word and a colour, so that nobody depends on one of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Direction:
    """A direction: its word for a kind of change, its sign, the sign for a terminal without arrows, its colour."""

    word: str
    sign: str
    plain_sign: str
    colour: str


UP = Direction("up", "▲", "+", "red")
DOWN = Direction("down", "▼", "-", "green")
_OF_KIND = {"increase": UP, "decrease": DOWN}


def direction_of(row: Mapping[str, object]) -> Direction | None:
    """The direction of a change by its kind, else by its difference; None where nothing rose or fell."""
    of_kind = _OF_KIND.get(str(row.get("change_kind")))
    difference = row.get("delta_cost")
    if of_kind or not isinstance(difference, Decimal) or not difference:
        return of_kind
    return UP if difference > 0 else DOWN


def colour_of_line(line: str) -> str:
    """The colour of a line about one change, such as those of a dry run; empty where nothing rose or fell."""
    kind = next((kind for kind in _OF_KIND if f" {kind}: " in line), None)
    return _OF_KIND[kind].colour if kind else ""


def kind_text(row: Mapping[str, object], encoding: str | None) -> str:
    """The kind of a change with the sign of its direction, such as ``▲ increase`` or ``▼ changed down``."""
    kind, direction = str(row["change_kind"]), direction_of(row)
    if direction is None:
        return kind
    words = kind if kind in _OF_KIND else f"{kind} {direction.word}"
    return f"{direction.sign if is_encodable(direction.sign, encoding) else direction.plain_sign} {words}"


def is_encodable(text: str, encoding: str | None) -> bool:
    """Whether a stream with this encoding can print the text as it is."""
    try:
        text.encode(encoding or "utf-8")
    except UnicodeError:
        return False
    return True
