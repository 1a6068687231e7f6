"""The marks of the time axis."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.catalog.history.report_data import Period
from sync.show.report.time_axis import marks

_FIRST = datetime.min.replace(tzinfo=UTC)
START = datetime(2026, 1, 20, 14, 25, tzinfo=UTC)


@pytest.mark.parametrize(
    ("duration", "texts"),
    [
        (timedelta(minutes=4), ["14:26", "14:27", "14:28"]),
        (timedelta(hours=3), ["15:00", "16:00", "17:00"]),
        (timedelta(days=1), ["18:00", "00:00", "06:00", "12:00"]),
        (timedelta(days=5), ["21 Jan", "22 Jan", "23 Jan", "24 Jan", "25 Jan"]),
        (timedelta(days=30), ["29 Jan", "5 Feb", "12 Feb"]),
        (timedelta(days=90), ["Feb", "Mar", "Apr"]),
        (timedelta(days=365), ["Apr", "Jul", "Oct"]),
        (timedelta(days=3 * 365), ["2027", "2028"]),
    ],
    ids=str,
)
def test_the_marks_are_at_whole_units(duration: timedelta, texts: list[str]) -> None:
    found = [mark.text for mark in marks(Period(START, START + duration), 218) if mark.text]

    assert found == texts


@given(
    st.timedeltas(timedelta(days=1), timedelta(days=3_652_000)).map(lambda each: _FIRST + each),
    st.timedeltas(timedelta(microseconds=1), timedelta(days=400_000)),
)
def test_every_period_has_few_marks_in_order_and_inside_it(start: datetime, duration: timedelta) -> None:
    latest = datetime.max.replace(tzinfo=UTC)
    end = latest if duration > latest - start else start + duration
    found = marks(Period(start, end), 218)
    places = [float(mark.x) for mark in found]

    assert len(found) <= 7
    assert places == sorted(places)
    assert all(0 <= place <= 218 for place in places)
