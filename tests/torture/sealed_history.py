"""A sealed catalog with everything that can be in one, and what it was at earlier times."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import timedelta

from models_db.migrate import upgrade
from tests.models_db.first_release import create_first_release
from tests.support.recomputed_seals import checkpoint_text
from tests.torture.database_under_test import require
from tests.torture.reseal import stored_leaves
from tests.torture.stored_contents import Contents, read_contents, write_contents
from tests.torture.watched_catalog import WatchedCatalog

_RUNS_AFTER_CHECKPOINT = 4
_BRANCHES = 3


@dataclass
class SealedHistory:
    """The rows of a database, backups of it, and a checkpoint that left it four runs before its end."""

    url: str
    contents: Contents = field(default_factory=dict)
    checkpoint: str = ""
    leaves: list[str] = field(default_factory=list)
    """The leaves of the tree of the checkpoint."""
    backups: list[Contents] = field(default_factory=list)
    """From times before the checkpoint."""
    branches: list[Contents] = field(default_factory=list)
    """Backups that were synced again, with other responses."""


def make_history(url: str, rng: random.Random) -> SealedHistory:
    """Makes a catalog of the first release, upgrades it, and lets everything happen to it."""
    create_first_release(url)
    upgrade(url)
    history, catalog = SealedHistory(url), WatchedCatalog(url, rng)
    for code in (catalog.sync(accepts=True), *_eventful_runs(catalog, history)):
        require(code in {0, 4, 5, 7}, f"a run of the history ended with {code}")
    history.contents = read_contents(url)
    leaves = stored_leaves(history.contents)
    history.leaves = [leaf.leaf_hash for leaf in leaves[:-_RUNS_AFTER_CHECKPOINT]]
    catalog_id = history.contents["catalog_identity"][0]["catalog_id"]
    history.checkpoint = checkpoint_text(catalog_id, [bytes.fromhex(leaf) for leaf in history.leaves])
    history.branches = [_branch(history, catalog) for _ in range(_BRANCHES)]
    return history


def _eventful_runs(catalog: WatchedCatalog, history: SealedHistory) -> list[int]:
    codes = _quiet_runs(catalog, history, 4)
    codes += [catalog.sync(trigger="schedule"), catalog.sync_held(), catalog.sync_accepted(), catalog.sync_rejected()]
    codes += [catalog.sync_failed("image"), catalog.sync_failed("video")]
    catalog.ignore()
    codes += [catalog.sync(), *_quiet_runs(catalog, history, 2)]
    catalog.ignore()
    codes += [catalog.sync(["video"]), catalog.sync(["image"])]
    catalog.change()
    catalog.import_line()
    codes += [catalog.sync(), *_quiet_runs(catalog, history, 3)]
    catalog.prune(timedelta(hours=7))
    return codes + _quiet_runs(catalog, history, 2) + [catalog.sync() for _ in range(_RUNS_AFTER_CHECKPOINT)]


def _quiet_runs(catalog: WatchedCatalog, history: SealedHistory, number: int) -> list[int]:
    """Runs with a few changes each, after a backup."""
    history.backups.append(read_contents(catalog.url))
    codes = []
    for _ in range(number):
        catalog.change()
        codes.append(catalog.sync())
    return codes


def _branch(history: SealedHistory, catalog: WatchedCatalog) -> Contents:
    """A backup after other runs, about as many as it lacks."""
    backup = catalog.rng.choice(history.backups)
    write_contents(history.url, history.contents, backup)
    for _ in range(len(history.contents["seals"]) - len(backup["seals"]) + catalog.rng.randrange(-1, 2)):
        catalog.change()
        catalog.sync(accepts=True)
    branch = read_contents(history.url)
    write_contents(history.url, branch, history.contents)
    return branch
