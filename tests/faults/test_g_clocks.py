"""Faults G2 and G3: clocks that differ, and copies that a cache kept."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from sync.cli import composition
from tests.faults.conftest import on_sqlite
from tests.support.api_catalogs import model
from tests.support.commands import output
from tests.support.synced_database import LISTED, STATUS, SyncedDatabase, image, video

ONLY_IMAGE = ("--mode", "image")
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
RAISED = [model("acme/image-0", 77), *LISTED[1:]]
AGES = "SELECT mode, response_age FROM sync_run_modes WHERE run_id = 2 ORDER BY mode"


def dated(ahead: timedelta = timedelta(0)) -> str:
    return f"Date: {format_datetime(datetime.now(UTC) + ahead, usegmt=True)}"


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> timedelta:
    """The host's clock is three hours later than run 1, so that no copy is older than what run 1 stored."""
    monkeypatch.setattr(composition, "now", lambda: datetime.now(UTC) + 3 * HOUR)
    return 3 * HOUR


def noted(synced: SyncedDatabase) -> str:
    return str(synced.query("SELECT note FROM sync_runs WHERE run_id = 2")[0][0])


@pytest.mark.parametrize("ahead", [2 * DAY, -2 * DAY, HOUR * 1.1, -HOUR * 1.1, 57 * 365 * DAY])
def test_g2_a_host_clock_that_differs_by_more_than_an_hour_is_exit_2_and_applies_nothing(
    synced: SyncedDatabase, ahead: timedelta
) -> None:
    date = dated(ahead)
    line = synced.fails(2, image=image(RAISED, date), video=video([], date))

    assert "this host's clock says" in line
    assert f"the API's clock {datetime.now(UTC) + ahead:%Y-%m-%d %H:}" in line or "the API's clock" in line
    assert synced.query(STATUS)[-1] == ("failed",)


@on_sqlite
def test_g2_a_host_clock_in_1970_dates_no_history(synced: SyncedDatabase, monkeypatch: pytest.MonkeyPatch) -> None:
    date = dated()
    monkeypatch.setattr(composition, "now", lambda: datetime(1970, 1, 1, 0, 5, tzinfo=UTC))
    line = synced.fails(2, image=image(RAISED, date), video=video([], date))

    assert "1970-01-01 00:05:00 UTC" in line


@on_sqlite
@pytest.mark.parametrize("year", [1970, 1980, 1999])
def test_g2_a_host_clock_before_2000_is_exit_2_where_no_date_contradicts_it(
    synced: SyncedDatabase, monkeypatch: pytest.MonkeyPatch, year: int
) -> None:
    monkeypatch.setattr(composition, "now", lambda: datetime(year, 1, 1, 0, 5, tzinfo=UTC))
    line = synced.fails(2, image=image(RAISED), video=video([]))

    assert f"this host's clock says {year}-01-01 00:05:00 UTC, which is before the year 2000" in line


def test_g2_one_mode_with_another_clock_stops_both(synced: SyncedDatabase) -> None:
    synced.fails(2, image=image(RAISED, dated()), video=video([], dated(-2 * HOUR)))


def test_g2_a_dry_run_compares_the_clocks_too(synced: SyncedDatabase) -> None:
    synced.fails(2, "--dry-run", image=image(RAISED, dated(2 * DAY)))

    assert synced.query(STATUS) == [("success",)]


@pytest.mark.parametrize("ahead", [HOUR * 0.98, -HOUR * 0.98])
def test_g2_less_than_an_hour_is_accepted(synced: SyncedDatabase, ahead: timedelta) -> None:
    synced.succeeds(image=image(RAISED, dated(ahead)))

    assert synced.events() == ["increase"]


@on_sqlite
@pytest.mark.parametrize("date", ["soon", "", "0", "-1", "2026-03-01T12:00:00Z", "Thu, 99 Foo 2026 99:99:99 GMT"])
def test_g2_a_date_that_is_none_is_noted_and_not_compared(synced: SyncedDatabase, date: str) -> None:
    synced.succeeds(image=image(RAISED, f"Date: {date}"))

    assert "of the response for mode image, its Date header is not a date" in noted(synced)


