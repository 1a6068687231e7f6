"""Records that are kept and records that are made again are the same."""

from __future__ import annotations

import pytest

from sync.catalog.changes import classify, lazy_records
from sync.errors import ResponseRejected
from tests.support.made_plans import plan
from tests.support.made_responses import FULL, model, parsed_response

LATER = [model("b", note="\x00"), model("a"), FULL]


@pytest.fixture(params=[0, 10**9], ids=["made again", "kept"])
def kept_bytes(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(lazy_records, "KEPT_BYTES", request.param)
    return int(request.param)


def test_a_record_is_the_same_however_often_it_is_read(kept_bytes: int) -> None:
    records = classify.classify(parsed_response(LATER), {}).records

    assert (records["a"] is records["a"]) == bool(kept_bytes)
    assert records["a"] == records["a"]
    assert sorted(records) == sorted(one["id"] for one in LATER)
    assert all(record.model_id == id_ for id_, record in records.items())


def test_what_is_not_there_is_not_made(kept_bytes: int) -> None:
    records = classify.classify(parsed_response(LATER), {}).records

    assert "z" not in records
    with pytest.raises(KeyError):
        records["z"]


def test_copies_of_a_model_are_compared_with_the_first(kept_bytes: int) -> None:
    assert len(classify.classify(parsed_response([model("a"), model("a", tags=None)]), {}).records) == 1
    with pytest.raises(ResponseRejected, match="different models with the id 'a'"):
        classify.classify(parsed_response([model("a"), model("a", cost=4)]), {})


def test_a_plan_is_the_same_and_counts_without_making_records(kept_bytes: int) -> None:
    made = plan(LATER)

    assert [change.model_id for change in made.changes] == sorted(one["id"] for one in LATER)
    assert (made.count("added"), made.count("changed"), made.changes.event_count) == (3, 0, 3)
    assert made.changes[1:] == [*made.changes][1:]
    assert made.notes[-1].startswith("NUL or lone surrogates were left out of the columns of 2 image models")
