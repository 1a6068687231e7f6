"""Finds settings in the environment whose names are mistyped: an unknown variable would be ignored in silence."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from sync.errors import UsageError
from sync.settings import PREFIX

MOST_EDITS = 2
# An orchestrator sets variables for each service, and one of them may be called catalog-sync.
_SET_BY_OTHERS = ("TEST_", "SERVICE_", "PORT")
_FILE = "_FILE"


def require_known_names(environ: Iterable[str], settings: Collection[str]) -> None:
    """Raises ``UsageError`` for a variable that is nearly one of ``settings``, full names, and none itself.

    Names of other programs are passed over, also those with our prefix that resemble no setting.
    """
    for name in sorted(environ):
        nearest = None if name in settings else _nearest(name, settings)
        if nearest is not None:
            raise UsageError(
                f"the environment has {name}, which is not a setting: it would have no effect; rename it to {nearest}"
                " or unset it"
            )


def _nearest(name: str, settings: Collection[str]) -> str | None:
    folded = name.upper()
    # Also names whose prefix is mistyped, but not each variable of the environment: this runs at every start.
    if "CATALOG" not in folded and "SYNC" not in folded:
        return None
    if folded.removeprefix(PREFIX).startswith(_SET_BY_OTHERS):
        return None
    spellings = {folded, folded.removesuffix(_FILE)}  # the file with a setting, where there is no such setting
    candidates = ((edits(each, setting), setting) for each in spellings for setting in settings)
    distance, setting = min(candidates)
    return setting if distance <= MOST_EDITS else None


def edits(one: str, other: str) -> int:
    """The number of characters to insert, delete, replace, or swap with the next; from 3 on only that it is more."""
    if abs(len(one) - len(other)) > MOST_EDITS:
        return MOST_EDITS + 1
    before, last = [0] * (len(other) + 1), list(range(len(other) + 1))
    for i, char in enumerate(one, 1):
        row = [i]
        for j, wanted in enumerate(other, 1):
            cost = min(last[j] + 1, row[j - 1] + 1, last[j - 1] + (char != wanted))
            if i > 1 and j > 1 and char == other[j - 2] and one[i - 2] == wanted:
                cost = min(cost, before[j - 2] + 1)
            row.append(cost)
        before, last = last, row
    return last[-1]
