"""A short round of ``make notify-campaign``."""

from __future__ import annotations

from pathlib import Path

from tests.notify.campaign import campaign


def test_each_event_is_delivered_and_twice_only_where_that_was_unconfirmed(tmp_path: Path) -> None:
    rows, _ = campaign(3, 5, tmp_path)

    assert [(row.name, row.lost, row.wrong_duplicates) for row in rows] == [
        ("webhook", 0, 0),
        ("mail", 0, 0),
        ("slow", 0, 0),
    ]
    assert sum(row.failures for row in rows) > 0
