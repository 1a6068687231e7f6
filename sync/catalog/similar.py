"""The names that somebody may have meant."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence

MAX_SUGGESTIONS = 3


def similar(name: str, names: Iterable[str]) -> list[str]:
    """The names that are most like this one, at most three; one that contains it counts too."""
    known = list(names)
    # Of names that differ in case alone, the first one is suggested.
    by_lower_case = {each.lower(): each for each in reversed(known)}
    matches = difflib.get_close_matches(name.lower(), by_lower_case, MAX_SUGGESTIONS)
    found = [by_lower_case[match] for match in matches]
    found += [each for each in known if name.lower() in each.lower() and each not in found]
    return found[:MAX_SUGGESTIONS]


def did_you_mean(names: Sequence[str]) -> str:
    """The question for similar names."""
    return f"did you mean {' or '.join(map(repr, names))}?"
