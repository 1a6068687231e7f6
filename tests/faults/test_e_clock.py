"""Faults E1 and E2: wrong clocks, on each kind of database. Only the clock of the program is changed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from sync.cli import composition
from tests.faults.conftest import on_servers
from tests.support.api_catalogs import model
from tests.support.synced_database import LISTED, STATUS, SyncedDatabase, image, video

YEAR = timedelta(days=365)
STAMPS = "SELECT changed_at FROM v_credit_cost_changes WHERE run_id > 1 ORDER BY changed_at"


def set_clock(monkeypatch: pytest.MonkeyPatch, ahead: timedelta) -> datetime:
    """Stops the clock of the program at this distance from the real time; the time it shows."""
    moment = datetime.now(UTC) + ahead
    monkeypatch.setattr(composition, "now", lambda: moment)
    return moment


def dated(moment: datetime) -> str:
    return f"Date: {format_datetime(moment, usegmt=True)}"


@pytest.mark.parametrize("back", [timedelta(hours=1), YEAR])
def test_e1_with_a_clock_set_back_stamps_continue_after_the_last_one_and_the_run_notes_it(
    synced: SyncedDatabase, monkeypatch: pytest.MonkeyPatch, back: timedelta
) -> None:
    set_clock(monkeypatch, -back)
    for cost in (77, 78):
        synced.succeeds(image=image([model("acme/image-0", cost), *LISTED[1:]]))

    (first,), (second,) = synced.query(
        "SELECT valid_from FROM credit_history WHERE opened_run_id > 1 ORDER BY valid_from"
    )
    (last,) = synced.query("SELECT MAX(valid_from) FROM credit_history WHERE opened_run_id = 1")[0]
    assert last < first < second
    (note,) = synced.query("SELECT note FROM sync_runs WHERE run_id = 2")[0]
    assert "behind the last stamp of mode image" in note


@pytest.mark.parametrize("ahead", [timedelta(hours=1, minutes=1), YEAR])
def test_e1_a_clock_ahead_of_the_date_of_the_response_is_exit_2_and_nothing_is_applied(
    synced: SyncedDatabase, monkeypatch: pytest.MonkeyPatch, ahead: timedelta
) -> None:
    real = datetime.now(UTC)
    set_clock(monkeypatch, ahead)
    line = synced.fails(2, image=image([], dated(real)), video=video([], dated(real)))

    assert "this host's clock says" in line
    assert "correct this host's clock and run again" in line
    assert synced.query(STATUS)[-1] == ("failed",)


def test_e1_after_a_clock_was_a_year_ahead_the_history_continues_with_stamps_after_the_last_one(
    synced: SyncedDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The responses have no date, so the program cannot notice it."""
    set_clock(monkeypatch, YEAR)
    synced.succeeds(image=image([model("acme/image-0", 77), *LISTED[1:]]))
    set_clock(monkeypatch, timedelta(0))
    synced.succeeds(image=image([model("acme/image-0", 78), *LISTED[1:]]))

    assert synced.events() == ["increase", "increase"]
    assert "behind the last stamp" in synced.query("SELECT note FROM sync_runs WHERE run_id = 3")[0][0]


def test_e1_a_response_with_a_date_ahead_of_the_host_is_refused(synced_sqlite: SyncedDatabase) -> None:
    date = dated(datetime.now(UTC) + YEAR)
    line = synced_sqlite.fails(2, image=image([model("acme/image-0", 77), *LISTED[1:]], date))

    assert "correct this host's clock and run again" in line


@on_servers
def test_e2_stamps_never_go_back_when_two_hosts_differ_by_five_minutes(
    synced: SyncedDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    for cost in range(50, 56):
        ahead = timedelta(minutes=5) if cost % 2 else timedelta(0)
        moment = datetime.now(UTC) + ahead
        monkeypatch.setattr(composition, "now", lambda moment=moment: moment)
        synced.succeeds(image=image([model("acme/image-0", cost), *LISTED[1:]]))

    stamps = [stamp for (stamp,) in synced.query(STAMPS)]
    assert len(stamps) == 6
    assert stamps == sorted(set(stamps))
    notes = [note for (note,) in synced.query("SELECT note FROM sync_runs WHERE run_id > 1 ORDER BY run_id")]
    # Only the host that is behind the last stamp has something to note.
    assert [note is not None for note in notes] == [False, False, True, False, True, False]
