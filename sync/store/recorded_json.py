"""The JSON in the columns of runs, read for people. ``verify`` reads it in sync.catalog.verify."""

from __future__ import annotations

import json
from typing import Any, cast

from sync.errors import CheckFailed


def accepted_in(run_id: object, text: object) -> dict[str, Any] | None:
    """What a person accepted in a run; None for nothing. Raises ``CheckFailed`` for what no run writes."""
    if text is None:
        return None
    from sync.catalog.verify.accepted import parse_accepted  # most runs have nothing to read

    if parse_accepted(text) is None:
        raise _damaged("sync_runs.accepted", run_id, text)
    return cast("dict[str, Any]", json.loads(str(text)))


def held_ids_in(run_id: object, text: object) -> list[str]:
    """The ids that a run held back in a mode. Raises ``CheckFailed`` for what no run writes."""
    if text is None:
        return []
    from sync.catalog.verify.mode_rows import held_ids_of

    ids = held_ids_of(text)
    if ids is None:
        raise _damaged("sync_run_modes.held_ids", run_id, text)
    return ids


def _damaged(column: str, run_id: object, value: object) -> CheckFailed:
    from sync.catalog.verify.findings import format_value

    return CheckFailed(
        f"the record is damaged: {column} of run {run_id} is {format_value(value)}, which no run writes; run"
        " catalog-sync verify, and restore a backup that verifies"
    )
