"""``last_seen_at`` in the view of the current catalog."""

from __future__ import annotations

from typing import Any

from sqlalchemy import text

from tests.support.made_responses import model
from tests.support.run_driver import Host, column

A, B, C, D = (model(id_) for id_ in "abcd")
UNREADABLE = {"name": "no id"}


def last_seen(host: Host) -> dict[str, Any]:
    with host.engine.connect() as connection:
        rows = connection.execute(text("SELECT model_id, last_seen_at FROM v_current_catalog"))
        return {row.model_id: row.last_seen_at for row in rows}


def stamps(host: Host) -> list[Any]:
    return [str(stamp) for stamp in column(host.engine, "sync_runs.observed_at")]


def test_a_model_was_last_seen_by_the_last_successful_sync(host: Host) -> None:
    host.sync([A, B])
    host.sync([A, B])

    assert {str(seen)[:19] for seen in last_seen(host).values()} == {stamps(host)[1][:19]}


def test_a_model_relisted_by_a_run_that_was_not_good_was_last_seen_by_it(host: Host) -> None:
    host.sync([A, B, C, D])
    host.sync([B, C, D])
    assert host.sync([A, B, C, D, UNREADABLE]).status == "partial"

    seen = {id_: str(moment)[:19] for id_, moment in last_seen(host).items()}
    assert seen["a"] == stamps(host)[2][:19]
    assert seen["b"] == stamps(host)[1][:19]
