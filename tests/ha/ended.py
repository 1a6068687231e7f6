"""A command that has ended, and whether what it said is true."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

MARKER = "ha/marker"
"""The model whose cost is the number of the catalog."""
MIGRATION = "migrate (new)"
"""The name of a ``migrate`` that makes a catalog."""
_NOTHING = "nothing of this step was stored"
_UNKNOWN = re.compile(r"whether (run|the start of run) \d+ was stored is unknown")


@dataclass(frozen=True)
class Ended:
    """``number`` is that of the catalog that a sync was sent; ``path`` is how it reached the servers."""

    name: str
    number: int
    path: str
    code: int
    out: str
    line: str
    began: float
    waited: float
    """Seconds from start to end, without those that the API took."""
    ended: float

    def __str__(self) -> str:
        return f"{self.name} {self.number} ({self.path}): exit {self.code} after {self.waited:.1f} s: {self.line[:600]}"


def untrue_syncs(syncs: Sequence[Ended], stored: Collection[int]) -> list[Ended]:
    """The failed syncs whose line does not say what is so."""
    failed = [each for each in syncs if each.code != 0]
    return [each for each in failed if not (_is_one_line(each) and _is_true(each, is_stored=each.number in stored))]


def untrue_others(others: Sequence[Ended], syncs: Sequence[Ended]) -> list[Ended]:
    """The other commands that ended in a way that no failure of a server explains, or showed what is not so."""
    return [each for each in others if not _is_explained(each) or not _shows_what_was_sent(each, syncs)]


def _is_true(ended: Ended, *, is_stored: bool) -> bool:
    # The COMMIT of an earlier run, given up while it waited for a standby, may be carried out during this one.
    is_superseded = ended.code == 8 and "superseded" in ended.line
    return not is_stored if is_superseded or _NOTHING in ended.line else bool(_UNKNOWN.search(ended.line))


def _is_explained(ended: Ended) -> bool:
    return ended.code == 0 or (ended.code == 6 and _is_one_line(ended))


def _is_one_line(ended: Ended) -> bool:
    return ended.line.startswith("catalog-sync: ") and "\n" not in ended.line


def _shows_what_was_sent(ended: Ended, syncs: Sequence[Ended]) -> bool:
    """Whether ``models`` shows a catalog that a sync which had begun by then was sent."""
    if ended.name != "models" or ended.code != 0:
        return True
    shown = _marker_cost(ended.out)
    return shown is None or shown in {sync.number for sync in syncs if sync.began < ended.ended}


def is_stale(ended: Ended, syncs: Sequence[Ended]) -> bool:
    """Whether ``models`` shows an older catalog than a sync had stored that was acknowledged before it began.

    A standby and a Galera node may lag behind, so this is counted and not called untrue.
    """
    if ended.name != "models" or ended.code != 0:
        return False
    before = [sync.number for sync in syncs if sync.code == 0 and sync.ended < ended.began]
    return (_marker_cost(ended.out) or 0) < max(before, default=0)


def _marker_cost(out: str) -> int | None:
    for each in json.loads(out):
        if each["model_id"] == MARKER:
            return int(each["credit_cost"])
    return None
