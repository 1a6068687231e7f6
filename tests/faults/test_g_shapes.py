"""Fault G11 and its kind: parts of models in unknown shapes, and prices that change beside the cost."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.support.api_catalogs import model
from tests.support.commands import error_line, output
from tests.support.synced_database import LISTED, VIDEO, SyncedDatabase, image, video

NOTE = "SELECT note FROM sync_runs ORDER BY run_id DESC"
PRICES = "SELECT path, value, value_number FROM v_model_credit_details ORDER BY path"
LONG = "x" * 256


def doubled(**fields: Any) -> list[dict[str, Any]]:
    """The models of run 1 at twice their cost, each with these fields."""
    return [{**model(one["id"], one["credits"]["default_cost"] * 2), **fields} for one in LISTED]


def with_prices(**prices: Any) -> list[dict[str, Any]]:
    return [{**LISTED[0], "credits": {**LISTED[0]["credits"], **prices}}, *LISTED[1:]]


def test_g11_params_as_a_list_are_read_while_every_cost_doubles(synced: SyncedDatabase) -> None:
    synced.succeeds(image=image(doubled(params=[{"name": "ar", "options": ["1:1"]}])))

    assert synced.costs() == {one["id"]: str(one["credits"]["default_cost"] * 2) for one in LISTED}
    assert synced.query("SELECT DISTINCT param_name, option_value FROM v_model_params") == [("ar", "1:1")]
    assert synced.query(NOTE)[0] == (None,)


@pytest.mark.parametrize("part", ["params", "inputs", "capabilities"])
@pytest.mark.parametrize("shape", [5, "x", [["a"]], [5]], ids=str)
def test_g11_an_unknown_shape_rejects_nothing_and_is_noted_once(
    synced_sqlite: SyncedDatabase, part: str, shape: object
) -> None:
    sent = image(doubled(**{part: shape}))
    printed = synced_sqlite.succeeds(image=sent)

    note = (
        f"{part} of 4 image models have a shape that is not recognised and gave no rows:"
        " acme/image-0, acme/image-1, acme/image-2 and 1 more"
    )
    assert note in printed
    assert synced_sqlite.query(NOTE)[0] == (note,)
    assert set(synced_sqlite.events()) == {"increase", "changed"}
    assert synced_sqlite.query(f"SELECT COUNT(*) FROM {part}") == [(0,)]
    synced_sqlite.succeeds(image=sent)
    assert synced_sqlite.query(NOTE)[0] == (None,)


@pytest.mark.parametrize("name", ["", LONG, "a\0b", "\ud800"], ids=["empty", "long", "NUL", "surrogate"])
def test_g11_a_name_that_cannot_be_a_key_gives_no_row_and_is_noted(synced: SyncedDatabase, name: str) -> None:
    odd = {"params": {name: 1, "b": 2}, "inputs": {"required": [name, "b"]}, "capabilities": {name: 1, "b": 1}}
    synced.succeeds(image=image([{**LISTED[0], **odd, "credits": {"default_cost": 1, name: 7, "b": 2}}, *LISTED[1:]]))

    for column in ("param_name FROM params", "input_name FROM inputs", "capability FROM capabilities"):
        assert synced.query(f"SELECT {column}") == [("b",)]
    assert synced.query(PRICES) == [("b", "2", 2)]
    (note,) = synced.query(NOTE)[0]
    for part in ("params", "inputs", "capabilities", "credits"):
        assert f"{part} of 1 image model have names that cannot be keys" in note


@pytest.mark.parametrize("field", ["name", "provider", "description"])
def test_g11_a_text_of_another_type_is_null_and_noted(synced: SyncedDatabase, field: str) -> None:
    synced.succeeds(image=image([{**LISTED[0], field: {"en": "x"}}, *LISTED[1:]]))

    assert synced.query(f"SELECT {field} FROM models WHERE model_id = 'acme/image-0'") == [(None,)]
    assert synced.query(NOTE)[0] == (f"{field} of 1 image model is not a text and gave no value: acme/image-0",)


HOSTILE = [
    *([], "", True, [None], [[]], {"": 1}, {LONG: 1}, {"a\0b": 1}, {"\ud800": 1}, {"a.b": {"c\\": 1}}),
    *([{"name": LONG}], [{"name": "a"}, {"name": "a", "max": 1}], {"a": {"range": [10**500, 1]}}),
    {"a": {"type": "t\0y", "default": "\ud800", "min": "\0", "enum": ["\0", "\ud800", "", None, 0.1, 10**500]}},
    {"e": 1, "E": 2, "\u00e9": 3, "e\u0301": 4, "e ": 5, " e": 6, "\u00df": 7, "ss": 8, "\U0001f600": [["e", "E"]]},
    {"required": ["e", "E", "\u00e9", "e ", "\0"], "optional": {"a": {}}, "k" * 255: [["a", "b"]]},
    {"properties": {"a": {"type": ["integer", "null"]}, "b": True}, "required": "a"},
    {"a": [{"b": [[1, {"c": -1e300}], "1e5"]}, 999999999999.9999999999999]},
]


def in_every_section(value: Any, number: int) -> dict[str, Any]:
    prices = value if isinstance(value, dict) else {"x": value}
    sections = dict.fromkeys(("params", "inputs", "capabilities", "raw_available_params"), value)
    return {**model(f"odd/{number}", number), **sections, "credits": {**prices, "default_cost": number}}


def test_g11_hostile_shapes_are_stored_again_in_silence_and_printed(synced: SyncedDatabase) -> None:
    odd = [in_every_section(value, number) for number, value in enumerate(HOSTILE)]
    synced.succeeds(image=image([*LISTED, *odd]))
    synced.succeeds(image=image([*LISTED, *(dict(reversed(one.items())) for one in odd)]))
    assert synced.query("SELECT COUNT(*) FROM catalog_changes WHERE run_id = 3") == [(0,)]
    synced.succeeds(image=image([*LISTED, *(in_every_section(odd, at) for at, odd in enumerate(reversed(HOSTILE)))]))

    for command in (["models"], ["changes"], *(["show", one["id"]] for one in odd)):
        assert output(synced.shell(*command))
        assert json.loads(output(synced.shell(*command, "--json")))
    for name in ("models", "changes"):
        assert output(synced.shell(name, "--csv"))


def test_show_prints_the_numbers_of_raw_params_exactly(synced_sqlite: SyncedDatabase) -> None:
    sent = {"steps": [1, 0.1, -2], "scale": 1e300, "seed": 12345678901234567890123}
    synced_sqlite.succeeds(image=image([{**LISTED[0], "raw_available_params": sent}, *LISTED[1:]]))

    (shown,) = json.loads(output(synced_sqlite.shell("show", "acme/image-0", "--json")))
    assert shown["raw_available_params"] == {**sent, "steps": [-2, 0.1, 1]}


def test_g11_a_key_that_is_too_long_elsewhere_rejects_its_model(synced_sqlite: SyncedDatabase) -> None:
    line = error_line(synced_sqlite.sync(image=image([{**LISTED[0], "tags": {LONG: 1}}, *LISTED[1:]])), 5)

    assert "a key is longer than 255 characters" in line


def test_g11_an_id_in_a_note_cannot_forge_a_line(synced_sqlite: SyncedDatabase) -> None:
    printed = synced_sqlite.succeeds(image=image([*LISTED, {**model("a\nb\x1b[2J"), "params": 5}]))

    assert len(printed.splitlines()) == 1
    assert "gave no rows: a b [2J" in printed


def test_a_price_in_a_list_changes_with_its_delta_while_the_cost_stays(synced: SyncedDatabase) -> None:
    synced.succeeds(image=image(with_prices(tiers=[{"resolution": "1080p", "cost": 9}])))
    synced.succeeds(image=image(with_prices(tiers=[{"resolution": "1080p", "cost": 45}])))

    assert synced.costs()["acme/image-0"] == "1"
    assert synced.query(PRICES) == [("tiers.0.cost", "45", 45), ("tiers.0.resolution", "1080p", None)]
    (change,) = json.loads(output(synced.shell("changes", "--limit", "1", "--json")))
    assert (change["entity"], change["field"], change["change_kind"]) == ("credits", "tiers", "changed")
    assert (change["delta_cost"], change["pct_change"], change["old_cost"]) == ("36", "400", None)
    assert synced.query("SELECT COUNT(*) FROM v_credit_cost_changes WHERE run_id > 1") == [(0,)]


def test_prices_by_duration_change_one_by_one_and_are_found_by_percent(synced: SyncedDatabase) -> None:
    synced.succeeds(image=image(with_prices(per_duration={"4": 2, "12": 5.5})))
    synced.succeeds(image=image(with_prices(per_duration={"4": 3, "12": 5.6, "a.b": None})))

    found = json.loads(output(synced.shell("changes", "--min-pct", "10", "--json")))
    assert [(change["field"], change["delta_cost"], change["pct_change"]) for change in found] == [
        ("per_duration.4", "1", "50")
    ]
    shown = output(synced.shell("show", "acme/image-0"))
    assert "per_duration.12: 5.6" in shown
    assert synced.query(PRICES)[0][:2] == ("per_duration.12", "5.6")


def test_a_number_that_no_column_holds_is_kept_as_text(synced: SyncedDatabase) -> None:
    synced.succeeds(image=image(with_prices(huge=10**30, small=-1.5)))
    synced.succeeds(image=image(with_prices(huge=10**31, small=1.5)))

    assert synced.query(PRICES) == [("huge", "1" + "0" * 31, None), ("small", "1.5", 1.5)]
    changed = "SELECT field, delta_cost, pct_change FROM catalog_changes WHERE run_id = 3 ORDER BY field"
    assert synced.query(changed) == [("huge", None, None), ("small", 3, -200)]


def test_a_change_of_raw_params_that_repeats_one_of_params_is_left_out_of_the_table(synced: SyncedDatabase) -> None:
    for steps in (1, 2):
        entry, other = {"steps": {"max": steps}}, {"steps": {"max": steps}, "seed": steps}
        synced.succeeds(
            image=image([{**LISTED[0], "params": entry, "raw_available_params": other}, *LISTED[1:]]),
            video=video([{**VIDEO[0], "raw_available_params": entry}]),
        )

    table = output(synced.shell("changes", "--entity", "params", "--entity", "raw_available_params"))
    assert table.splitlines()[-1] == (
        "left out: 2 changes of raw_available_params, the same as in params; --json and --csv have all"
    )
    assert len(table.splitlines()) == 1 + 2 + 2 + 2 + 1
    assert "left out" not in output(synced.shell("changes", "--entity", "raw_available_params"))
    assert len(json.loads(output(synced.shell("changes", "--entity", "raw_available_params", "--json")))) == 6
