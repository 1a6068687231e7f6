"""The independent checker reports a finding after each of these changes of one stored fact."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine

from tests.support.made_responses import model
from tests.support.run_driver import Host
from tests.support.stored_rows_checker import assert_consistent

TAMPERED = {
    "the cost now": "UPDATE credits SET default_cost_exact = '4'",
    "a rounded cost": "UPDATE credit_history SET default_cost = 4",
    "an exact cost of old": "UPDATE credit_history SET default_cost_exact = '4' WHERE valid_to IS NOT NULL",
    "the kind of an event": "UPDATE catalog_changes SET change_kind = 'increase' WHERE change_kind = 'decrease'",
    "an old cost": "UPDATE catalog_changes SET old_cost_exact = '4' WHERE change_kind = 'decrease'",
    "a delta": "UPDATE catalog_changes SET delta_cost = 1 WHERE change_kind = 'decrease'",
    "a percent": "UPDATE catalog_changes SET pct_change = 50 WHERE change_kind = 'decrease'",
    "a missing event": "DELETE FROM catalog_changes WHERE change_kind = 'removed'",
    "an event of no version": "UPDATE catalog_changes SET run_id = 1 WHERE change_kind = 'changed'",
    "the text of a version": 'UPDATE model_versions SET raw = \'{"id":"a"}\' WHERE valid_to IS NULL',
    "a listed model's name": "UPDATE models SET name = 'x' WHERE model_id = 'a'",
    "a delta beside the cost": "UPDATE catalog_changes SET delta_cost = 1 WHERE field = 'tier'",
    "the rules of a run": "UPDATE sync_runs SET event_rules = 1 WHERE run_id = 2",
    "a price beside the cost": "UPDATE credit_details SET value_number = 1",
    "a missing price": "DELETE FROM credit_details",
    "a note on the cost": "UPDATE credits SET notes = 'x'",
    "a parameter": "DELETE FROM params",
    "a capability": "DELETE FROM capabilities",
    "a version of a removed model": "UPDATE models SET removed_at = NULL",
    "a row of a removed model": "INSERT INTO credits (model_pk) SELECT max(model_pk) FROM models",
    "the status of a run": "UPDATE sync_runs SET status = 'failed' WHERE run_id = 1",
    "the last stamp": "UPDATE sync_state SET observed_at = '2026-01-01 00:00:00.000000'",
    "a day": "DELETE FROM calendar_days WHERE day = '2026-03-02'",
}


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)  # the checker reads all databases in the same way
@pytest.mark.parametrize("statement", TAMPERED.values(), ids=[fact.replace(" ", "-") for fact in TAMPERED])
def test_the_checker_finds_a_changed_fact(engine: Engine, statement: str) -> None:
    host = Host(engine)
    first, second = model("a", params={"p": 1}, capabilities={"x": 1}), model("b")
    first["credits"]["tier"] = 2
    changed = {**first, "credits": {"default_cost": 1, "tier": 4}, "tags": []}
    host.sync([first, second])
    host.sync([changed])
    host.sync([])
    for _ in range(2):
        host.now = host.now.replace(day=host.now.day + 1)
        host.sync([changed])
    assert_consistent(engine)
    with engine.begin() as connection:
        connection.exec_driver_sql(statement)

    with pytest.raises(AssertionError):
        assert_consistent(engine)
