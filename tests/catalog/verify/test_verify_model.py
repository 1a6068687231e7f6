"""The findings about one model, from values alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from sync.catalog.model.entities import TABLES
from sync.catalog.verify.findings import Finding, RowScope, Unreadable, equals_stored, format_value, row_findings
from sync.catalog.verify.model import StoredModel, model_findings
from sync.catalog.verify.runs import RunInMode
from tests.support.made_responses import FULL, Model, model, raw, record

T = [datetime(2026, 3, 1, hour, tzinfo=UTC) for hour in range(12)]
SCOPE = RowScope("table")
RUNS = {
    number: RunInMode(
        "success", "success", T[number], T[number], T[number - 1] if number > 1 else None, stamp=T[number]
    )
    for number in range(1, 9)
}


def version(begin: int, end: int | None, value: Model | str) -> dict[str, Any]:
    """A version that the runs of those hours opened and closed."""
    text = value if isinstance(value, str) else raw(value).decode()
    return {**interval(begin, end), "raw": text}


def interval(begin: int, end: int | None) -> dict[str, Any]:
    closed = None if end is None else T[end]
    return {"valid_from": T[begin], "valid_to": closed, "opened_run_id": begin, "closed_run_id": end}


def cost(begin: int, end: int | None, exact: str | None, *, gap_to: int | None = None) -> dict[str, Any]:
    values = {"default_cost": exact and Decimal(exact), "default_cost_exact": exact}
    possible_from = T[begin - 1] if begin > 1 else None
    return {**interval(begin, end), **values, "gap_to": gap_to and T[gap_to], "possible_from": possible_from}


def change(at: int, kind: str, old: str | None = None, new: str | None = None, **others: Any) -> dict[str, Any]:
    row = dict.fromkeys(("field", "old_value", "new_value", "delta_cost", "pct_change"))
    row |= {"changed_at": T[at], "run_id": at, "not_before": T[at - 1] if at > 1 else None, "entity": "models"}
    row |= {"unsure_hours": Decimal(1) if at > 1 else None}
    row |= {"model_name": "A", "provider": "P", "change_kind": kind, "is_cost_event": 1}
    row |= {"old_cost": old and Decimal(old), "new_cost": new and Decimal(new)}
    return {**row, "old_cost_exact": old, "new_cost_exact": new, **others}


def listed(value: Model, versions: Sequence[Any], costs: Sequence[Any], changes: Sequence[Any]) -> StoredModel:
    """A listed model whose current rows are right."""
    found = record(value)
    row = {"model_id": found.model_id, "mode": "image", "fingerprint": found.fingerprint, "first_seen_at": T[1]}
    row["series"] = f"{found.model_id} (image)"
    row |= {name: found.text(name) for name in ("name", "provider", "description")}
    current = {
        shape.table: [dict(zip((*shape.key, *shape.values), one, strict=True)) for one in found.rows[shape.table]]
        for shape in TABLES
    }
    return StoredModel({**row, "removed_at": None, "last_seen_at": None}, versions, costs, changes, current)


ONE = listed(model(), [version(1, None, model())], [cost(1, None, "3")], [change(1, "added", new="3")])
RAISED = listed(
    model(cost=4),
    [version(1, 2, model()), version(2, None, model(cost=4))],
    [cost(1, 2, "3"), cost(2, None, "4")],
    [
        change(1, "added", new="3"),
        change(
            2,
            "increase",
            "3",
            "4",
            entity="credits",
            field="default_cost",
            old_value="3",
            new_value="4",
            delta_cost=Decimal(1),
            pct_change=Decimal("33.333333"),
        ),
    ],
)
BACK = listed(
    model(),
    [version(1, 2, model()), version(4, None, model())],
    [cost(1, 2, "3", gap_to=4), cost(4, None, "3")],
    [
        change(1, "added", new="3"),
        change(2, "removed", "3"),
        change(4, "relisted", "3", "3", delta_cost=Decimal(0), pct_change=Decimal(0)),
    ],
)


def problems(found: Sequence[Finding]) -> list[tuple[str, str]]:
    return [(finding.table, finding.problem) for finding in found]


@pytest.mark.parametrize("consistent", [ONE, RAISED, BACK], ids=["one", "raised", "back"])
def test_a_consistent_model_has_no_findings(consistent: StoredModel) -> None:
    assert model_findings(consistent, RUNS) == []


def test_current_rows_are_compared_in_every_table() -> None:
    full = listed(FULL, [version(1, None, FULL)], [cost(1, None, "5")], [change(1, "added", new="5")])
    changes = [{**change(1, "added", new="5"), "model_name": "FULL"}]
    emptied = replace(full, current={}, changes=changes)

    assert model_findings(replace(full, changes=changes), RUNS) == []
    assert {finding.table for finding in model_findings(emptied, RUNS)} == {shape.table for shape in TABLES}


def test_a_finding_names_table_mode_model_and_time() -> None:
    broken = replace(RAISED, costs=[cost(1, 2, "3"), cost(2, None, "5")])

    assert model_findings(broken, RUNS) == [
        Finding(
            "credit_history",
            "image",
            "a",
            T[2],
            "default_cost is 5, but model_versions gives 4; default_cost_exact is '5', but model_versions gives '4'",
        )
    ]


def test_an_interval_that_ends_before_it_begins_runs_backward() -> None:
    broken = replace(ONE, costs=[cost(3, 2, "3")])

    assert ("credit_history", "valid_to is 2026-03-01T02:00:00Z, not after valid_from") in problems(
        model_findings(broken, RUNS)
    )


def test_two_open_intervals_are_one_too_many() -> None:
    broken = replace(RAISED, costs=[cost(1, None, "3"), cost(2, None, "4")])

    assert ("credit_history", "valid_to is NULL, but a later interval follows") in problems(
        model_findings(broken, RUNS)
    )


def test_an_interval_closed_by_no_run_is_named() -> None:
    broken = replace(RAISED, costs=[{**cost(1, 2, "3"), "closed_run_id": None}, cost(2, None, "4")])

    assert ("credit_history", "only one of valid_to and closed_run_id is NULL") in problems(
        model_findings(broken, RUNS)
    )


@pytest.mark.parametrize(
    "text",
    ["{", "", "[]", '{"id": "a", "credits": {"default_cost": "3"}}', '{"id": "a", "mode": "video"}', '{"id": "b"}'],
)
def test_a_text_that_is_not_this_model_is_a_finding_about_its_version(text: str) -> None:
    (found,) = model_findings(replace(RAISED, versions=[version(1, 2, text), RAISED.versions[1]]), RUNS)

    assert (found.table, found.at) == ("model_versions", T[1])
    assert "rows derived from it were not checked" in found.problem


def test_a_value_that_cannot_be_read_is_named_and_nothing_is_compared_with_it() -> None:
    broken = replace(RAISED, costs=[{**cost(1, 2, "3"), "valid_to": Unreadable("soon")}, cost(2, None, "4")])

    assert problems(model_findings(broken, RUNS)) == [
        ("credit_history", "valid_to holds 'soon', which is not a value of its type")
    ]


def test_a_change_that_is_stored_twice_is_one_row_too_many() -> None:
    broken = replace(ONE, changes=[*ONE.changes, *ONE.changes])

    assert problems(model_findings(broken, RUNS)) == [
        ("catalog_changes", "entity 'models': a row is unexpected; model_versions gives none")
    ]


@pytest.mark.parametrize(
    ("run", "problem"),
    [
        (RunInMode(None, "success", T[1], T[1]), "a run that was not applied to this mode (status NULL)"),
        (
            RunInMode("superseded", "partial", T[1], T[1]),
            "a run that was not applied to this mode (status 'superseded')",
        ),
        (RunInMode("success", "failed", T[1], T[1]), "a run that stored nothing (status 'failed' in sync_runs)"),
        (RunInMode("success", "success", T[2], T[2]), "a run that observed the catalog later, at 2026-03-01T02:00:00Z"),
        (RunInMode("success", "success", T[0], T[0], stamp=T[0]), "a run whose stamp is 2026-03-01T00:00:00Z"),
        (RunInMode("success", "success", T[1], T[1]), "a run whose stamp is NULL"),
        (
            RunInMode("held", "held", T[1], T[1], stamp=T[1], hold_reason="costs"),
            "a run in which the whole mode was held back (costs)",
        ),
    ],
)
def test_a_row_whose_run_could_not_have_written_it_is_named_in_each_table(run: RunInMode, problem: str) -> None:
    found = model_findings(ONE, {1: run})

    assert [finding.table for finding in found] == ["model_versions", "credit_history", "catalog_changes"]
    assert all(finding.problem.endswith(problem) for finding in found)


def test_not_before_is_when_the_previous_successful_sync_began_its_request_where_that_is_known() -> None:
    known = {**RUNS, 2: replace(RUNS[2], previous_asked_at=frozenset({T[1] - timedelta(seconds=2)}))}

    (found,) = model_findings(RAISED, known)
    assert found.problem == (
        "not_before is 2026-03-01T01:00:00Z, but the previous successful sync began its request at 2026-03-01T00:59:58Z"
    )


def test_a_double_is_held_against_the_double_nearest_to_the_decimal() -> None:
    assert equals_stored(Decimal("0.100000000000"), 0.1)
    assert not equals_stored(Decimal("0.100000000001"), 0.1)
    assert not equals_stored(Decimal(1), None)


def test_rows_with_the_same_key_are_matched_one_by_one() -> None:
    rows = [{"key": 1, "value": "a"}]

    assert [finding.problem for finding in row_findings(SCOPE, ["key"], rows, rows * 2, "the text")] == [
        "key 1: a row is unexpected; the text gives none"
    ]


def test_a_long_value_is_shown_short_and_in_one_line() -> None:
    assert format_value("x\n" * 100).startswith("'x\\nx\\n")
    assert len(format_value("x" * 1000)) == 66
