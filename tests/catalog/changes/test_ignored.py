"""Which differences count while fields are ignored."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sync.catalog.changes.diff import Event, events_between
from sync.catalog.changes.ignored import IgnoredField, IgnoredFields, ignored_field, without_ignored
from sync.catalog.changes.ignored_path import PathError, is_usable, parse_path, path_to, split_field
from sync.catalog.json.tree import MAX_KEY_CHARACTERS
from tests.support.ignored_checker import covers as naively_covers
from tests.support.made_responses import model, record, tree
from tests.support.model_strategies import any_values, models, written

HOUR = timedelta(hours=1)
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
LONG = "x" * (MAX_KEY_CHARACTERS + 1)


def kept(old: Any, new: Any, *paths: str) -> list[str]:
    """The fields of the events that are left while the paths are ignored."""
    events = without_ignored(tuple(events_between(tree(old), tree(new))), [parse_path(path) for path in paths])
    return [".".join(filter(None, (event.entity, event.field))) for event in events]


def params(**entries: Any) -> dict[str, Any]:
    return {"params": entries}


@pytest.mark.parametrize(
    ("old", "new", "paths", "expected"),
    [
        ({"a": 1}, {"a": 2}, ["models.a"], []),
        ({"a": 1}, {}, ["models.a"], []),
        ({"a": {"b": {"c": 1}}}, {"a": {"b": {"c": 2}}}, ["models.a"], []),
        ({"a": {"b": {"c": 1}}}, {"a": {"b": {"c": 2}}}, ["models.*.b"], []),
        ({"a": 1, "A": 1}, {"a": 2, "A": 2}, ["models.a"], ["models.A"]),
        ({"a": {"b": 1}}, {"a": {"b": 2}}, ["models.a.b.c"], ["models.a.b"]),
        ({"ab": 1}, {"ab": 2}, ["models.a"], ["models.ab"]),
        ({"a.b": 1}, {"a.b": 2}, ["models.a"], ["models.a\\.b"]),
        ({"a.b": 1}, {"a.b": 2}, ["models.a\\.b"], []),
        ({"a": {"b": 1}}, {"a": {"b": 2}}, ["models.a\\.b"], ["models.a.b"]),
        ({"a\0": 1}, {"a\0": 2}, ["models.a\\u0000"], []),
        ({"*": 1, "a": 1}, {"*": 2, "a": 2}, ["models.a"], ["models.*"]),
        (params(x={"rank": 1}, y={"rank": 1}), params(x={"rank": 2}, y={"rank": 2}), ["params.*.rank"], []),
        (params(x={"rank": {"a": [1]}}), params(x={"rank": {"a": [2]}}), ["params.*.rank"], []),
        # A parameter that comes, goes or gets another kind is a change of its own, whatever is inside.
        (params(x={"rank": 1}), params(), ["params.*.rank"], ["params.x"]),
        (params(x={"rank": 1}), params(x=1), ["params.*.rank"], ["params.x"]),
        ({}, {"stats": {"ms": 1}}, ["models.stats.ms"], ["models.stats"]),
        ({"stats": {}}, {"stats": {"ms": 1}}, ["models.stats.ms"], []),
        (params(x=1), {"params": [1]}, ["params.*"], ["params"]),
        (params(x=1), {"params": [1]}, ["params"], []),
        ({}, params(x=1), ["params.*"], []),
        ({"tags": ["a"]}, {"tags": ["b"]}, ["models.tags"], []),
        ({"tags": [{"a": 1}]}, {"tags": [{"a": 2}]}, ["models.tags.a"], ["models.tags"]),
        (
            {"credits": {"notes": "a"}},
            {"credits": {"notes": "b", "default_cost": 1}},
            ["credits.notes"],
            ["credits.default_cost"],
        ),
        (
            {"inputs": {"required": ["a"]}},
            {"inputs": {"required": ["b", "one_of:a,b"]}},
            ["inputs.required"],
            ["input_rules.required"],
        ),
        (
            {"inputs": {"required": ["a"]}},
            {"inputs": {"required": ["b", "one_of:a,b"]}},
            ["input_rules"],
            ["inputs.required"],
        ),
        # A name too long for a column has no fields of its own in the change log, but what is ignored inside it is.
        (params(**{LONG: {"rank": 1, "a": 1}}), params(**{LONG: {"rank": 2, "a": 1}}), ["params.*.rank"], []),
        (
            params(**{LONG: {"rank": 1, "a": 1}}),
            params(**{LONG: {"rank": 2, "a": 2}}),
            ["params.*.rank"],
            [f"params.{LONG}"],
        ),
    ],
)
def test_what_is_left_of_a_change(old: Any, new: Any, paths: list[str], expected: list[str]) -> None:
    assert kept(old, new, *paths) == expected


def test_what_only_repeats_an_ignored_change_of_params_is_ignored_with_it() -> None:
    def both(rank: int, raw_rank: int) -> Any:
        return {"params": {"x": {"rank": rank}}, "raw_available_params": {"x": {"rank": raw_rank}}}

    assert kept(both(1, 1), both(2, 2), "params.*.rank") == []
    assert kept(both(1, 1), both(2, 3), "params.*.rank") == ["raw_available_params.x.rank"]
    assert kept(both(1, 1), both(1, 2), "params.*.rank") == ["raw_available_params.x.rank"]
    assert kept(both(1, 1), both(2, 2), "raw_available_params.x") == ["params.x.rank"]


@pytest.mark.parametrize(
    "path",
    [
        *("", "models", "models.*", "models.id", "models.id.x", "models.mode", "credits", "credits.*", "*", "*.id"),
        *("credits.default_cost", "credits.default_cost.x", "x", "models.", "models..a", "models.a.", ".a"),
        *("models.a\\", "models.a\\b", "models.a*", "params.**", "models.params", "models.credits.notes"),
        "models." + "x" * (MAX_KEY_CHARACTERS - 6),
    ],
)
def test_a_path_that_cannot_be_ignored(path: str) -> None:
    with pytest.raises(PathError):
        parse_path(path)
    assert ignored_field(path, NOON, None) is None


@pytest.mark.parametrize(
    "path",
    [
        *("models.latency_ms", "models.*.id", "models.name", "params.*.rank", "params.*", "params", "input_rules.x"),
        *("raw_available_params.x", "credits.notes", "credits.*.x", "capabilities.a.b", "models.a\\.b\\\\.ä b"),
        *("models.x\\u0000\\ud800", "inputs.required", "models." + "x" * (MAX_KEY_CHARACTERS - 7)),
    ],
)
def test_a_path_that_can_be_ignored(path: str) -> None:
    assert ".".join(parse_path(path)) == path


def test_a_field_holds_from_its_beginning_to_before_its_end() -> None:
    fields = IgnoredFields([IgnoredField(("models", "a"), NOON, NOON + HOUR)])
    moments = (NOON - HOUR / 2, NOON, NOON + HOUR / 2, NOON + HOUR)
    assert [bool(fields.at(moment)) for moment in moments] == [False, True, True, False]


def bounds(since: datetime, stamp: datetime, *fields: tuple[str, int, int | None]) -> dict[str | None, Any]:
    """By field, the hour since which a change of a, b and c may be as old; None for that of the run."""
    ignored = IgnoredFields(
        IgnoredField(parse_path(path), NOON + start * HOUR, None if end is None else NOON + end * HOUR)
        for path, start, end in fields
    )
    old, new = (dict.fromkeys("abc", value) for value in (1, 2))
    events = ignored.events_between(tree(old), tree(new), since=since, stamp=stamp)
    return {event.field: event.not_before and (event.not_before - NOON) / HOUR for event in events}


def test_after_an_interval_the_first_difference_may_be_as_old_as_its_beginning() -> None:
    stamp = NOON + 9 * HOUR
    assert bounds(NOON, stamp, ("models.a", 1, 2)) == {"a": 1, "b": None, "c": None}
    assert bounds(NOON, stamp, ("models.a", 1, 9)) == {"a": 1, "b": None, "c": None}
    # While it holds there is no event; a version that was opened after it has what was sent then.
    assert bounds(NOON, stamp, ("models.a", 1, 10)) == {"b": None, "c": None}
    assert bounds(NOON + 2 * HOUR, stamp, ("models.a", 1, 2)) == {"a": None, "b": None, "c": None}
    assert bounds(NOON + HOUR, stamp, ("models.a", 0, 2)) == {"a": 0, "b": None, "c": None}
    assert bounds(NOON, stamp, ("models.a", 3, 4), ("models.a", 1, 2), ("models.b", 5, 6)) == {
        "a": 1,
        "b": 5,
        "c": None,
    }
    assert bounds(NOON, stamp, ("models.a", 1, 2), ("models.a", 3, None)) == {"b": None, "c": None}


# Paths as a person might choose them for a pair of models: some of their fields, with some names replaced by *.
def paths_for(old: Any, new: Any) -> st.SearchStrategy[list[str]]:
    fields = [
        ".".join(filter(None, (event.entity, event.field)))
        for event in events_between(record(written(old).encode()).tree, record(written(new).encode()).tree)
    ]
    shortened = st.tuples(
        st.sampled_from([*fields, "models.x", "params.a.type"]), st.integers(0, 4), st.sets(st.integers(1, 4))
    )
    return st.lists(shortened.map(lambda choice: _path(*choice)), max_size=4)


def _path(field: str, less: int, starred: set[int]) -> str:
    segments = [*split_field(field)]
    segments = segments[: max(1, len(segments) - less)]
    return ".".join("*" if place in starred else segment for place, segment in enumerate(segments))


def naively_kept(events: list[Event], paths: list[str]) -> list[Event]:
    left = []
    for event in events:
        own = any(naively_covers(path, event.entity, event.field) for path in paths)
        repeated = event.entity == "raw_available_params" and any(
            (other.field, other.old_value, other.new_value) == (event.field, event.old_value, event.new_value)
            and any(naively_covers(path, "params", other.field) for path in paths)
            for other in events
            if other.entity == "params"
        )
        if not own and not repeated:
            left.append(event)
    return left


@settings(deadline=None, derandomize=True, max_examples=150)
@given(st.data(), models(), models(), st.none() | any_values)
def test_exactly_the_events_that_no_path_covers_are_kept(data: Any, old: Any, new: Any, shared: Any) -> None:
    if shared is not None:  # the raw parameters repeat the parameters
        old, new = ({**one, "raw_available_params": one.get("params")} for one in (old, new))
    paths = [path for path in data.draw(paths_for(old, new)) if is_usable(path)]
    old_tree, new_tree = (record(written(one).encode()).tree for one in (old, new))
    events = list(events_between(old_tree, new_tree))
    # Names too long for a column are tested above; the naive oracle knows nothing of what is inside them.
    if any(len(part) > MAX_KEY_CHARACTERS for event in events for part in split_field(event.field or "")):
        return
    fields = IgnoredFields(IgnoredField(parse_path(path), NOON) for path in paths)
    assert list(fields.events_between(old_tree, new_tree, since=NOON, stamp=NOON + HOUR)) == naively_kept(events, paths)


@settings(deadline=None, derandomize=True, max_examples=100)
@given(models(), models())
def test_a_field_can_be_ignored_by_the_path_that_names_it(old: Any, new: Any) -> None:
    events = tuple(events_between(record(written(old).encode()).tree, record(written(new).encode()).tree))
    for event in events:
        path = path_to(event.entity, event.field)
        if is_usable(path):
            assert event not in without_ignored((event,), [parse_path(path)])


def test_nothing_is_ignored_by_default() -> None:
    old, new = tree(model(cost=1)), tree(model(cost=2))
    assert IgnoredFields().events_between(old, new, since=NOON, stamp=NOON) == tuple(events_between(old, new))
