"""What is measured is made up, and must be what it says."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine

from benchmarks.catalogs import as_sent, envelope, made_catalog, made_steps
from benchmarks.lives import Shape, last_catalog
from benchmarks.seed_history import fill
from models_db.engine import read_transaction
from sync.store.verify.read_models import Verification
from tests.support.run_driver import Host

END = datetime(2026, 3, 1, tzinfo=UTC)
SHAPE = Shape(models=20, intervals=900, runs=400, raw_bytes=300, end=END)


@pytest.fixture
def grown(engine: Engine, migrated_url: str) -> Engine:
    fill(migrated_url, SHAPE)
    return engine


def test_a_long_history_is_sound(grown: Engine) -> None:
    with read_transaction(grown) as connection:
        verification = Verification(connection)

        assert list(verification.findings()) == []
        assert (verification.models, verification.versions, verification.costs) == (21, 900, 900)


def test_a_sync_of_what_is_listed_at_the_end_of_a_long_history_finds_nothing_changed(grown: Engine) -> None:
    host = Host(grown, now=END + timedelta(hours=1))
    answers = {mode: envelope(mode, models) for mode, models in last_catalog(SHAPE.models).items()}
    result = host.sync(answers["image"], answers["video"])

    assert result.status == "success"
    assert [len(mode.plan.changes) for mode in result.modes if mode.plan] == [0, 0]


def test_a_model_is_about_two_kilobytes() -> None:
    models = [model for listed in as_sent(made_catalog(200)).values() for model in listed]

    assert 1900 < sum(map(len, models)) / len(models) < 2100


def test_a_hundredth_of_the_costs_moves_and_a_thousandth_of_the_models_goes() -> None:
    steps = made_steps(2000)
    first, then = (
        {model["id"]: model for model in map(json.loads, (*c["image"], *c["video"]))}
        for c in (steps.first, steps.changed)
    )
    moved = [model_id for model_id in then if then[model_id] != first[model_id]]

    assert (len(first) - len(then), len(moved)) == (2, 20)
