"""Proofs of histories that were imported, moved to another database, or are older than the seals."""

from __future__ import annotations

import json
from pathlib import Path

from sqlalchemy import Engine, delete, update

from models_db import migrate
from models_db.tables import catalog_identity, seals, sync_run_modes, sync_state
from tests.cli.proofs.conftest import ProvenCatalog, hour
from tests.models_db.first_release import create_first_release
from tests.support.commands import output
from tests.support.database_contents import query_rows
from tests.support.made_responses import body, model


def forget_seals(engine: Engine) -> None:
    """Leaves the database as it was upgraded from a version without seals."""
    with engine.begin() as connection:
        connection.execute(delete(seals))
        connection.execute(update(catalog_identity).values(tree_size=0, frontier=None))
        for table in (sync_run_modes, sync_state):
            connection.execute(update(table).values(listed_root=None))


def test_imported_responses_are_proved_at_their_times(proven: ProvenCatalog, tmp_path: Path) -> None:
    lines = [
        {"at": "2026-01-01T10:00:00Z", "image": json.loads(body("image", [model("a", cost=1), model("b")]))},
        {"at": "2026-01-02T10:00:00Z", "image": json.loads(body("image", [model("a", cost=2)]))},
        {"at": "2026-01-03T10:00:00Z", "image": json.loads(body("image", [model("a", cost=2)]))},
    ]
    (tmp_path / "saved.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    output(proven.shell("import", str(tmp_path / "saved.jsonl")))

    claims = [proven.prove("a", at) for at in ("2026-01-01T11:00Z", "2026-01-02T11:00Z", "2026-01-04")]

    assert [(claim["credit_cost_exact"], claim["observed_at"][:10]) for claim in claims] == [
        ("1", "2026-01-01"),
        ("2", "2026-01-02"),
        ("2", "2026-01-03"),
    ]
    assert "was not listed at 2026-01-02 10:00:00 UTC: it was removed at" in proven.refused("b", "2026-01-02T10:00Z")


def test_a_history_that_was_moved_is_proved_under_the_new_catalog(proven: ProvenCatalog, tmp_path: Path) -> None:
    proven.sync(model("a", cost=1))
    proven.sync(model("a", cost=2))
    proven.sync(model("a", cost=2))
    output(proven.shell("export", str(tmp_path / "history.jsonl")))
    migrate.upgrade(f"sqlite:///{tmp_path / 'moved.db'}")
    proven.shell.set(DATABASE_URL=f"sqlite:///{tmp_path / 'moved.db'}")
    output(proven.shell("import", str(tmp_path / "history.jsonl")))

    assert proven.cost("a", hour(10)) == ("1", "10:00")
    assert proven.cost("a", hour(13)) == ("2", "12:00")


def test_a_time_before_the_first_seal_is_refused_with_that_of_the_first_seal(proven: ProvenCatalog) -> None:
    proven.sync(model("a", cost=1))
    proven.sync(model("a", cost=1))
    forget_seals(proven.host.engine)
    assert "until then has a seal, and there is none yet: run catalog-sync sync" in proven.refused("a", "0s")

    proven.sync(model("a", cost=1))

    assert proven.cost("a", "0s") == ("1", "12:00")
    line = proven.refused("a", hour(11))
    assert line == (
        "catalog-sync: image model 'a' cannot be proved at 2026-03-01 11:30:00 UTC: no run that observed it until then"
        " has a seal, and the first one on record is of 2026-03-01 12:00:02 UTC; give a later time"
    )


def test_a_history_of_the_first_release_is_proved_from_its_next_run_on(proven: ProvenCatalog, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'first.db'}"
    create_first_release(url)
    migrate.upgrade(url)
    proven.shell.set(DATABASE_URL=url)
    [(model_id, mode)] = query_rows(url, "SELECT model_id, mode FROM v_current_catalog ORDER BY mode, model_id LIMIT 1")
    listed = query_rows(
        url,
        "SELECT raw FROM model_versions JOIN models ON models.model_pk = model_versions.model_pk"
        f" WHERE mode = '{mode}' AND valid_to IS NULL",
    )
    assert "has a seal" in proven.refused(model_id, "0s", "--mode", mode)
    (tmp_path / "saved.jsonl").write_text(
        json.dumps({"at": "2026-10-01T10:00:00Z", mode: json.loads(body(mode, [json.loads(raw) for (raw,) in listed]))})
    )

    output(proven.shell("import", str(tmp_path / "saved.jsonl")))

    claim = proven.prove(model_id, "2026-10-02", "--mode", mode)
    assert claim["observed_at"] == "2026-10-01T10:00:00.000000Z"


def test_an_imported_history_of_the_first_release_is_proved_although_its_runs_counted_no_listed_models(
    proven: ProvenCatalog, tmp_path: Path
) -> None:
    url = f"sqlite:///{tmp_path / 'first.db'}"
    create_first_release(url)
    migrate.upgrade(url)
    proven.shell.set(DATABASE_URL=url)
    output(proven.shell("export", str(tmp_path / "first.jsonl")))
    proven.shell.set(DATABASE_URL=str(proven.host.engine.url))
    output(proven.shell("import", str(tmp_path / "first.jsonl")))

    assert proven.cost("a", hour(11), "--mode", "image") == ("1.5", "11:00")
    assert json.loads(proven.proof.read_text())["listed"]["size"] == 8
