"""The differences between two models: events for people, and row changes."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

import pytest

from sync.catalog.changes.diff import RowChanges, events_between, row_changes
from sync.catalog.json.paths import dotted
from sync.catalog.model.entities import ENTITIES, TABLES
from tests.support.made_responses import model, record, spelled, tree

Change = tuple[str, str | None, str, str | None, str | None]


def events(old: Mapping[str, object], new: Mapping[str, object]) -> list[Change]:
    """The events between two models of which only these fields differ."""
    found = events_between(tree({"id": "a", **old}), tree({"id": "a", **new}))
    return [(event.entity, event.field, event.kind, event.old_value, event.new_value) for event in found]


@pytest.mark.parametrize(
    ("old", "new", "kind", "texts"),
    [
        (3, 1.5, "decrease", ("3", "1.5")),
        (1.5, 3, "increase", ("1.5", "3")),
        (None, 0, "cost_set", (None, "0")),
        (0, None, "cost_unset", ("0", None)),
    ],
)
def test_a_cost_that_changes_is_one_event_with_both_costs(
    old: object, new: object, kind: str, texts: tuple[str | None, str | None]
) -> None:
    (event,) = events_between(tree(model(cost=old)), tree(model(cost=new)))

    assert (event.entity, event.field, event.kind) == ("credits", "default_cost", kind)
    assert (event.old_value, event.new_value) == texts
    assert event.cost is not None
    assert (event.cost.old, event.cost.new) == texts


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ({"name": "A"}, {"name": "B"}, ("models", "name", "changed", '"A"', '"B"')),
        ({}, {"tags": ["b", "a"]}, ("models", "tags", "changed", None, '["a","b"]')),
        ({"x": {"y": 1}}, {"x": {"y": 2}}, ("models", "x.y", "changed", "1", "2")),
        ({"x": {"a.b": {"c\\d": 1}}}, {"x": {"a.b": {}}}, ("models", "x.a\\.b.c\\\\d", "changed", "1", None)),
        ({"x": 1}, {"x": {"y": 1}}, ("models", "x", "changed", "1", '{"y":1}')),
        (
            {"credits": {"notes": "a"}},
            {"credits": {"notes": ""}},
            ("credits", "notes", "changed", '"a"', '""'),
        ),
        ({"params": {}}, {"params": {"seed": {"min": 0}}}, ("params", "seed", "changed", None, '{"min":0}')),
        ({"params": {"seed": 5}}, {"params": {}}, ("params", "seed", "changed", "5", None)),
        (
            {"params": {"seed": {"min": 0}}},
            {"params": {"seed": {"min": 1}}},
            ("params", "seed.min", "changed", "0", "1"),
        ),
        (
            {"capabilities": {"a": {"b": [1, 2]}}},
            {"capabilities": {"a": {"b": [2, 3]}}},
            ("capabilities", "a.b", "changed", "[1,2]", "[2,3]"),
        ),
        ({}, {"capabilities": {}}, ("capabilities", None, "changed", None, "{}")),
        ({}, {"capabilities": {"a": 1}}, ("capabilities", "a", "changed", None, "1")),
        ({"capabilities": {"a": 1}}, {}, ("capabilities", "a", "changed", "1", None)),
        (
            {"raw_available_params": {"a": 1}},
            {"raw_available_params": {"a": 2}},
            ("raw_available_params", "a", "changed", "1", "2"),
        ),
        (
            {"raw_available_params": [1]},
            {"raw_available_params": "a"},
            ("raw_available_params", None, "changed", "[1]", '"a"'),
        ),
        (
            {"inputs": {"optional": ["a"]}},
            {"inputs": {"optional": ["a", "b"]}},
            ("inputs", "optional", "changed", '["a"]', '["a","b"]'),
        ),
    ],
)
def test_a_field_that_changes_is_one_event(
    old: dict[str, object], new: dict[str, object], expected: tuple[object, ...]
) -> None:
    assert events(old, new) == [expected]


def test_every_field_that_changes_is_an_event_in_the_order_of_entities_and_paths() -> None:
    old = {"name": "A", "credits": {"default_cost": 1}, "params": {"b": 1, "a": 1}}
    new = {"description": "", "name": "B", "credits": {"default_cost": 2, "notes": "n"}, "params": {"c": 1}}

    assert [(entity, field) for entity, field, *_ in events(old, new)] == [
        ("models", "description"),
        ("models", "name"),
        ("credits", "default_cost"),
        ("credits", "notes"),
        ("params", "a"),
        ("params", "b"),
        ("params", "c"),
    ]


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [
        ({"rules": ["one_of:a"]}, {"rules": ["one_of:b"]}, "rules"),
        ({"rules": []}, {"rules": ["one_of:a"]}, "rules"),
        ({}, {"rules": ["one_of:a"]}, "rules"),
        ({"rules": "one_of:a"}, {}, "rules"),
        ({"optional": ["seed", "one_of:a"]}, {"optional": ["seed"]}, "optional"),
        ({"any": {"rule": "one_of:a"}}, {"any": {"rule": "one_of:b"}}, "any.rule"),
        ({"one_of:a": True}, {}, "one_of:a"),
        ({}, {"any": {"one_of:a": {}}}, "any"),
    ],
)
def test_a_rule_that_changes_is_an_event_of_input_rules(
    old: dict[str, object], new: dict[str, object], field: str
) -> None:
    found = events({"inputs": old}, {"inputs": new})

    assert [event[1] for event in found if event[0] == "input_rules"] == [field]


def test_names_and_rules_that_change_in_one_list_are_two_events() -> None:
    found = events(
        {"inputs": {"optional": ["seed", "one_of:a"]}}, {"inputs": {"optional": ["image", "one_of:a", "one_of:b"]}}
    )

    assert found == [
        ("input_rules", "optional", "changed", '["one_of:a"]', '["one_of:a","one_of:b"]'),
        ("inputs", "optional", "changed", '["seed"]', '["image"]'),
    ]


def test_a_rule_deep_in_a_list_is_an_event_beside_the_one_of_the_list() -> None:
    found = events({"inputs": {"x": [{"rule": "one_of:a"}]}}, {"inputs": {"x": [{"rule": "one_of:b"}]}})

    assert found == [
        ("input_rules", "x", "changed", '["one_of:a"]', '["one_of:b"]'),
        ("inputs", "x", "changed", '[{"rule":"one_of:a"}]', '[{"rule":"one_of:b"}]'),
    ]


def test_names_that_change_beside_a_rule_are_no_event_of_input_rules() -> None:
    found = events({"inputs": {"optional": ["one_of:a"]}}, {"inputs": {"optional": ["one_of:a", "seed"]}})

    assert found == [("inputs", "optional", "changed", None, '["seed"]')]


def test_a_model_of_the_same_meaning_has_no_events() -> None:
    old = {**model(cost=spelled("5.000")), "capabilities": {"a": [1, 2], "b": None}, "inputs": {"rules": ["one_of:a"]}}
    new = {**model(cost=5), "capabilities": {"a": [2, 1, 2]}, "inputs": {"rules": ["one_of:a", "one_of:a"]}}

    assert list(events_between(tree(old), tree(new))) == []
    assert row_changes(record(old), record(new)) == ()


def test_rows_are_inserted_updated_and_deleted_by_their_key() -> None:
    old = record(model(params={"a": 1, "b": {"min": 1}, "c": 3}))
    new = record(model(params={"a": 1, "b": {"min": 2}, "d": [1]}))

    assert row_changes(old, new) == (
        RowChanges(
            "params",
            inserts=(("d", None, None, None, None, None, "[1]"),),
            updates=(("b", None, None, "2", None, None, '{"min":2}'),),
            deletes=(("c",),),
        ),
        RowChanges("param_options", inserts=(("d", 0, "1"),)),
    )


def test_a_field_without_a_table_moves_no_row() -> None:
    assert row_changes(record(model()), record(model(name="other", tags=[1], raw_available_params={"a": 1}))) == ()


def test_all_rows_come_with_a_model_and_go_with_it() -> None:
    inputs = {"required": ["p"], "rules": ["one_of:p"]}
    fields = {"credits": {"tier": 1}, "params": {"a": [1]}, "inputs": inputs, "capabilities": {"x": 1}}
    whole = record({**model(), **fields})
    tables = [shape.table for shape in TABLES]

    assert [change.table for change in row_changes(None, whole)] == tables
    assert [len(change.inserts) for change in row_changes(None, whole)] == [1] * len(tables)
    assert [len(change.deletes) for change in row_changes(whole, None)] == [1] * len(tables)


@pytest.mark.parametrize(
    ("old", "new", "figures"),
    [
        (2, 3, (Decimal(1), Decimal(50))),
        (spelled("2.50"), 2, (Decimal("-0.5"), Decimal(-20))),
        (0, 2, (Decimal(2), None)),
        (-4, 4, (Decimal(8), Decimal(-200))),
        ([{"cost": 9, "size": "4K"}], [{"cost": 45, "size": "4K"}], (Decimal(36), Decimal(400))),
        ([{"a": [{"b": 1}]}, "x"], [{"a": [{"b": 3}]}, "x"], (Decimal(2), Decimal(200))),
        ([{"cost": 9}, {"cost": 5}], [{"cost": 5}, {"cost": 9}], (None, None)),
        ([{"cost": 9}], [{"cost": 45}, {"cost": 1}], (None, None)),
        ([{"cost": 9}], [{"price": 45}], (None, None)),
        ([4, 8], [4, 9], (None, None)),
        (2, "3", (None, None)),
        (None, 3, (None, None)),
        (spelled("1e12"), 3, (None, None)),
        (spelled("1e-999"), 3, (None, None)),
        (spelled("-9e11"), spelled("9e11"), (None, Decimal(-200))),
    ],
)
def test_a_number_that_changes_beside_the_cost_has_its_delta_and_percent(
    old: object, new: object, figures: tuple[Decimal | None, Decimal | None]
) -> None:
    before, after = ({**model(), "credits": {"default_cost": 3, "tier": value}} for value in (old, new))
    (event,) = events_between(tree(before), tree(after))

    assert (event.entity, event.field, event.kind, event.cost) == ("credits", "tier", "changed", None)
    assert event.values()[3:4] + event.values()[6:] == (0, None, None, None, None, *figures)


def test_a_number_elsewhere_has_no_delta() -> None:
    (event,) = events_between(tree(model(params={"max": 1})), tree(model(params={"max": 2})))

    assert event.values()[6:] == (None,) * 6


def test_a_run_of_the_first_rules_gave_no_delta_beside_the_cost() -> None:
    before, after = ({**model(), "credits": {"default_cost": 3, "tier": value}} for value in (2, 3))
    (event,) = events_between(tree(before), tree(after), 1)

    assert event.values()[6:] == (None,) * 6


def test_a_run_of_the_first_rules_took_an_address_for_a_rule() -> None:
    before, after = (tree({"id": "a", "inputs": {"examples": [f"https://host/{name}"]}}) for name in "ab")

    assert [event.entity for event in events_between(before, after, 1)] == ["input_rules"]
    assert [event.entity for event in events_between(before, after)] == ["inputs"]


def test_a_value_under_a_key_too_long_for_a_column_changes_as_a_whole() -> None:
    key = "x" * 256

    assert events({"params": {key: {"a": 1, "b": 1}}}, {"params": {key: {"a": 2, "b": 2}}}) == [
        ("params", key, "changed", '{"a":1,"b":1}', '{"a":2,"b":2}')
    ]


@pytest.mark.parametrize(("one", "other"), [("\0", "\\u0000"), ("\ud800", "\\ud800")])
def test_a_key_that_no_database_stores_has_a_path_of_its_own(one: str, other: str) -> None:
    assert dotted((one,)).isascii()
    assert dotted((one,)) != dotted((other,))


def test_each_field_has_one_entity() -> None:
    fields = [entity.field for entity in ENTITIES]

    assert len(set(fields)) == len(fields)


def test_a_path_is_dotted_with_escapes() -> None:
    assert dotted(("a.b", "c\\", "d")) == "a\\.b.c\\\\.d"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ([{"a": 1}, "one_of:x"], ["one_of:x", {"a": 1}]),
        ([{"a": 1}, "one_of:x"], [{"a": 1}, "one_of:x", "one_of:x"]),
    ],
)
def test_a_rule_that_only_changed_its_place_is_an_event_of_the_inputs(old: list[object], new: list[object]) -> None:
    (event,) = events({"inputs": {"rules": old}}, {"inputs": {"rules": new}})

    assert event[:3] == ("inputs", "rules", "changed")
