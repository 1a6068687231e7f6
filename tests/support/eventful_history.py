"""A history with every kind of event of a model, a mode and a run."""

from __future__ import annotations

from datetime import timedelta

from sync.errors import ApiUnreachable
from tests.support.made_responses import FULL, Model, model, spelled
from tests.support.run_driver import HOUR, Host

RUNS = 12
"""The number of runs in the history, one an hour from 2026-03-01T10:00:02Z on."""

_DIGITS = spelled("0.00000000000000000000123")


def make_history(host: Host) -> None:
    """Models ``a`` (changes), ``back`` (removed, relisted), ``full`` (all tables), ``gone`` (removed), others."""
    others = [model(f"other-{number}", cost=number) for number in range(4)]
    a, back, gone = model("a"), model("back", cost=2), model("gone", cost=7, description="it was")
    host.sync([a, back, gone, FULL, *others], [])
    full = {**FULL, "params": {"seed": 7}, "inputs": {"required": ["prompt", "one_of:a,b"]}, "tags": ["old"]}
    host.sync([model("a", cost=1.5), back, gone, full, *others], [model("a", cost=9)])
    host.sync([model("a", cost=None), back, gone, FULL, *others], ApiUnreachable("no response"))
    host.sync([model("a", cost=_DIGITS), back, model("gone", cost="seven"), FULL, *others], [model("a", cost=9)])
    host.sync([model("a", cost=_DIGITS), FULL], [model("a", cost=0)])  # held back
    host.sync([model("a", cost=_DIGITS), FULL, *others], [model("a", cost=0)])  # removes back and gone
    _outdate_rows(host)
    host.sync([model("a", cost=_DIGITS, name="A2"), FULL, *others], [])
    host.sync([_respelled(), model("back", cost=2), FULL, *others], [model("a", cost="1")], accept="all")
    host.now -= HOUR + timedelta(minutes=1)
    host.sync([model("a", cost=4, name="A2"), model("back", cost=3), FULL, *others], [model("a", cost=5)])
    host.now += 48 * HOUR
    host.sync([model("a", cost=4, name="A2"), model("back", cost=3), FULL, *others], [model("a", cost=5)])
    rejected = model("rejected", cost=-1)
    host.sync([model("a", cost=4, name="A2"), model("back", cost=3), FULL, rejected, *others], modes=["image"])
    host.sync(b"<html>", b"<html>")


def _respelled() -> Model:
    return {**model("a", cost=spelled("12.300e-22"), name="A2"), "description": None}


def _outdate_rows(host: Host) -> None:
    """Makes the rows look like those of an older normaliser, so that the next run rebuilds them."""
    with host.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE models SET fingerprint = '0:abc' WHERE removed_at IS NULL")
        connection.exec_driver_sql("DELETE FROM capabilities")
