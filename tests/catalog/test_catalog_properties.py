"""What holds for every catalog, not only for the ones somebody thought of."""

from __future__ import annotations

import random
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from sync.catalog.changes.diff import Event, RowChanges, events_between, row_changes
from sync.catalog.changes.mode_plan import ModePlan
from sync.catalog.changes.plan import ModeWatermark
from sync.catalog.changes.stored import Listed
from sync.catalog.json.decoder import decode_object
from sync.catalog.json.paths import differences
from sync.catalog.json.tree import MAX_KEY_CHARACTERS, Tree, canonical_json, is_storable
from sync.catalog.model.entities import MODELS, TABLES
from sync.catalog.model.normalise import normalise
from sync.catalog.model.records import Record, Row
from sync.catalog.response.parse import parse_response, split_by_mode
from sync.catalog.response.parsed import ParsedResponse
from sync.errors import CatalogSyncError
from tests.support.made_plans import plan_of
from tests.support.made_responses import parsed_response, record, stored_as
from tests.support.model_strategies import catalogs, damaged, models, rewritten, values, written

# No deadline: a busy machine is no failure. The same examples in every run: a red run can be repeated.
checked = settings(deadline=None, derandomize=True, max_examples=100)
few = settings(checked, max_examples=50)
chances = st.randoms(use_true_random=False)
FIELDS = ("id", "name", "provider", "credits", "capabilities", "inputs", "params", "raw_available_params", "x")


def taken(value: Any) -> Record:
    return record(written(value).encode())


def sent(catalog: Iterable[Any]) -> ParsedResponse:
    return parsed_response([written(one).encode() for one in catalog])


def plan(whole: ParsedResponse, known: list[Any]) -> ModePlan:
    """The plan for a response that follows a catalog."""
    stored = {one["id"]: stored_as(taken(one), pk) for pk, one in enumerate(known, start=1)}
    listed = {id_: Listed(one.model_pk, str(one.fingerprint)) for id_, one in stored.items()}
    return plan_of(whole, listed, stored, ModeWatermark(), accept=True)


def put(root: dict[str, Tree], path: tuple[str, ...], value: Tree | None) -> None:
    """Sets or removes one value in nested objects, and makes the parents that are missing."""
    *parents, last = path
    for key in parents:
        below = root.setdefault(key, {})
        assert isinstance(below, dict)
        root = below
    if value is None:
        del root[last]
    else:
        root[last] = value


def keys_of(field: str) -> tuple[str, ...]:
    """A dotted path taken apart again."""
    keys, rest = [""], iter(field)
    for char in rest:
        if char == ".":
            keys.append("")
        elif char == "\\" and (escaped := next(rest)) == "u":
            keys[-1] += chr(int("".join(next(rest) for _ in range(4)), 16))
        else:
            keys[-1] += escaped if char == "\\" else char
    return tuple(keys)


def replay(old: dict[str, Tree], events: Iterable[Event]) -> dict[str, Tree]:
    """The new tree from the old one and the events, read as a person would."""
    tree = decode_object(canonical_json(old))
    for event in events:
        entity = () if event.entity == "models" else (event.entity,)
        path = (*entity, *(keys_of(event.field) if event.field is not None else ()))
        put(tree, path, None if event.new_value is None else decode_object(f'{{"v":{event.new_value}}}')["v"])
    return tree


def without_empty_sections(tree: dict[str, Tree]) -> dict[str, Tree]:
    """An entity that lost all its fields and one that went altogether have the same events."""
    return {key: value for key, value in tree.items() if value != {}}


def apply(rows: tuple[Row, ...], change: RowChanges, width: int) -> set[Row]:
    by_key = {row[:width]: row for row in rows}
    assert set(change.deletes) <= set(by_key)
    assert not {row[:width] for row in change.inserts} & set(by_key)
    assert {row[:width] for row in change.updates} <= set(by_key)
    kept = {key: row for key, row in by_key.items() if key not in change.deletes}
    kept |= {row[:width]: row for row in (*change.updates, *change.inserts)}
    return set(kept.values())


@checked
@given(models(), models())
def test_the_differences_put_into_the_old_model_give_the_new_one(old: Any, new: Any) -> None:
    before, after = taken(old).tree, taken(new).tree
    tree = decode_object(canonical_json(before))
    for path, _, value in differences(before, after):
        put(tree, path, value)

    assert tree == after


@checked
@given(models(), models())
def test_the_events_put_into_the_old_model_give_the_new_one(old: Any, new: Any) -> None:
    before, after = taken({**old, "inputs": None}).tree, taken({**new, "inputs": None}).tree

    assert without_empty_sections(replay(before, events_between(before, after))) == without_empty_sections(after)