@on_sqlite
@pytest.mark.parametrize("others", [["Date: soon"], [dated(2 * HOUR)], [dated(-DAY), "Date: 0"]])
def test_g2_of_several_dates_the_one_that_differs_most_counts(synced: SyncedDatabase, others: list[str]) -> None:
    headers = [dated(), *others]
    if others == ["Date: soon"]:
        synced.succeeds(image=image(RAISED, *headers))
    else:
        synced.fails(2, image=image(RAISED, *headers))


@on_sqlite
@pytest.mark.parametrize("date", ["Fri, 31 Dec 9999 23:59:59 GMT", "Mon, 01 Jan 1900 00:00:00 GMT"])
def test_g2_a_date_at_the_end_of_time_is_exit_2(synced: SyncedDatabase, date: str) -> None:
    synced.fails(2, image=image(RAISED, f"Date: {date}", "Age: 300"))


@pytest.mark.parametrize("age", ["3601", "7200", "99999999999999999999", "9" * 5000, "0, 7200"])
def test_g3_a_copy_older_than_an_hour_is_not_used_and_exit_4(synced: SyncedDatabase, age: str) -> None:
    copy = (dated(-2 * HOUR), f"Age: {age}")
    line = synced.fails(4, image=image(RAISED, *copy), video=video([], *copy))

    assert "only a cache answered" in line
    assert synced.query("SELECT MIN(response_age) FROM sync_run_modes WHERE run_id = 2")[0][0] > 3600


def test_g3_a_mode_with_a_fresh_response_is_stored_beside_a_stale_one(synced: SyncedDatabase) -> None:
    stale = video([model("acme/video", 10, mode="video")], dated(-2 * HOUR), "Age: 7200")
    line = synced.sync(image=image(RAISED, dated()), video=stale)

    assert line.code == 4
    assert synced.events() == ["increase"]
    synced.verify()


def test_g3_a_stale_copy_is_requested_again(synced: SyncedDatabase) -> None:
    synced.shell.set(ATTEMPTS="2")
    result = synced.sync(image=image(RAISED, dated(-2 * HOUR), "Age: 7200"))

    assert result.code == 4
    assert synced.query("SELECT attempts FROM sync_run_modes WHERE run_id = 2 AND mode = 'image'") == [(2,)]


@on_sqlite
def test_g3_a_large_stale_copy_is_requested_again(synced: SyncedDatabase) -> None:
    large = image([*LISTED, model("acme/large", 3, description="x" * 70_000)], dated(-2 * HOUR), "Age: 7200")
    synced.shell.set(ATTEMPTS="2")

    assert synced.sync(image=large).code == 4
    assert synced.query("SELECT attempts FROM sync_run_modes WHERE run_id = 2 AND mode = 'image'") == [(2,)]


@pytest.mark.parametrize(
    "models", [RAISED, LISTED[1:], [], [*LISTED, model("acme/new", 1)], [*LISTED, model("acme/bad", -1)]]
)
def test_g3_a_copy_older_than_what_is_stored_reverts_nothing_and_exit_4(
    synced: SyncedDatabase, models: list[object]
) -> None:
    line = synced.fails(4, *ONLY_IMAGE, image=image(models, dated(-timedelta(seconds=1800)), "Age: 1800"))

    assert "a cache answered for mode image with a copy that is older than the one stored" in line
    assert synced.query("SELECT status, stamp FROM sync_run_modes WHERE run_id = 2") == [("failed", None)]


def test_g3_an_accepted_number_uses_no_older_copy(synced: SyncedDatabase) -> None:
    copy = image([], dated(-timedelta(seconds=1800)), "Age: 1800")
    synced.fails(4, *ONLY_IMAGE, "--accept-removals", "4", image=copy)
    synced.fails(4, *ONLY_IMAGE, "--accept-removals", "all", "--dry-run", image=copy)


