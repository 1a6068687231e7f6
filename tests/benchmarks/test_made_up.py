"""What is measured is made up, and must be what the page says of it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from itertools import islice

import pytest
from sqlalchemy import Engine

from benchmarks.catalogs import Catalog, envelope, snapshots
from benchmarks.seed_history import seed_history
from models_db.engine import read_transaction
from sync.store.verify.read_models import Verification
from tests.support.run_driver import Host

END = datetime(2026, 3, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
RUNS = 4


@pytest.fixture
def last_catalog(engine: Engine, migrated_url: str) -> Catalog:
    """What the last run of a made-up history saw."""
    catalogs = list(islice(snapshots(1000, changed_share=0.1, is_small=True), RUNS))
    seed_history(migrated_url, catalogs, END - (RUNS - 1) * HOUR)
    return catalogs[-1]


def models_by_id(catalog: Catalog) -> dict[str, object]:
    return {model["id"]: model for model in map(json.loads, (*catalog["image"], *catalog["video"]))}


@pytest.mark.usefixtures("last_catalog")
def test_a_long_history_is_consistent(engine: Engine) -> None:
    with read_transaction(engine) as connection:
        verification = Verification(connection)

        assert list(verification.findings()) == []
        # Three runs change 100 costs each, and two of them list again the model that the run before removed,
        # one of these with a changed cost.
        assert (verification.models, verification.versions, verification.costs) == (1000, 1301, 1301)


def test_a_sync_of_what_is_listed_at_the_end_of_a_long_history_changes_nothing(
    engine: Engine, last_catalog: Catalog
) -> None:
    host = Host(engine, now=END + HOUR)
    image, video = (envelope(mode, last_catalog[mode]) for mode in ("image", "video"))
    result = host.sync(image, video)

    assert result.status == "success"
    assert [len(mode.plan.changes) for mode in result.modes if mode.plan] == [0, 0]


def test_a_model_is_about_two_kilobytes() -> None:
    models = [model for listed in next(snapshots(400)).values() for model in listed]

    assert len(models) == 400
    assert 1900 < sum(map(len, models)) / len(models) < 2100


def test_a_hundredth_of_the_costs_changes_and_a_thousandth_of_the_models_is_removed() -> None:
    series = snapshots(2000)
    first, then = models_by_id(next(series)), models_by_id(next(series))
    changed = [model_id for model_id in then if then[model_id] != first[model_id]]

    assert (len(first) - len(then), len(changed)) == (2, 20)