@checked
@given(models(), models())
def test_the_row_changes_put_into_the_old_rows_give_the_new_ones(old: Any, new: Any) -> None:
    before, after = taken(old), taken(new)
    changes = {change.table: change for change in row_changes(before, after)}

    for shape in TABLES:
        change = changes.get(shape.table, RowChanges(shape.table))
        assert apply(before.rows[shape.table], change, len(shape.key)) == set(after.rows[shape.table])


@checked
@given(models(), models())
def test_rows_move_only_where_an_event_says_so(old: Any, new: Any) -> None:
    before, after = taken(old), taken(new)
    named = {event.entity for event in events_between(before.tree, after.tree)}
    owners = {"param_options": {"params"}, "credit_details": {"credits"}, "input_rules": {"inputs", "input_rules"}}
    moved = [owners.get(change.table, {change.table}) for change in row_changes(before, after)]

    assert [tables for tables in moved if not tables & named] == []


@checked
@given(models())
def test_every_row_of_a_model_has_a_key_of_its_own(one: Any) -> None:
    rows = taken(one).rows

    for shape in TABLES:
        keys = [row[: len(shape.key)] for row in rows[shape.table]]
        assert len(set(keys)) == len(keys)


@checked
@given(models())
def test_whatever_is_sent_beside_id_mode_and_cost_rejects_no_model_and_can_be_stored(one: Any) -> None:
    made = taken(one)

    for shape in (MODELS, *TABLES):
        for row in made.rows[shape.table]:
            assert all(is_storable(value) for value in row if isinstance(value, str))
            assert all(0 < len(str(value)) <= MAX_KEY_CHARACTERS for value in row[: len(shape.key)])
    assert {row[0] for row in made.rows["param_options"]} <= {row[0] for row in made.rows["params"]}
    assert {row[0] for row in made.rows["inputs"]} <= {"required", "optional"}


@checked
@given(models(), models())
def test_the_events_of_any_two_models_can_be_stored(old: Any, new: Any) -> None:
    for rules in (1, 2):
        for event in events_between(taken(old).tree, taken(new).tree, rules):
            assert all(is_storable(value) for value in event.values() if isinstance(value, str))


@checked
@given(models(), chances)
def test_a_model_written_in_another_way_is_the_same(one: Any, chance: random.Random) -> None:
    first, second = taken(one), record(rewritten(one, chance).encode())

    assert second.tree == first.tree
    assert second.rows == first.rows
    assert list(events_between(first.tree, second.tree)) == []


@few
@given(catalogs(), chances)
def test_the_same_catalog_in_another_order_and_spelling_changes_nothing(catalog: Any, chance: random.Random) -> None:
    texts = [rewritten(one, chance).encode() for one in catalog]
    texts += [rewritten(one, chance).encode() for one in catalog if chance.random() < 0.3]
    chance.shuffle(texts)

    made = plan(parsed_response(texts), catalog)

    assert ([*made.changes], made.rejected) == ([], ())


@few
@given(catalogs(), catalogs(), chances)
def test_what_is_written_does_not_depend_on_the_order_of_a_response(old: Any, new: Any, chance: random.Random) -> None:
    mixed = chance.sample(new, len(new))

    assert plan(sent(mixed), old).changes == plan(sent(new), old).changes


@few
@given(catalogs(), catalogs())
def test_every_model_that_came_went_or_changed_is_one_change(old: Any, new: Any) -> None:
    before, after = ({one["id"]: taken(one).tree for one in catalog} for catalog in (old, new))
    expected = dict.fromkeys(after.keys() - before.keys(), "added")
    expected |= dict.fromkeys(before.keys() - after.keys(), "removed")
    expected |= {id_: "changed" for id_ in after.keys() & before.keys() if after[id_] != before[id_]}

    assert {change.model_id: change.lifecycle for change in plan(sent(new), old).changes} == expected


@checked
@given(values)
def test_canonical_json_is_read_back_as_it_is(value: Any) -> None:
    text = canonical_json(decode_object(f'{{"v":{written(value)}}}'))

    assert canonical_json(decode_object(text)) == text


@checked
@given(st.dictionaries(st.sampled_from(FIELDS), values))
def test_any_object_is_taken_or_rejected_and_never_crashes(fields: Any) -> None:
    made = normalise(written({"id": "a", **fields, "mode": "image"}).encode(), "image")

    assert made.model_id == "a" or "id" in fields


@settings(checked, max_examples=150)
@given(catalogs(), st.sampled_from(["image", "all"]), chances)
def test_damaged_bytes_are_taken_or_refused_and_never_crash(catalog: Any, mode: str, chance: random.Random) -> None:
    listed = ",".join(written({"mode": "image", **one}) for one in catalog)
    whole = f'{{"ok":true,"code":200,"data":{{"mode":"{mode}","total":{len(catalog)},"models":[{listed}]}}}}'
    with suppress(CatalogSyncError):
        response = parse_response(damaged(whole.encode(), chance), mode)
        for one in (split_by_mode(response) if mode == "all" else {mode: response}).values():
            plan(one, catalog)
