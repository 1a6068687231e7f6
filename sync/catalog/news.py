"""What the database knows of runs, as far as somebody may want to be told: values without rules. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

from msgspec import Struct


class Event(Struct, frozen=True):
    """Something that happened to a model, a mode or a run. Costs are exact decimals, values JSON texts."""

    kind: str
    run_id: int | None
    mode: str | None = None
    """None if it concerns both modes."""
    model_id: str | None = None
    model_name: str | None = None
    provider: str | None = None
    old_cost: str | None = None
    new_cost: str | None = None
    delta: Decimal | None = None
    percent: Decimal | None = None
    not_before: datetime | None = None
    seen_at: datetime | None = None
    field: str | None = None
    """For ``changed``, the entity and the field."""
    old_value: str | None = None
    new_value: str | None = None
    reason: str | None = None
    """For what is no change of a model: a clause for people."""
    gap: timedelta | None = None
    """For ``recovered``: the time without a successful sync. With no ``reason`` it matters only if that is long."""


class ModeOfRun(Struct, frozen=True):
    """A row of ``sync_run_modes``, as far as it decides events."""

    mode: str
    status: str
    is_good: bool = False
    stamp: datetime | None = None
    hold_reason: str | None = None
    held_ids: str | None = None
    previous_success_at: datetime | None = None


class RunRow(Struct, frozen=True):
    """A run, as far as it decides events."""

    run_id: int
    status: str
    trigger_kind: str = "cli"
    is_replayed: bool = False
    finished_at: datetime | None = None
    error_type: str | None = None
    error_message: str | None = None
    modes: tuple[ModeOfRun, ...] = ()

    @property
    def is_past(self) -> bool:
        """Whether it records what was fetched at another time: imported and replayed runs tell nobody anything."""
        return self.trigger_kind == "import" or self.is_replayed

    def of(self, mode: str) -> ModeOfRun | None:
        return next((each for each in self.modes if each.mode == mode), None)

    def status_in(self, mode: str) -> str | None:
        """How the run ended in a mode; None if it says nothing about the mode."""
        found = self.of(mode)
        if found is not None:
            return None if found.status == "superseded" else found.status
        # A run that died or failed before it fetched concerns both modes.
        return self.status if not self.modes and self.status in ("failed", "abandoned") else None


class Rejection(Struct, frozen=True):
    """A model that a run rejected, or no longer rejects: ``opened`` says which."""

    run_id: int
    mode: str
    model_id: str | None
    raw_sha256: str
    reason: str
    opened: bool
    not_before: datetime | None = None
    seen_at: datetime | None = None

    @property
    def cause(self) -> tuple[str, str, str]:
        """What a person knows already if it was rejected before: which model, and why."""
        return (self.mode, self.raw_sha256 if self.model_id is None else f"id {self.model_id}", self.reason)


class LastSuccess(Struct, frozen=True):
    """When a mode was observed for the last time."""

    mode: str
    at: datetime | None
