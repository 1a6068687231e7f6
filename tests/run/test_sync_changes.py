"""What a run writes when models are added, changed, removed and relisted."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from sync.errors import Outcome
from tests.support.made_responses import FULL, body, model, spelled
from tests.support.run_driver import HOUR, SECOND, START, Host, added_rows, column, dump

A, B, C = model("a"), model("b", cost=1), model("c", cost=None)
COSTS = ("change_kind", "old_cost_exact", "new_cost_exact", "delta_cost", "pct_change")
FIRST_SEEN = START + 2 * SECOND


def costs(host: Host) -> list[Any]:
    return column(host.engine, "catalog_changes.field", *COSTS)


def test_a_first_sync_adds_every_model(host: Host) -> None:
    result = host.sync([A, FULL], [B])

    assert (result.status, result.exit_code) == ("success", Outcome.DONE)
    assert result.notes == (
        "NUL or lone surrogates were left out of the columns of 1 image models; their raw text has them",
    )
    assert column(host.engine, "models.mode", "model_id", "name", "first_seen_at", "removed_at") == [
        ("image", "a", "A", FIRST_SEEN, None),
        ("image", "full", "FULL", FIRST_SEEN, None),
        ("video", "b", "B", FIRST_SEEN, None),
    ]
    assert {row[1:] for row in costs(host)} == {("added", None, cost, None, None) for cost in ("3", "5", "1")}


def test_every_part_of_a_model_has_its_rows(host: Host) -> None:
    host.sync([FULL])

    assert column(host.engine, "models.description") == ["ä\ufffd"]
    assert column(host.engine, "credits.default_cost", "default_cost_exact") == [(Decimal(5), "5")]
    assert column(host.engine, "params.param_name", "data_type", "default_value") == [
        ("seed", None, "5"),
        ("size", "string", "1K"),
    ]
    assert column(host.engine, "param_options.param_name", "position", "option_value") == [
        ("size", 0, "1K"),
        ("size", 1, "2K"),
    ]
    assert column(host.engine, "inputs.requirement", "input_name") == [
        ("optional", "image_url"),
        ("required", "prompt"),
    ]
    assert column(host.engine, "input_rules.rule_kind", "rule") == [("one_of", "one_of:prompt,image_url")]
    assert column(host.engine, "capabilities.capability", "position", "value") == [
        ("a\\.b.c", 0, "x"),
        ("audio", 0, "true"),
        ("sizes", 0, "1"),
        ("sizes", 1, "2"),
    ]


def test_a_version_is_the_text_that_was_sent(host: Host) -> None:
    sent = b'{ "id":"a" , "credits": {"default_cost": 5.000}, "name": "\\u00e4\\ud800\\u0000\xc3\xa4" }'
    host.sync(body("image", []).replace(b'"total": 0, "models": []', b'"total": 1, "models": [%b]' % sent))

    assert column(host.engine, "model_versions.raw") == [sent.decode()]


def test_the_same_catalog_again_leaves_no_trace_but_the_run(host: Host) -> None:
    host.sync([A, FULL], [B, C])
    before = dump(host.engine)
    result = host.sync([A, FULL], [B, C])

    assert result.status == "success"
    assert added_rows(before, dump(host.engine)) == {"sync_runs": 1, "sync_run_modes": 2, "seals": 1}


def test_days_without_a_run_are_filled_in_by_the_next(host: Host) -> None:
    host.sync([A])
    before = dump(host.engine)
    host.now += 72 * HOUR
    host.sync([A])

    assert added_rows(before, dump(host.engine)) == {
        "sync_runs": 1,
        "sync_run_modes": 2,
        "seals": 1,
        "calendar_days": 3,
        "watch_days": 2,
    }


def test_the_same_meaning_in_other_words_leaves_no_trace_either(host: Host) -> None:
    host.sync([A, FULL], [B])
    before = dump(host.engine)
    respelled = {
        **dict(reversed(FULL.items())),
        "credits": {"notes": None, **FULL["credits"], "default_cost": spelled("50e-1")},
        "capabilities": {"sizes": [1, 2, spelled("2.0")], "audio": True, "a.b": {"c": "x", "d": None}},
    }
    host.sync([respelled, A], [B])

    assert added_rows(before, dump(host.engine)) == {"sync_runs": 1, "sync_run_modes": 2, "seals": 1}


def test_a_cost_from_3_to_1_5_is_one_decrease_and_nothing_else(host: Host) -> None:
    host.sync([A, B], [C])
    host.sync([A, B], [C])
    before = dump(host.engine)
    host.sync([model("a", cost=1.5), B], [C])
    after = dump(host.engine)

    assert costs(host)[3:] == [("default_cost", "decrease", "3", "1.5", Decimal("-1.5"), Decimal(-50))]
    assert column(host.engine, "credits.default_cost_exact") == ["1.5", "1", None]
    assert column(
        host.engine, "credit_history.valid_from", "valid_to", "default_cost_exact", where={"model_pk": 1}
    ) == [
        (FIRST_SEEN, FIRST_SEEN + 2 * HOUR, "3"),
        (FIRST_SEEN + 2 * HOUR, None, "1.5"),
    ]
    moved = {name for name in before if before[name] != after[name]}
    assert moved == {
        *("models", "credits", "model_versions", "credit_history", "catalog_changes"),
        *("sync_runs", "sync_run_modes", "sync_state", "watch_days", "seals", "catalog_identity"),
    }
    for table in ("models", "credits", "model_versions", "credit_history"):
        assert len([row for row in before[table] if row not in after[table]]) == 1
        assert len(after[table]) - len(before[table]) == (1 if table in {"model_versions", "credit_history"} else 0)


def test_not_before_is_the_begin_of_the_last_successful_fetch(host: Host) -> None:
    host.sync([A])
    host.sync([A])
    host.sync([model("a", cost=4)])

    assert column(host.engine, "catalog_changes.not_before", "changed_at") == [
        (None, FIRST_SEEN),
        (START + HOUR, FIRST_SEEN + 2 * HOUR),
    ]


def test_cost_set_and_unset(host: Host) -> None:
    for cost in (None, 0, spelled("0.0000000000000000000000000000000000000001"), None):
        host.sync([model("a", cost=cost)])

    tiny = "0." + "0" * 39 + "1"
    assert [row[1:4] for row in costs(host)] == [
        ("added", None, None),
        ("cost_set", None, "0"),
        ("increase", "0", tiny),
        ("cost_unset", tiny, None),
    ]


def test_a_removed_model_keeps_its_row_and_its_history(host: Host) -> None:
    host.sync([A, FULL])
    host.sync([A, FULL])
    host.sync([A])

    assert column(host.engine, "models.removed_at", "last_seen_at", where={"model_id": "full"}) == [
        (FIRST_SEEN + 2 * HOUR, FIRST_SEEN + HOUR)
    ]
    assert column(host.engine, "params.param_name") == []
    assert costs(host)[2:] == [(None, "removed", "5", None, None, None)]


def test_a_model_that_is_listed_again_keeps_its_row_and_is_relisted(host: Host) -> None:
    host.sync([A, FULL])
    host.sync([A])
    host.sync([A, {**FULL, "credits": {"default_cost": 4}, "tags": []}])

    assert len(column(host.engine, "models.model_pk")) == 2
    assert costs(host)[3:] == [(None, "relisted", "5", "4", Decimal(-1), Decimal(-20))]
    assert len(column(host.engine, "params.param_name")) == 2


def test_many_fields_that_change_at_once_are_one_event_each(host: Host) -> None:
    host.sync([FULL])
    changed = {
        **FULL,
        "name": "New",
        "params": {"size": {"type": "string", "options": ["2K", "4K"], "default": "2K"}, "fps": 24},
        "inputs": {"required": ["prompt", "seed"], "optional": [], "rules": ["one_of:a", "one_of:b"]},
        "capabilities": {"audio": False},
    }
    host.sync([changed])

    assert column(host.engine, "catalog_changes.entity", "field", "change_kind", where={"is_cost_event": 0}) == [
        ("models", "name", "changed"),
        ("params", "fps", "changed"),
        ("params", "seed", "changed"),
        ("params", "size.default", "changed"),
        ("params", "size.options", "changed"),
        ("inputs", "optional", "changed"),
        ("inputs", "required", "changed"),
        ("input_rules", "rules", "changed"),
        ("capabilities", "a\\.b", "changed"),
        ("capabilities", "audio", "changed"),
        ("capabilities", "sizes", "changed"),
    ]
    assert column(host.engine, "param_options.option_value") == ["2K", "4K"]
    assert column(host.engine, "credit_history.valid_to") == [None]


def test_ids_that_differ_by_case_accent_or_blank_are_different_models(host: Host) -> None:
    ids = ["Foo", "foo", "Foo ", "föö", "fo\u0308o\u0308"]
    host.sync([model(id_) for id_ in ids], [model("foo", cost=9)])
    host.sync([model(id_, cost=7 if id_ == "foo" else 3) for id_ in ids if id_ != "Foo "], [model("foo", cost=9)])

    assert set(column(host.engine, "models.model_id", where={"mode": "image"})) == set(ids)
    assert [row[1:4] for row in costs(host)[6:]] == [("increase", "3", "7"), ("removed", "3", None)]


def test_a_model_that_moves_to_the_other_mode_is_removed_and_added(host: Host) -> None:
    host.sync([A, B, C], [])
    host.sync([A, B], [C])

    assert column(host.engine, "catalog_changes.change_kind")[3:] == ["removed", "added"]


def test_rows_of_another_normaliser_are_rebuilt_by_the_very_same_response(host: Host) -> None:
    """A response with the bytes of the last one is compared with the stored models like any other."""
    host.sync([A, B])
    before = dump(host.engine)
    with host.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE models SET fingerprint = '0:of another program' WHERE model_id = 'a'")
        connection.exec_driver_sql("UPDATE credits SET default_cost_exact = '99' WHERE default_cost_exact = '3'")

    host.sync([A, B])
    after = dump(host.engine)
    assert {name: after[name] for name in ("models", "credits", "catalog_changes")} == {
        name: before[name] for name in ("models", "credits", "catalog_changes")
    }
