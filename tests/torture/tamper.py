"""Tampers with a sealed catalog; ``verify --checkpoint`` must find it every time.

The checkpoint left the database before. Rows are changed without the program, and the seals are made anew by
code that shares none with it, as somebody would who may write to the database and knows how seals are made.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from itertools import count
from pathlib import Path

from sqlalchemy.exc import DBAPIError

from tests.torture import tamperings
from tests.torture.database_under_test import EmptyDatabases, require, require_consistent
from tests.torture.progress import Progress
from tests.torture.reseal import reseal, set_tree, stored_leaves
from tests.torture.sealed_history import SealedHistory, make_history
from tests.torture.stored_contents import Contents, copy_of, write_contents
from tests.torture.verify_command import verify

_TAMPERINGS_PER_HISTORY = 250
_ATTEMPTS = 200
_UNKNOWING_SHARE = 0.2  # of the tamperings with consistent seals, verified without the checkpoint too
_MISSED_LIMIT = 10

Make = Callable[[SealedHistory, random.Random], Contents]
"""The rows after tampering. Raises ``LookupError`` or ``ValueError`` if the choice made no sense."""


def run(databases: EmptyDatabases, progress: Progress) -> None:
    """Histories until the part ends; the failure names every tampering that was not found."""
    missed: list[str] = []
    for number in count(progress.options.first):
        if not progress.continues or len(missed) >= _MISSED_LIMIT:
            break
        progress.position = f"history {number}"
        rng = random.Random(f"{progress.options.seed} tamper {number}")
        with databases.unmigrated() as url:
            _Campaign(make_history(url, rng), databases.folder / "checkpoint", progress, rng, missed).run()
    require(not missed, f"{len(missed)} tamperings were not found: {'; '.join(missed)}")


class _Campaign:
    """The tamperings with one history. After each of them the rows are put back."""

    def __init__(
        self, history: SealedHistory, file: Path, progress: Progress, rng: random.Random, missed: list[str]
    ) -> None:
        self._history, self._file, self._progress, self._rng, self._missed = history, file, progress, rng, missed
        file.write_text(history.checkpoint)

    def run(self) -> None:
        self._require_untouched()
        for number in range(_TAMPERINGS_PER_HISTORY):
            if not self._progress.continues:
                break
            self._tamper([*KINDS][number % len(KINDS)])
            self._progress.count()
        self._require_untouched()

    def _require_untouched(self) -> None:
        """Nothing is found in the history itself, by ``verify`` or by the checker that shares no code with it."""
        result = verify(self._history.url, self._file)
        require(result.code == 0, f"a false alarm: exit {result.code}: {result.findings[:3]}")
        require_consistent(self._history.url)

    def _tamper(self, kind: str) -> None:
        tampered = self._store(KINDS[kind])
        try:
            result = verify(self._history.url, self._file)
            is_found = result.code == 9 and bool(result.findings)
            self._progress.add(f"{kind}: found", int(is_found))
            if not is_found:
                change = _difference(self._history.contents, tampered)
                self._missed.append(f"{kind} ended with exit {result.code}: {change}")
            if kind == "rewrite" and self._rng.random() < _UNKNOWING_SHARE:
                self._count_unknowing()
        finally:
            write_contents(self._history.url, tampered, self._history.contents)

    def _count_unknowing(self) -> None:
        self._progress.add("rewrites verified without the checkpoint too")
        is_silent = verify(self._history.url, None).code == 0
        self._progress.add("of these, consistent without the checkpoint", int(is_silent))

    def _store(self, make: Make) -> Contents:
        """Rows that differ and that the database takes."""
        for _ in range(_ATTEMPTS):
            try:
                tampered = make(self._history, self._rng)
                if tampered != self._history.contents:
                    write_contents(self._history.url, self._history.contents, tampered)
                    return tampered
            except (LookupError, ValueError, DBAPIError):
                continue  # there was nothing to change, or a constraint refused it
        raise AssertionError("no tampering was possible")


def _either(base: tamperings.Tampering, of_seals: tamperings.Tampering) -> Make:
    def make(history: SealedHistory, rng: random.Random) -> Contents:
        contents = copy_of(history.contents)
        (base if rng.random() < 0.7 else of_seals)(contents, rng)
        return contents

    return make


def _rewrite(history: SealedHistory, rng: random.Random) -> Contents:
    """What was sealed before the checkpoint changes, and all seals are made anew."""
    contents = copy_of(history.contents)
    kinds = [tamperings.edit, tamperings.delete, tamperings.insert, tamperings.reorder, tamperings.forge]
    rng.choice(kinds)(contents, rng)
    reseal(contents)
    if not tamperings.tree_differs(contents, history.leaves):
        raise LookupError("nothing before the checkpoint changed")
    return contents


def _cut(history: SealedHistory, rng: random.Random) -> Contents:
    """The last seals are missing; the tree fits what is left, or the runs are missing too."""
    contents = copy_of(history.contents)
    kept = rng.randrange(len(history.leaves))
    number_of_runs = rng.choice([0, 1])
    gone = {leaf.run_id for leaf in stored_leaves(contents)[kept:]}
    set_tree(contents, stored_leaves(contents)[:kept])
    if number_of_runs:
        for table in ("sync_runs", "sync_run_modes"):
            contents[table] = [row for row in contents[table] if row["run_id"] not in gone]
    return contents


def _older_backup(history: SealedHistory, rng: random.Random) -> Contents:
    """A backup in place of the database, as it was, or after runs that are not those that followed."""
    return copy_of(rng.choice([*history.backups, *history.branches]))


KINDS: dict[str, Make] = {
    "edit": _either(tamperings.edit, tamperings.edit_seals),
    "delete": _either(tamperings.delete, tamperings.delete_seals),
    "insert": _either(tamperings.insert, tamperings.insert_seals),
    "reorder": _either(tamperings.reorder, tamperings.reorder_seals),
    "rewrite": _rewrite,
    "cut tail": _cut,
    "older backup": _older_backup,
}


def _difference(before: Contents, after: Contents) -> str:
    """The first rows that differ, as the table and the columns with both values."""
    found = []
    for table, rows in after.items():
        found += [f"{table} has {row}" for row in rows if row not in before[table]]
        found += [f"{table} had {row}" for row in before[table] if row not in rows]
    return ", ".join(found[:4])[:1500]
