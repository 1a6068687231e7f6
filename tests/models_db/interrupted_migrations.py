"""Migrations that stop before a chosen statement."""

from __future__ import annotations

from collections.abc import Callable

WRITING = {"CREATE", "DROP", "INSERT", "DELETE", "UPDATE", "ALTER"}

OnStatement = Callable[[Callable[[str], None]], None]


class Interrupted(Exception):
    """Raised instead of executing the chosen statement."""


def interrupt_at(number: int) -> Callable[[str], None]:
    """Raises ``Interrupted`` before the writing statement of this number, counted from 1."""
    seen = 0

    def count(statement: str) -> None:
        nonlocal seen
        seen += statement.split(maxsplit=1)[0] in WRITING
        if seen == number:
            raise Interrupted

    return count
