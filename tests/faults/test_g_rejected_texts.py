"""Faults G10 and G11: texts of rejected models, models without a readable id, and saved responses."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.faults.rejected_models import EVENTS, GOOD, NEGATIVE, OPEN, ROWS, bad, reject, starts, with_first
from tests.support.api_catalogs import model, numbered_models
from tests.support.commands import error_line, output
from tests.support.database_contents import query_rows
from tests.support.synced_database import LISTED, SyncedDatabase, image
from tests.support.verified_contents import require_consistent


@pytest.mark.parametrize(
    "unreadable",
    [
        {"name": "no id"},
        model("a\0b"),
        model("x" * 256),
        model("a\ud800"),
        model(""),
        ["a"],
        7,
    ],
)
def test_g10_a_model_without_a_readable_id_is_known_by_its_text(synced: SyncedDatabase, unreadable: Any) -> None:
    reject(synced, *LISTED[:1], unreadable)
    synced.succeeds(image=image(with_first(unreadable)))

    # Any model may be this one, so nothing is good and nothing is removed.
    assert synced.query(GOOD) == [(1,), (0,), (0,)]
    assert synced.query(OPEN)[0][::3] == ("image", json.dumps(unreadable))
    assert synced.query(OPEN)[0][1] is None
    assert len(synced.costs()) == 4
    error_line(synced.sync(image=image(with_first({"name": "another"}))), 5)
    assert len(synced.query(OPEN)) == 1


def test_g10_two_rejected_copies_of_a_model_are_two_rows(synced: SyncedDatabase) -> None:
    reject(synced, bad(-1), bad(-2))
    synced.succeeds(image=image(with_first(bad(-1), bad(-2))))
    assert len(synced.query(OPEN)) == 2
    synced.succeeds(image=image(with_first(bad(-2))))
    assert len(synced.query(OPEN)) == 1
    synced.succeeds(image=image(with_first(model("acme/image-0", 5))))

    assert synced.query(EVENTS) == [("acme/image-0", "increase", starts(synced)[1], 5)]


def test_g10_texts_are_kept_with_their_escapes_up_to_3_mib(synced: SyncedDatabase) -> None:
    hostile = bad(description="ä\U0001f600\0\ud800\\", **{"\0": 1, "\ud800": "\u2028"})
    large = model("acme/large", -1, description=["x" * 1_000_000] * 3 + ["y" * 145_000])
    larger = model("acme/larger", 1, description=["x" * 1_000_000] * 4)
    error_line(synced.sync(image=image([*with_first(hostile), large, larger])), 5)

    kept = {row[1]: row[3] for row in synced.query(OPEN)}
    assert kept["acme/image-0"] == json.dumps(hostile)
    assert kept["acme/large"] == json.dumps(large)
    assert kept["acme/larger"] is None


def test_g10_a_hostile_value_is_noted_in_one_line(synced: SyncedDatabase) -> None:
    hostile = bad("\0\ud800\u202e\n'; DROP TABLE models --", **{"x\0": 1})
    twin = model("acme/image-1\u202e", "\0\ud800\u202e\n")
    reject(synced, hostile, twin)
    synced.succeeds(image=image(with_first(hostile, twin)))

    ((note,),) = synced.query("SELECT note FROM sync_runs WHERE run_id = 3")
    assert note.isprintable()
    assert "2 image models stay rejected" in note
    assert "is rejected since" in output(synced.shell("status"))


def test_g10_an_import_stores_each_line_and_reports_what_is_new_at_the_end(synced_sqlite: SyncedDatabase) -> None:
    lines = []
    for minute, models in enumerate((with_first(bad()), with_first(bad(-2)), LISTED, with_first(bad("x")))):
        data = {"mode": "image", "total": len(models), "models": models}
        lines.append(json.dumps({"at": f"2026-01-01T00:{minute:02}:00Z", "image": {"ok": True, "data": data}}))
    file = synced_sqlite.home / "lines.jsonl"
    file.write_text("\n".join(lines) + "\n")
    url = f"sqlite:///{synced_sqlite.home / 'second.db'}"
    synced_sqlite.shell.set(DATABASE_URL=url)
    output(synced_sqlite.shell("migrate"))
    line = error_line(synced_sqlite.shell("import", str(file)), 5)

    assert line.count("models were rejected") == 2
    assert [row[0] for row in query_rows(url, "SELECT reason FROM rejected_models ORDER BY valid_from")] == [
        NEGATIVE,
        NEGATIVE,
        "credits.default_cost is not a number",
    ]
    require_consistent(url)


def test_g11_a_shape_that_nobody_knows_rejects_no_model_while_costs_move(synced: SyncedDatabase) -> None:
    odd: Any = [{"odd": ["shape", {"x": [[1]]}]}, 7, None]
    models = [{**each, "params": odd, "inputs": odd, "capabilities": odd} for each in numbered_models(4)]
    for each in models:
        each["credits"] = {"default_cost": each["credits"]["default_cost"] * 2}
    synced.succeeds(image=image(models))

    assert set(synced.costs().values()) == {"2", "4", "6", "8"}
    assert synced.query(ROWS) == []