def test_g3_an_older_copy_that_shows_what_is_stored_is_an_unchanged_run(synced: SyncedDatabase) -> None:
    asked_at = "SELECT good_asked_at FROM sync_state ORDER BY mode"
    before = synced.query(asked_at)
    copy = (dated(-timedelta(seconds=1800)), "Age: 1800")
    synced.succeeds(image=image(LISTED, *copy))
    synced.succeeds(image=image(LISTED, *copy))

    assert synced.query(asked_at)[0] == before[0]
    synced.fails(4, *ONLY_IMAGE, image=image(RAISED, *copy))
    synced.succeeds(image=image(RAISED))
    not_before = "SELECT not_before FROM catalog_changes WHERE run_id > 1"
    assert synced.query(not_before) == synced.query("SELECT asked_at FROM sync_run_modes WHERE run_id = 1 LIMIT 1")


@on_sqlite
def test_g3_hosts_whose_clocks_differ_by_less_than_a_minute_store_what_a_cache_sends(synced: SyncedDatabase) -> None:
    synced.succeeds(image=image(RAISED, dated(-timedelta(seconds=60)), "Age: 60"))

    assert synced.events() == ["increase"]


def test_g3_the_clock_of_the_api_is_date_plus_age(synced: SyncedDatabase, later: timedelta) -> None:
    synced.succeeds(image=image(RAISED, dated(later - HOUR * 0.9), "Age: 3240"), video=video())

    assert synced.query(AGES) == [("image", 3240), ("video", None)]
    line = synced.fails(2, image=image(RAISED, dated(later + HOUR * 0.9), "Age: 3240"))
    assert "and an Age of 3240 s" in line


@pytest.mark.parametrize(("age", "is_noted"), [("0", False), ("300", False), ("301", True), ("3600", True)])
def test_g3_an_age_above_300_seconds_is_noted(
    synced: SyncedDatabase,
    later: timedelta,
    age: str,
    is_noted: bool,  # noqa: FBT001
) -> None:
    synced.succeeds(image=image(RAISED, dated(later - timedelta(seconds=int(age))), f"Age: {age}"))

    assert (f"the response for mode image comes from a cache and is {age} s old" in noted(synced)) == is_noted


def test_g3_not_before_is_when_the_request_began_less_the_age(synced: SyncedDatabase, later: timedelta) -> None:
    synced.succeeds(image=image(LISTED, dated(later - timedelta(seconds=1800)), "Age: 1800"))
    synced.succeeds(image=image(RAISED, dated(later)))

    asked_at, not_before = synced.query(
        "SELECT asked_at, not_before FROM sync_run_modes, catalog_changes WHERE sync_run_modes.run_id = 2"
        " AND mode = 'image' AND catalog_changes.run_id = 3"
    )[0]
    asked, before = (datetime.fromisoformat(str(each)) for each in (asked_at, not_before))
    assert asked - before == timedelta(seconds=1800)


@on_sqlite
@pytest.mark.parametrize("age", ["-5", "soon", "1.5", "", "0x10", "1e3", "+60", "\u0661\u0662"])
def test_g3_an_age_that_is_none_is_noted_and_counts_as_missing(synced: SyncedDatabase, age: str) -> None:
    synced.succeeds(image=image(RAISED, dated(), f"Age: {age}".encode().decode("latin-1")))

    assert "of the response for mode image, its Age header is not a number of seconds" in noted(synced)
    assert synced.query(AGES)[0] == ("image", None)


@on_sqlite
def test_g3_of_several_ages_the_largest_counts(synced: SyncedDatabase) -> None:
    synced.succeeds(image=image(RAISED, dated(), "Age: 20", "Age: 40, x"))

    assert synced.query(AGES)[0] == ("image", 40)


@on_sqlite
def test_g3_a_refusal_from_a_cache_is_not_the_answer_of_the_api(synced: SyncedDatabase) -> None:
    from tests.support.rude_server import response, says

    old = b'{"ok": false, "code": 401, "message": "API key not found", "error_code": "invalid_token"}'
    script = says(response("401 Unauthorized", old, dated(-DAY), "Age: 86400"))
    assert "only a cache answered" in synced.fails_in_both_modes(4, script)
    assert output(synced.shell("status"))
