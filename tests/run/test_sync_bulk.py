"""Runs with many rows, and runs that rebuild rows."""

from __future__ import annotations

from tests.support.made_responses import FULL, model
from tests.support.run_driver import Host, added_rows, column, dump

A, B, C = model("a"), model("b", cost=1), model("c", cost=None)


def test_rows_of_an_older_normaliser_are_rebuilt_without_a_trace_in_history(host: Host) -> None:
    host.sync([A, FULL], [B])
    before = dump(host.engine)
    with host.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE models SET fingerprint = '0:abc', name = 'old'")
        connection.exec_driver_sql("DELETE FROM capabilities")
        connection.exec_driver_sql("UPDATE params SET data_type = 'old'")
    host.sync([A, FULL], [B])

    assert added_rows(before, dump(host.engine)) == {"sync_runs": 1, "sync_run_modes": 2, "seals": 1}


def test_300_models_with_many_params_are_stored_in_one_run(host: Host) -> None:
    params = {f"p{number:02}": {"options": ["a", "b"], "default": number} for number in range(25)}
    many = [model(f"m{number:03}", cost=number, params=params) for number in range(300)]
    host.sync(many)
    assert len(column(host.engine, "param_options.position")) == 15_000
    before = dump(host.engine)
    host.sync(many)

    assert added_rows(before, dump(host.engine)) == {"sync_runs": 1, "sync_run_modes": 2, "seals": 1}


def test_a_run_records_its_counts(host: Host) -> None:
    host.sync([A, B, model("d"), model("e")])
    host.sync([model("a", cost=4), model("b", cost="x"), model("d"), C, model("f")])

    counted = ("received", "rejected", "added", "changed", "removed")
    names = ["models_reported", *(f"models_{name}" for name in counted), "removals_held"]
    assert column(host.engine, "sync_run_modes.status", *names, where={"mode": "image", "run_id": 2}) == [
        ("partial", 5, 5, 1, 2, 1, 1, 0)
    ]
