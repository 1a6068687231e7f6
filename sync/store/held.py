"""What waits for a person. Reads only."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, select

from models_db.tables import sync_run_modes, sync_state
from sync.store.recorded_json import held_ids_in


@dataclass(frozen=True, slots=True)
class HeldMode:
    """A mode of which the last applied run held something back."""

    mode: str
    run_id: int
    hold_reason: str
    removals_held: int
    held_ids: tuple[str, ...]
    """The ids of the models for which it is held back; none in a run of a version that did not record them."""


def held_modes(connection: Connection) -> list[HeldMode]:
    """The modes in which something is held back now, in mode order."""
    of = sync_run_modes.c
    of_run = (sync_run_modes.c.run_id == sync_state.c.run_id) & (sync_run_modes.c.mode == sync_state.c.mode)
    query = (
        select(sync_state.c.mode, sync_state.c.run_id, of.hold_reason, of.removals_held, of.held_ids)
        .select_from(sync_state.join(sync_run_modes, of_run))
        .where(sync_run_modes.c.hold_reason.is_not(None))
        .order_by(sync_state.c.mode)
    )
    return [
        HeldMode(mode, run, why, number or 0, tuple(held_ids_in(run, ids)))
        for mode, run, why, number, ids in connection.execute(query)
    ]
