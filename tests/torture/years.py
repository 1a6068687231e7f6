"""Three years of a catalog, day after day: ``verify`` holds with every checkpoint that ever left the database.

The history begins with a database of the first release that is upgraded. There are imports, prunes, upgrades
of the program and failovers to a copy of the database.
"""

from __future__ import annotations

import random
import shutil
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path

from sqlalchemy import make_url

from models_db.engine import migration_engine
from models_db.migrate import upgrade
from tests.models_db.first_release import create_first_release
from tests.support import database_servers
from tests.torture.database_under_test import EmptyDatabases, engine_for, query, require, require_consistent
from tests.torture.progress import Progress
from tests.torture.verify_command import verify
from tests.torture.watched_catalog import AFTER_FIRST_RELEASE, WatchedCatalog

DAYS = 3 * 365
_VERIFIED_EVERY = 30
_PRUNED_EVERY, _KEPT = 80, timedelta(days=100)
_FAILOVER_EVERY = 150
_UPGRADED_EVERY = 110
_TREE = "SELECT catalog_id, tree_size, tree_root FROM catalog_identity JOIN seals ON seal_no = tree_size - 1"


def run(databases: EmptyDatabases, progress: Progress) -> None:
    """One history of as many days as the goal says."""
    rng = random.Random(f"{progress.options.seed} years")
    with ExitStack() as stack:
        url = stack.enter_context(databases.unmigrated())
        create_first_release(url)
        upgrade(url)
        _Years(databases, progress, WatchedCatalog(url, rng), stack).run()


class _Years:
    def __init__(
        self, databases: EmptyDatabases, progress: Progress, catalog: WatchedCatalog, stack: ExitStack
    ) -> None:
        self._databases, self._progress, self._catalog, self._stack = databases, progress, catalog, stack
        self._checkpoints: list[str] = []

    def run(self) -> None:
        self._do("syncs", lambda: self._catalog.sync(accepts=True))
        for day in range(1, DAYS + 1):
            if not self._progress.continues:
                break
            self._progress.position = f"day {day}"
            self._catalog.now = AFTER_FIRST_RELEASE + timedelta(days=day)
            self._live(day)
            self._progress.count()
        self._require_holds()

    def _live(self, day: int) -> None:
        if day % _FAILOVER_EVERY == _FAILOVER_EVERY // 6:
            self._do("failovers", self._fail_over)
        if day % _UPGRADED_EVERY == _UPGRADED_EVERY // 3:
            self._do("upgrades of the program", self._upgrade)
        if day % _PRUNED_EVERY == 0:
            self._progress.add("runs forgotten", self._catalog.prune(_KEPT))
            self._progress.add("prunes")
        self._do(*self._step())
        if day % _VERIFIED_EVERY == 0:
            self._require_holds()

    def _step(self) -> tuple[str, Callable[[], object]]:
        """What happens on a day, and its name in the figures."""
        catalog = self._catalog
        steps: list[tuple[float, str, Callable[[], object]]] = [
            (50, "syncs", catalog.sync),
            (30, "syncs", self._sync_changed),
            (4, "imports", self._import),
            (2, "syncs held back", catalog.sync_held),
            (2, "accepted removals", self._accept),
            (3, "syncs with a rejected model", catalog.sync_rejected),
            (3, "syncs in which a mode failed", lambda: catalog.sync_failed(catalog.rng.choice(["image", "video"]))),
            (2, "fields ignored or no longer ignored", self._ignore),
            (4, "syncs of one mode", lambda: catalog.sync([catalog.rng.choice(["image", "video"])])),
        ]
        _, name, step = catalog.rng.choices(steps, weights=[weight for weight, _, _ in steps])[0]
        return name, step

    def _do(self, name: str, step: Callable[[], object]) -> None:
        """The step, after which a checkpoint leaves the database."""
        step()
        self._progress.add(name)
        catalog_id, size, root = query(self._catalog.url, _TREE)[0]
        text = f"catalog-sync/{catalog_id}\n{size}\n{b64encode(bytes.fromhex(root)).decode()}\n\n"
        if text not in self._checkpoints[-1:]:
            self._checkpoints.append(text)

    def _sync_changed(self) -> None:
        self._catalog.change()
        self._catalog.sync()

    def _import(self) -> None:
        self._catalog.change()
        self._catalog.import_line()

    def _accept(self) -> None:
        self._catalog.sync_accepted()
        self._catalog.restore("video")

    def _ignore(self) -> None:
        self._catalog.ignore()
        self._catalog.sync()

    def _upgrade(self) -> None:
        """The revisions are at head, and the current rows are those of an older program."""
        upgrade(self._catalog.url)
        with engine_for(self._catalog.url) as engine, engine.begin() as connection:
            connection.exec_driver_sql("UPDATE models SET fingerprint = '0:abc' WHERE removed_at IS NULL")
        self._catalog.sync()

    def _fail_over(self) -> None:
        self._catalog.url = self._stack.enter_context(_promoted_copy(self._databases, self._catalog.url))
        self._catalog.sync()

    def _require_holds(self) -> None:
        file = self._databases.folder / "checkpoints"
        file.write_text("".join(self._checkpoints))
        result = verify(self._catalog.url, file)
        require(result.code == 0, f"a false alarm: exit {result.code}, {result.findings[:3]}")
        require_consistent(self._catalog.url)
        self._progress.add("verifications")
        self._progress.add("checkpoints compared", len(self._checkpoints))


@contextmanager
def _promoted_copy(databases: EmptyDatabases, url: str) -> Iterator[str]:
    """A copy of the database on its server, as a standby has it."""
    source = make_url(url)
    if databases.kind == "postgresql":
        server = source.set(database="postgres")
        with database_servers.new_database(server, template=source.database) as copied:
            yield copied.render_as_string(hide_password=False)
        return
    with databases.unmigrated() as copied_url:
        if databases.kind == "sqlite":
            query(url, "PRAGMA wal_checkpoint(TRUNCATE)")
            shutil.copyfile(Path(str(source.database)), Path(str(make_url(copied_url).database)))
        else:
            upgrade(copied_url)
            with migration_engine(make_url(copied_url)).connect() as connection:
                database_servers.copy_rows(connection, str(source.database))
        yield copied_url
