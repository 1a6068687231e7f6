"""What is recorded, as values: models, costs, runs. Times are in UTC, costs are exact."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any


@dataclass(frozen=True, slots=True)
class Model:
    """A model as it is or was listed."""

    mode: str
    model_id: str
    model_name: str | None
    provider: str | None
    credit_cost: Decimal | None
    """None if the API gave no cost; zero is a price."""
    credit_notes: str | None
    credit_cost_since: datetime
    """When the cost was first observed."""
    first_seen_at: datetime


@dataclass(frozen=True, slots=True)
class CostInterval:
    """A cost from ``valid_from`` until just before ``valid_to``, which is None while it is in effect."""

    valid_from: datetime
    valid_to: datetime | None
    credit_cost: Decimal | None


@dataclass(frozen=True, slots=True)
class ModelDetail:
    """A model in full, as of a moment. A removed model is as it was last listed."""

    mode: str
    model_id: str
    is_listed: bool
    first_seen_at: datetime
    unchanged_since: datetime
    """When the API was first observed to send this."""
    model_name: str | None
    provider: str | None
    description: str | None
    credit_cost: Decimal | None
    credit_notes: str | None
    credit_details: tuple[Mapping[str, Any], ...]
    """The other prices, by ``path`` and ``value``."""
    params: tuple[Mapping[str, Any], ...]
    """The parameters, each with its ``options``."""
    inputs: tuple[Mapping[str, Any], ...]
    input_rules: tuple[str, ...]
    capabilities: tuple[Mapping[str, Any], ...]
    cost_history: tuple[CostInterval, ...]
    """In order of time, with a gap while the model was not listed."""
    raw: str
    """The text that the API sent."""


@dataclass(frozen=True, slots=True)
class CostAt:
    """A cost at a moment: what is recorded, and what else is possible.

    A change happened between ``not_before``, when the sync before began its request, and ``changed_at``, when a sync
    observed it. Between the two both the old cost and the new one are possible: ``is_sure`` is false, and ``low`` and
    ``high`` are the smallest and the largest that is possible.
    """

    mode: str
    model_id: str
    moment: datetime
    value: Decimal | None
    """The recorded cost; None without one, while the model is not listed, and before the history."""
    low: Decimal | None
    """The same as ``value`` if it is sure, as ``high``."""
    high: Decimal | None
    is_listed: bool | None
    """Whether the model is recorded as listed at the moment; None before the history of its mode."""
    is_sure: bool
    """Whether nothing else is possible, as far as was observed: see ``last_observed_at``."""
    since: datetime | None
    """When the recorded cost was first observed; None without one."""
    unsure_from: datetime | None
    """When the change that may have happened before the moment could first have happened; None if it is sure."""
    unsure_until: datetime | None
    """When it was observed."""
    last_observed_at: datetime | None
    """When the last successful sync observed the mode: what happened later is not known. None if there was none."""


@dataclass(frozen=True, slots=True)
class RunMode:
    """The result of a recorded run in one mode; None is what is not known."""

    mode: str
    status: str
    models_received: int | None
    models_rejected: int | None
    models_added: int | None
    models_changed: int | None
    models_removed: int | None
    removals_held: int | None
    models_listed: int | None
    hold_reason: str | None


@dataclass(frozen=True, slots=True)
class Run:
    """A recorded run."""

    run_id: int
    started_at: datetime
    finished_at: datetime | None
    status: str
    """``running``, ``success``, ``partial``, ``held``, ``failed``, ``superseded`` or ``abandoned``."""
    trigger_kind: str
    base_url: str | None
    host: str | None
    key_fingerprint: str | None
    error_message: str | None
    note: str | None
    accepted: str | None
    """What a person accepted, as JSON text."""
    modes: tuple[RunMode, ...]


@dataclass(frozen=True, slots=True)
class Finding:
    """A stored row that breaks a rule; what does not apply to the row is None."""

    table: str
    mode: str | None
    model_id: str | None
    at: datetime | None
    problem: str
    """One line."""
