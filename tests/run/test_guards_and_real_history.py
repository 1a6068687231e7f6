"""How often the guards hold back what really happened, in the history of prices that the tests keep."""

from __future__ import annotations

import json

from sqlalchemy import Engine

from tests.run.conftest import REAL_HISTORY
from tests.run.conftest import import_file as import_again
from tests.support.run_driver import column


def test_five_of_99_lines_need_a_person_for_removals_and_none_for_costs_or_another_catalog(
    real_history: Engine,
) -> None:
    """The 37 models were chosen because they moved; of all 999 models of the source three lines of 495 need one."""
    accepted = [json.loads(text) for text in column(real_history, "sync_runs.accepted") if text]
    assert [each["removals"] for each in accepted] == [
        {"video": 4},
        {"video": 1},
        {"image": 6},
        {"image": 3},
        {"image": 3},
    ]
    assert [each for each in accepted if "costs" in each] == []

    lines = column(real_history, "sync_runs.run_id", "accepted")
    held = {run_id: next(iter(json.loads(text)["removals"])) for run_id, text in lines if text}
    new = [
        column(real_history, "sync_run_modes.models_added", where={"run_id": run, "mode": held[run]}) for run in held
    ]
    assert new == [[0], [1], [0], [0], [0]]  # fewer than three, so none of them looked like another catalog
    assert set(column(real_history, "sync_run_modes.hold_reason")) == {None}
    assert set(import_again(real_history, REAL_HISTORY)) == {None}
