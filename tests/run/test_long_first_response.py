"""A response too long for its records to be kept in memory is stored like any other."""

from __future__ import annotations

import pytest

from models_db.engine import open_engine
from models_db.migrate import upgrade
from sync.catalog.changes import lazy_records
from sync.store import batches, write
from tests.support.made_responses import FULL, model
from tests.support.run_driver import Host, dump

MODELS = [FULL, *(model(f"m{number}", cost=number / 8, tags=["x\ty\\N\n", str(number)]) for number in range(7))]
LATER = [*MODELS[:-2], model("m5", cost=9), model("new"), model("newer", cost=None)]


def rows_of(host: Host) -> object:
    host.sync(MODELS, [model("v")])
    host.sync(LATER, [])
    own = {"catalog_identity", "seals"}  # of each catalog
    return {name: rows for name, rows in dump(host.engine).items() if name not in own}


def test_it_is_stored_as_if_all_records_had_been_kept(
    host: Host, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    upgrade(database_url)
    other = open_engine(database_url)
    kept = rows_of(Host(other))
    other.dispose()
    monkeypatch.setattr(lazy_records, "KEPT_BYTES", 0)
    for module in (batches, write):
        monkeypatch.setattr(module, "BATCH_SIZE", 3)

    assert rows_of(host) == kept
