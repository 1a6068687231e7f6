"""Dying in the middle of a migration."""

from __future__ import annotations

from collections.abc import Callable

CHANGING = {"CREATE", "DROP", "INSERT", "DELETE", "UPDATE", "ALTER"}

Watch = Callable[[Callable[[str], None]], None]


class Halt(Exception):
    """The process dies here."""


def halt_at(number: int) -> Callable[[str], None]:
    """Fails before the statement of this number that changes anything."""
    passed = 0

    def count(statement: str) -> None:
        nonlocal passed
        passed += statement.split(maxsplit=1)[0] in CHANGING
        if passed == number:
            raise Halt

    return count
