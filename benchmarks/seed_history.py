"""Fills a migrated database with a history, by the import of one catalog an hour."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta

from benchmarks.catalogs import Catalog, envelope
from models_db.engine import open_engine
from sync.run.import_ import ImportDependencies, import_responses
from sync.source.files.jsonl import SavedResponse


def seed_history(url: str, catalogs: Iterable[Catalog], begin: datetime) -> None:
    """Import the catalogs as runs, the first one at ``begin`` (UTC), which is later than what is stored."""
    dependencies = ImportDependencies(lambda: datetime.now(UTC), app_version="bench")
    engine = open_engine(url)
    for _ in import_responses(engine, _lines(catalogs, begin), dependencies):
        pass
    engine.dispose()


def _lines(catalogs: Iterable[Catalog], begin: datetime) -> Iterator[SavedResponse]:
    for number, catalog in enumerate(catalogs):
        bodies = {mode: envelope(mode, models) for mode, models in catalog.items()}
        yield SavedResponse("made-up history", number + 1, begin + timedelta(hours=number), bodies)
