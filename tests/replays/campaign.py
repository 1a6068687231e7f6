"""Imports many made-up histories into all databases and stops at the first wrong one.

It takes hours and is not part of the suite:
``python -m tests.replays.campaign --seeds 100 --lines 60 --models 200``.
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
from tests.replays.comparison import as_of_findings, import_file, moments, verify_findings, view_findings
from tests.replays.made_history import make_history
from tests.replays.truth import Truth
from tests.replays.view_contents import rows
from tests.support import database_servers
from tests.support.run_driver import dump

# Columns that differ between two imports of the same file, and means, of which SQLite keeps other digits.
_NOT_COMPARED = {"started_at", "finished_at", "note", "avg_credit_cost"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kinds", nargs="+", default=database_servers.KINDS, choices=database_servers.KINDS)
    for name, default in (("first", 1), ("seeds", 1), ("lines", 60), ("models", 200)):
        parser.add_argument(f"--{name}", type=int, default=default)
    options = parser.parse_args()
    servers_folder = Path(tempfile.mkdtemp(prefix="catalog-sync-"))
    try:
        for seed in range(options.first, options.first + options.seeds):
            _import_everywhere(servers_folder, options.kinds, seed, options.lines, options.models)
    finally:
        database_servers.stop_servers(servers_folder)


def _import_everywhere(servers_folder: Path, kinds: list[str], seed: int, lines: int, models: int) -> None:
    path = servers_folder / "responses.jsonl"
    truth = make_history(path, seed, lines, models)
    _print(f"seed {seed}: {lines} lines, {len(truth.stories)} models, {path.stat().st_size >> 20} MiB,", end=" ")
    _print(f"{len(truth.costs)} cost events, {len(truth.fields)} others")
    digests = {_import(servers_folder, kind, path, truth) for kind in kinds}
    if len(digests) > 1:
        sys.exit(f"seed {seed}: the databases differ")


def _import(servers_folder: Path, kind: str, path: Path, truth: Truth) -> str:
    with _engine(servers_folder, kind) as engine:
        start = time.monotonic()
        import_file(engine, path)
        imported = time.monotonic()
        findings = list(_findings(engine, path, truth))
        _print(f"  {kind}: imported in {imported - start:.1f} s, compared in {time.monotonic() - imported:.1f} s")
        if findings:
            sys.exit("\n".join([f"{kind}: {len(findings)} findings", *findings[:20]]))
        with engine.connect() as connection:
            return _digest(connection)


def _findings(engine: Engine, path: Path, truth: Truth) -> Iterator[str]:
    with engine.connect() as connection:
        yield from view_findings(connection, truth)
        yield from verify_findings(connection)
        for when in moments(truth, 10):
            yield from as_of_findings(connection, truth, when)
    before = dump(engine)
    if set(import_file(engine, path)) != {None} or dump(engine) != before:
        yield "a second import wrote something"


def _digest(connection: Connection) -> str:
    """Equal for two databases in which every view has the same rows, in any order."""
    total = 0
    for view in VIEWS:
        names = [column.name for column in view.columns if column.name not in _NOT_COMPARED]
        for row in rows(connection, ", ".join(names), view.name):
            text = "\0".join([view.name, *map(_plain, row)])
            total += int.from_bytes(sha256(text.encode()).digest()[:8], "big")
    return f"{total:x}"


def _plain(value: Any) -> str:
    """A value in a form that all databases share: on SQLite a number is the nearest double."""
    is_number = not isinstance(value, str) and hasattr(value, "__float__")
    return repr(float(value)) if is_number else str(value)


@contextmanager
def _engine(servers_folder: Path, kind: str) -> Iterator[Engine]:
    with _database(servers_folder, kind) as url:
        upgrade(url)
        engine = open_engine(url)
        yield engine
        engine.dispose()


@contextmanager
def _database(servers_folder: Path, kind: str) -> Iterator[str]:
    if kind == "sqlite":
        with tempfile.TemporaryDirectory(dir=servers_folder) as folder:
            yield f"sqlite:///{folder}/catalog.db"
        return
    with database_servers.new_database(database_servers.server_url(kind, servers_folder)) as url:
        yield url.render_as_string(hide_password=False)


def _print(text: str, end: str = "\n") -> None:
    sys.stdout.write(text + end)
    sys.stdout.flush()


if __name__ == "__main__":
    main()
