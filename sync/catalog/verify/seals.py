"""The rules of ``seals``: each is recomputed from the rows of its run, and the tree from its leaves. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from msgspec import Struct

from sync.catalog.merkle import HASH_BYTES, Frontier
from sync.catalog.seal import (
    GENESIS,
    MODE_COLUMNS,
    RUN_COLUMNS,
    UNCHANGED,
    Entry,
    genesis_entry,
    run_entry,
)
from sync.catalog.verify.findings import Finding, RowScope, StoredRow, Unreadable, format_value
from sync.catalog.verify.listed_roots import ListedRoots, RepeatedRoots
from sync.catalog.verify.sealed_facts import SealedFacts

_SEALS, _IDENTITY = RowScope("seals"), RowScope("catalog_identity")
# A catalog whose every run was rewritten would give a line for each seal.
_MOST_FINDINGS = 10


class SealedRun(Struct, frozen=True):
    """A run on record: its row of ``sync_runs`` and its rows of ``sync_run_modes``."""

    row: StoredRow
    modes: Sequence[StoredRow]


class StoredSeal(Struct, frozen=True):
    """A row of ``seals``, and its run; None if that is not on record, and for genesis."""

    row: StoredRow
    run: SealedRun | None


class SealCheck:
    """Checks the seals of a catalog, which are passed in the order of ``seal_no``.

    ``sealed`` are the runs that have a seal of their own, ``ignored`` the rows of ``ignored_fields``.
    ``listed_roots`` checks the root over the listed models of every run.
    """

    def __init__(
        self,
        catalog_id: str,
        facts: SealedFacts,
        sealed: Collection[int],
        ignored: Sequence[StoredRow],
        listed_roots: ListedRoots | RepeatedRoots,
    ) -> None:
        self._catalog_id, self._facts, self._sealed, self._ignored = catalog_id, facts, sealed, ignored
        self._listed_roots = listed_roots
        self._frontier: Frontier | None = Frontier()
        self._seen: set[object] = set()
        self._next, self._different = 0, 0
        self._last_different = ""

    def findings(self, seals: Iterable[StoredSeal]) -> Iterator[Finding]:
        """What is wrong with the seals, the first one that differs before all others."""
        for seal in seals:
            for problem in self._problems(seal):
                self._different += 1
                self._last_different = f"seal {_shown(seal.row['seal_no'])}, {describe_run(seal)}"
                if self._different <= _MOST_FINDINGS:
                    yield _SEALS.finding(f"{self._last_different}: {problem}", _ended_at(seal.run))
        if self._different > _MOST_FINDINGS:
            more = self._different - _MOST_FINDINGS
            yield _SEALS.finding(f"{more} more findings about seals; the last one is about {self._last_different}")

    def identity_findings(self, identity: StoredRow) -> Iterator[Finding]:
        """What is wrong with the tree in ``catalog_identity``, after all seals were passed."""
        if identity["tree_size"] != self._next:
            size = format_value(identity["tree_size"])
            yield _IDENTITY.finding(f"tree_size is {size}, but there are {self._next} seals; {self._end()}")
        expected = None if self._frontier is None else self._frontier.text()
        if expected is not None and (identity["frontier"] or "") != expected:
            yield _IDENTITY.finding("frontier is not that of the seals")

    def _end(self) -> str:
        return f"the first seal that differs is seal {self._next}"

    def _problems(self, seal: StoredSeal) -> Iterator[str]:
        yield from self._place_problems(seal.row)
        yield from self._leaf_problems(seal)
        yield from self._root_problems(seal.row)
        yield from self._listed_roots.problems(
            self._older_facts() if seal.row["kind"] == GENESIS else self._facts.of_run(_run_id(seal)),
            () if seal.run is None else seal.run.modes,
        )

    def _place_problems(self, row: StoredRow) -> Iterator[str]:
        seal_no = row["seal_no"]
        if not isinstance(seal_no, int):
            yield "its number is none"
        elif seal_no != self._next:
            yield f"the seals from {self._next} on are missing before it"
        self._next = seal_no + 1 if isinstance(seal_no, int) else self._next + 1
        if row["kind"] == GENESIS:
            if seal_no != 0:
                yield "kind is genesis, which only seal 0 is"
        elif row["run_id"] in self._seen:
            yield f"run {format_value(row['run_id'])} has another seal before it"
        else:
            self._seen.add(row["run_id"])

    def _leaf_problems(self, seal: StoredSeal) -> Iterator[str]:
        kind, leaf = seal.row["kind"], seal.row["leaf_hash"]
        if kind != GENESIS and seal.run is None:
            if kind != UNCHANGED or self._facts.of_run(_run_id(seal)):
                yield f"there is no such run, and kind is {format_value(kind)}: only an unchanged run may be pruned"
            return
        try:
            entry = self._entry(seal)
            expected = entry.leaf_hash().hex()
        except ValueError as error:
            yield f"its entry cannot be made: {error}"
            return
        if kind != entry.kind:
            yield f"kind is {format_value(kind)}, but the rows of the run give {entry.kind}"
        if seal.row["run_id"] != entry.run:
            yield f"run_id is {format_value(seal.row['run_id'])}, but the older versions give {entry.run}"
        if leaf != expected:
            yield (
                f"what it sealed has been changed since: leaf_hash is {format_value(leaf)}, but the stored rows give"
                f" {expected}"
            )

    def _entry(self, seal: StoredSeal) -> Entry:
        """Raises ``ValueError`` if a stored value cannot be part of an entry."""
        if seal.run is None:
            return genesis_entry(self._catalog_id, *self._facts.of_older_runs(self._sealed))
        _require_readable(seal.run.row, RUN_COLUMNS)
        for mode in seal.run.modes:
            _require_readable(mode, MODE_COLUMNS)
        ignored = _ignored_at(self._ignored, seal.run.row["observed_at"])
        return run_entry(self._catalog_id, seal.run.row, seal.run.modes, ignored, self._facts.of_run(_run_id(seal)))

    def _older_facts(self) -> Sequence[str]:
        return self._facts.of_older_runs(self._sealed)[1]

    def _root_problems(self, row: StoredRow) -> Iterator[str]:
        """The first seal with a root that its leaves do not give; those after it differ too."""
        if self._frontier is None:
            return
        leaf = _hash(row["leaf_hash"])
        if leaf is None:
            self._frontier = None
            yield f"leaf_hash is {format_value(row['leaf_hash'])}, which is not a hash"
            return
        self._frontier = self._frontier.append(leaf)
        if row["tree_root"] != (root := self._frontier.root.hex()):
            self._frontier = None
            yield f"tree_root is {format_value(row['tree_root'])}, but the leaves up to it give {root}"


def unsealed_findings(applied: Mapping[int, bool], sealed: Collection[int]) -> Iterator[Finding]:
    """Runs that were applied and have no seal. Those that are older than the seals, and so have no root, need none.

    ``applied`` says of each run whether it recorded the root over the listed models, as every sealed run does.
    """
    first = min(sealed, default=None)
    for run_id in sorted(applied.keys() - set(sealed)):
        if applied[run_id] or (first is not None and run_id > first):
            yield _SEALS.finding(f"run {run_id} was applied and has no seal")


def state_root_findings(
    states: Iterable[StoredRow],
    facts: SealedFacts,
    sealed: Collection[int],
    last_roots: Mapping[tuple[object, object], object],
) -> Iterator[Finding]:
    """What is wrong with the ``listed_root`` of ``sync_state``, the newest one of each mode.

    ``last_roots`` has those of ``sync_run_modes`` by run and mode, at least of the runs that the rows name.
    """
    for row in states:
        mode, run_id, stored = row["mode"], row["run_id"], row["listed_root"]
        if run_id not in sealed or not isinstance(mode, str):
            continue
        scope = RowScope("sync_state", mode)
        if stored != (expected := facts.listed_root(mode)):
            yield scope.finding(f"listed_root is {format_value(stored)}, but the listed models give {expected}")
        if (of_run := last_roots.get((run_id, mode))) != stored:
            run = f"run {format_value(run_id)} left {format_value(of_run)}"
            yield scope.finding(f"listed_root is {format_value(stored)}, but {run}")


def describe_run(seal: StoredSeal) -> str:
    """What was sealed, for people."""
    number = format_value(seal.row["run_id"])
    if seal.row["kind"] == GENESIS:
        return f"the history up to run {number} that is older than the seals"
    if seal.run is None:
        return f"run {number}, which is not on record"
    trigger = "import" if seal.run.row["trigger_kind"] == "import" else "sync"
    kind, ended = format_value(seal.row["kind"]).strip("'"), format_value(seal.run.row["finished_at"])
    return f"run {number}, {'an' if trigger == 'import' else 'a'} {trigger} that ended at {ended} ({kind})"


def _shown(value: object) -> str:
    return format_value(value.value if isinstance(value, Unreadable) else value)


def _run_id(seal: StoredSeal) -> int:
    run_id = seal.row["run_id"]
    return run_id if isinstance(run_id, int) else -1


def _ended_at(run: SealedRun | None) -> object:
    return None if run is None else run.row["finished_at"]


def _ignored_at(rows: Iterable[StoredRow], moment: object) -> list[str]:
    return [str(row["path"]) for row in rows if _is_in_effect(row["valid_from"], row["valid_to"], moment)]


def _is_in_effect(start: object, end: object, moment: object) -> bool:
    if not isinstance(start, datetime) or not isinstance(moment, datetime):
        return False
    return start <= moment and (moment < end if isinstance(end, datetime) else end is None)


def _require_readable(row: StoredRow, columns: Iterable[str]) -> None:
    for name in columns:
        value = row[name]
        if isinstance(value, Unreadable):
            raise ValueError(f"{name} holds {format_value(value.value)}, which is not a value of its type")  # noqa: TRY004  # of data


def _hash(value: object) -> bytes | None:
    try:
        digest = bytes.fromhex(value) if isinstance(value, str) else b""
    except ValueError:
        return None
    return digest if len(digest) == HASH_BYTES else None
