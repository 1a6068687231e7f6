"""Many made-up histories through all databases, a line for each; stops at the first that comes out wrong.

For an afternoon, not for the suite: ``python -m tests.replays.campaign --seeds 100 --looks 60 --models 200``.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine

from models_db.engine import open_engine
from models_db.migrate import upgrade
from models_db.views.loader import VIEWS
from tests.replays.comparison import audit_faults, faults, import_file, moments, past_faults
from tests.replays.made_history import make_history
from tests.replays.truth import Truth
from tests.replays.view_contents import rows
from tests.support import database_servers
from tests.support.run_driver import dump

# What differs between two imports of the same file, and means: SQLite has more digits of them, or fewer.
_OF_ITS_OWN = {"started_at", "finished_at", "note", "avg_credit_cost"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kinds", nargs="+", default=database_servers.KINDS, choices=database_servers.KINDS)
    for name, default in (("first", 1), ("seeds", 1), ("looks", 60), ("models", 200)):
        parser.add_argument(f"--{name}", type=int, default=default)
    given = parser.parse_args()
    room = Path(tempfile.mkdtemp(prefix="catalog-sync-"))
    try:
        for seed in range(given.first, given.first + given.seeds):
            _take_everywhere(room, given.kinds, seed, given.looks, given.models)
    finally:
        database_servers.stop_servers(room)


def _take_everywhere(room: Path, kinds: list[str], seed: int, looks: int, models: int) -> None:
    path = room / "answers.jsonl"
    truth = make_history(path, seed, looks, models)
    _say(f"seed {seed}: {looks} looks at {len(truth.stories)} models, {path.stat().st_size >> 20} MiB,", end=" ")
    _say(f"{len(truth.costs)} cost events, {len(truth.fields)} others")
    answers = {_take(room, kind, path, truth) for kind in kinds}
    if len(answers) > 1:
        sys.exit(f"seed {seed}: the databases differ")


def _take(room: Path, kind: str, path: Path, truth: Truth) -> str:
    with _engine(room, kind) as engine:
        began = time.monotonic()
        import_file(engine, path)
        taken = time.monotonic()
        wrong = list(_wrong(engine, path, truth))
        _say(f"  {kind}: taken in {taken - began:.1f} s, compared in {time.monotonic() - taken:.1f} s")
        if wrong:
            sys.exit("\n".join([f"{kind}: {len(wrong)} faults", *wrong[:20]]))
        with engine.connect() as connection:
            return _told(connection)


def _wrong(engine: Engine, path: Path, truth: Truth) -> Iterator[str]:
    with engine.connect() as connection:
        yield from faults(connection, truth)
        yield from audit_faults(connection)
        for when in moments(truth, 10):
            yield from past_faults(connection, truth, when)
    before = dump(engine)
    if set(import_file(engine, path)) != {None} or dump(engine) != before:
        yield "taken again, it wrote something"


def _told(connection: Connection) -> str:
    """Equal for two databases of which every view tells the same, in whatever order."""
    total = 0
    for view in VIEWS:
        names = [column.name for column in view.columns if column.name not in _OF_ITS_OWN]
        for row in rows(connection, ", ".join(names), view.name):
            text = "\0".join([view.name, *map(_plain, row)])
            total += int.from_bytes(sha256(text.encode()).digest()[:8], "big")
    return f"{total:x}"


def _plain(value: Any) -> str:
    """A value as all databases give it: on SQLite a number is the double next to it."""
    is_number = not isinstance(value, str) and hasattr(value, "__float__")
    return repr(float(value)) if is_number else str(value)


@contextmanager
def _engine(room: Path, kind: str) -> Iterator[Engine]:
    with _database(room, kind) as url:
        upgrade(url)
        engine = open_engine(url)
        yield engine
        engine.dispose()


@contextmanager
def _database(room: Path, kind: str) -> Iterator[str]:
    if kind == "sqlite":
        with tempfile.TemporaryDirectory(dir=room) as folder:
            yield f"sqlite:///{folder}/catalog.db"
        return
    with database_servers.new_database(database_servers.server_url(kind, room)) as url:
        yield url.render_as_string(hide_password=False)


def _say(words: str, end: str = "\n") -> None:
    sys.stdout.write(words + end)
    sys.stdout.flush()


if __name__ == "__main__":
    main()
