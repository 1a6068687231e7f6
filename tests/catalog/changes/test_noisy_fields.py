"""The note on fields that change in most models, run after run."""

from __future__ import annotations

import shlex
from typing import Any

import pytest

from sync.catalog.changes.ignored_path import parse_path
from sync.catalog.changes.noisy_fields import EARLIER_RUNS, ChangedField, mostly_changed, noisy_fields, noisy_note
from tests.support.made_plans import plan
from tests.support.made_responses import model, stored

LATENCY: ChangedField = ("models", "latency_ms")


def changed(number: int, listed: int = 5, **fields: Any) -> set[tuple[str, str | None]]:
    """What is mostly changed when this number of the listed models is sent with other fields."""
    names = "abcdefgh"[:listed]
    sent = [model(name, **fields) if place < number else model(name) for place, name in enumerate(names)]
    return mostly_changed(plan(sent, stored(*map(model, names))), listed)


def test_more_than_half_is_most() -> None:
    assert changed(3, latency_ms=1) == {LATENCY}
    assert changed(2, latency_ms=1) == set()
    assert changed(2, 4, latency_ms=1) == set()
    assert changed(3, 4, latency_ms=1) == {LATENCY}


def test_the_cost_is_not_among_them() -> None:
    assert changed(5, cost=9) == set()


def test_a_field_of_parameters_with_different_names_is_one_field() -> None:
    names = "abcde"
    known = stored(*(model(name, params={name: {"rank": 1}}) for name in names))
    sent = [model(name, params={name: {"rank": 2}}) for name in names]
    assert mostly_changed(plan(sent, known), 5) == {("params", "*.rank")}


def test_a_field_is_noisy_if_it_changed_in_most_models_in_each_run() -> None:
    often, seldom = ((5, [(model_pk, *LATENCY) for model_pk in range(number)]) for number in (3, 2))
    assert noisy_fields({LATENCY}, [often] * EARLIER_RUNS) == {LATENCY}
    assert noisy_fields({LATENCY}, [often] * (EARLIER_RUNS - 1)) == set()
    assert noisy_fields({LATENCY}, [*[often] * (EARLIER_RUNS - 1), seldom]) == set()
    assert noisy_fields(set(), [often] * EARLIER_RUNS) == set()


@pytest.mark.parametrize(
    ("fields", "paths"),
    [
        ([LATENCY], ["models.latency_ms"]),
        (
            [("params", "a.rank"), ("params", "b.rank"), ("params", "*.rank"), LATENCY],
            ["models.latency_ms", "params.*.rank"],
        ),
        ([("params", "a.rank"), ("params", "*.rank")], ["params.a.rank"]),
        ([("params", "*.rank")], ["params.*.rank"]),
        ([("params", "*.rank"), ("raw_available_params", "*.rank")], ["params.*.rank"]),
        ([("params", "a.rank"), ("raw_available_params", "a.rank")], ["params.a.rank"]),
        ([("raw_available_params", "a.rank")], ["raw_available_params.a.rank"]),
        ([("raw_available_params", None)], ["raw_available_params"]),
        ([("models", "a b\\.c.'d")], ["models.a b\\.c.'d"]),
        ([("params", "a*.x")], ["params.*.x"]),
        ([("params", "")], ["params.*"]),
        ([("models", f"x{place}") for place in range(7)], [f"models.x{place}" for place in range(5)]),
    ],
)
def test_the_note_has_the_command_with_paths_that_it_takes(fields: list[Any], paths: list[str]) -> None:
    note = noisy_note("image", fields)
    assert note is not None
    arguments = shlex.split(note.partition("run catalog-sync ignore add ")[2])
    assert arguments == [*paths, "--why", "..."]
    assert [".".join(parse_path(path)) for path in paths] == paths


def test_there_is_no_note_without_a_field_that_can_be_ignored() -> None:
    assert noisy_note("image", []) is None
    assert noisy_note("image", [("models", "x" * 255)]) is None
