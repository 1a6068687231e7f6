"""The views: what people and BI tools read. One SQL text for PostgreSQL, MariaDB and SQLite.

No string literals (MariaDB gives them their creator's collation), no date arithmetic (``calendar_days``
has done it), no JSON. How they get into a database is said in ``view_install``.
"""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Table

from models_db import tables
from models_db.tables.metadata import metadata
from models_db.views.view import View, ViewColumn

TODAY = "names are today's"
AS_THEN = "names are those of the time"


def _column(expression: str, name: str | None = None, comment: str | None = None) -> ViewColumn:
    """A stored column, ``table.column``: its own name and comment unless others are given."""
    table, _, column = expression.partition(".")
    stored = metadata.tables[table].columns[column]
    return ViewColumn(name or column, expression, comment or stored.comment or "")


def _stored(table: Table, *names: str) -> Iterator[ViewColumn]:
    return (_column(f"{table.name}.{name}") for name in names)


def _number(aggregate: str) -> str:
    """An aggregate of costs as NUMERIC(24,12) on PostgreSQL and MariaDB, always REAL on SQLite.

    There the sum makes a whole number REAL and COALESCE keeps it so: a bare CAST would turn it back
    into an integer, and tools that take a column's type from its first row would cut the other rows.
    """
    return f"COALESCE(CAST({aggregate} + 0.0 AS DECIMAL(24,12)), CAST(NULL AS DECIMAL(24,12)))"


def _statistics(cost: str, counted: str) -> Iterator[ViewColumn]:
    """How many models there are and what they cost; ``types_from`` has models and credits."""
    count, number = "models.model_pk", "credits.default_cost"
    yield ViewColumn("model_count", f"COUNT({counted})", "listed models", count)
    yield ViewColumn("priced_model_count", f"COUNT({cost})", "those of them that have a cost", count)
    for name, aggregate, comment in (
        ("min_credit_cost", "MIN", "least cost in credits; NULL when none has one"),
        ("avg_credit_cost", "AVG", "mean cost in credits of those that have one"),
        ("max_credit_cost", "MAX", "greatest cost in credits"),
    ):
        yield ViewColumn(name, _number(f"{aggregate}({cost})"), comment, number)


_MODEL_IDS = (*_stored(tables.models, "mode", "model_id"),)
_MODEL_TODAY = (
    *_MODEL_IDS,
    _column("models.name", "model_name"),
    _column("models.provider"),
)

CURRENT_CATALOG = View(
    "v_current_catalog",
    "one row per listed model, with what it costs now",
    (
        *_MODEL_TODAY,
        _column("credits.default_cost", "credit_cost"),
        _column("credits.default_cost_exact", "credit_cost_exact"),
        _column("credits.notes", "credit_notes"),
        _column("credit_history.valid_from", "credit_cost_since", "since when it has cost this"),
        _column("models.first_seen_at"),
        # A model that came, came back or changed its cost in a partial run was seen then, and that was
        # later than the last good look.
        ViewColumn(
            "last_seen_at",
            "CASE WHEN sync_state.good_observed_at > credit_history.valid_from"
            " THEN sync_state.good_observed_at ELSE credit_history.valid_from END",
            "the mode's last good look, which had it",
        ),
        _column("models.description"),
    ),
    "FROM models JOIN sync_state ON sync_state.mode = models.mode"
    " LEFT JOIN credits ON credits.model_pk = models.model_pk"
    " LEFT JOIN credit_history ON credit_history.open_model_pk = models.model_pk"
    " WHERE models.removed_at IS NULL",
)

# Outer joins, though every change has its model and its run: else MariaDB begins with those and picks up the
# changes of each one by one.
CREDIT_COST_CHANGES = View(
    "v_credit_cost_changes",
    f"one row per change of a cost, models added, removed and relisted included; {AS_THEN}",
    (
        *_stored(tables.catalog_changes, "changed_at", "not_before"),
        *_MODEL_IDS,
        *_stored(tables.catalog_changes, "model_name", "provider", "change_kind", "old_cost", "new_cost"),
        *_stored(tables.catalog_changes, "old_cost_exact", "new_cost_exact", "delta_cost", "pct_change", "run_id"),
    ),
    "FROM catalog_changes LEFT JOIN models ON models.model_pk = catalog_changes.model_pk"
    " WHERE catalog_changes.is_cost_event = 1",
)

CREDIT_COST_HISTORY = View(
    "v_credit_cost_history",
    f"one row per model and interval in which its cost stayed the same; {TODAY}",
    (
        *_MODEL_TODAY,
        _column("credit_history.default_cost", "credit_cost"),
        _column("credit_history.default_cost_exact", "credit_cost_exact"),
        *_stored(tables.credit_history, "valid_from", "valid_to"),
        ViewColumn("is_current", "CASE WHEN credit_history.valid_to IS NULL THEN 1 ELSE 0 END", "1 if it is so now"),
        *_stored(tables.credit_history, "opened_run_id", "closed_run_id"),
    ),
    "FROM credit_history JOIN models ON models.model_pk = credit_history.model_pk",
)

_LAST_DAYS_END = "(SELECT MAX(last_day.day_end_at) FROM calendar_days last_day)"
_LISTED_AT_DAYS_END = "(stretch.valid_to IS NULL OR stretch.valid_to >= calendar_days.day_end_at)"

# Each interval finds its days by their index, those of the gap after it too. CROSS JOIN is what keeps
# SQLite from trying every interval of a model on each of its days instead. The cost is looked up by its
# key and not put into a CASE, or joined: of a CASE neither SQLite nor PostgreSQL would declare the type,
# and PostgreSQL takes the joined rows for so many that it reads the whole history for one model.
CREDIT_COST_DAILY = View(
    "v_credit_cost_daily",
    f"one row per model and UTC day, from the day it was first seen to the last calendar day; {TODAY}",
    (
        _column("calendar_days.day"),
        *_MODEL_TODAY,
        ViewColumn(
            "credit_cost",
            "(SELECT credit_history.default_cost FROM credit_history"  # noqa: S608  # our own text
            " WHERE credit_history.model_pk = stretch.model_pk AND credit_history.valid_from = stretch.valid_from"
            f" AND {_LISTED_AT_DAYS_END})",
            "cost at the end of the day, carried over days without a run; NULL while not listed or without a cost",
        ),
        ViewColumn(
            "is_listed",
            f"CASE WHEN {_LISTED_AT_DAYS_END} THEN 1 ELSE 0 END",
            "1 if it was listed at the end of the day",
        ),
    ),
    "FROM models JOIN credit_history stretch ON stretch.model_pk = models.model_pk CROSS JOIN calendar_days"
    " WHERE calendar_days.day_end_at > stretch.valid_from"
    f" AND calendar_days.day_end_at <= COALESCE(stretch.gap_to, stretch.valid_to, {_LAST_DAYS_END})",
)

PROVIDER_COSTS = View(
    "v_provider_costs",
    "one row per mode and provider of listed models, with what they cost now",
    (*_stored(tables.models, "mode", "provider"), *_statistics("credits.default_cost", "models.model_pk")),
    "FROM models LEFT JOIN credits ON credits.model_pk = models.model_pk"
    " WHERE models.removed_at IS NULL GROUP BY models.mode, models.provider",
    types_from="models JOIN credits ON credits.model_pk = models.model_pk",
)

PROVIDER_COSTS_DAILY = View(
    "v_provider_costs_daily",
    f"one row per UTC day, mode and provider of models listed at its end; {TODAY}",
    (
        _column("calendar_days.day"),
        *_stored(tables.models, "mode", "provider"),
        *_statistics("credit_history.default_cost", "models.model_pk"),
    ),
    "FROM models JOIN credit_history ON credit_history.model_pk = models.model_pk CROSS JOIN calendar_days"
    " WHERE calendar_days.day_end_at > credit_history.valid_from"
    f" AND calendar_days.day_end_at <= COALESCE(credit_history.valid_to, {_LAST_DAYS_END})"
    " GROUP BY calendar_days.day, models.mode, models.provider",
    types_from="models JOIN credits ON credits.model_pk = models.model_pk CROSS JOIN calendar_days",
)

CATALOG_CHANGES = View(
    "v_catalog_changes",
    f"one row per changed field of a model; {AS_THEN}",
    (
        *_stored(tables.catalog_changes, "changed_at", "not_before"),
        *_MODEL_IDS,
        *_stored(tables.catalog_changes, "model_name", "provider", "entity", "field", "change_kind"),
        *_stored(tables.catalog_changes, "old_value", "new_value", "run_id"),
        *_stored(tables.sync_runs, "trigger_kind", "app_version"),
    ),
    "FROM catalog_changes LEFT JOIN models ON models.model_pk = catalog_changes.model_pk"
    " LEFT JOIN sync_runs ON sync_runs.run_id = catalog_changes.run_id",
)

MODEL_PARAMS = View(
    "v_model_params",
    "one row per parameter of a listed model and allowed value; one row too where no values are listed",
    (
        *_MODEL_TODAY,
        *_stored(tables.params, "param_name", "data_type", "is_required", "default_value", "min_value", "max_value"),
        _column("param_options.option_value"),
    ),
    "FROM models JOIN params ON params.model_pk = models.model_pk"
    " LEFT JOIN param_options ON param_options.model_pk = params.model_pk"
    " AND param_options.param_name = params.param_name"
    " WHERE models.removed_at IS NULL",
)

MODEL_INPUTS = View(
    "v_model_inputs",
    "one row per input of a listed model",
    (*_MODEL_TODAY, *_stored(tables.inputs, "input_name", "requirement")),
    "FROM models JOIN inputs ON inputs.model_pk = models.model_pk WHERE models.removed_at IS NULL",
)

MODEL_CAPABILITIES = View(
    "v_model_capabilities",
    "one row per capability of a listed model and value",
    (*_MODEL_TODAY, *_stored(tables.capabilities, "capability", "value")),
    "FROM models JOIN capabilities ON capabilities.model_pk = models.model_pk WHERE models.removed_at IS NULL",
)

CALENDAR_DAYS = View(
    "v_calendar_days",
    "one row per UTC day, from the first run to the last: what stands in for date arithmetic",
    (*_stored(tables.calendar_days, "day", "day_start_at", "day_end_at"),),
    "FROM calendar_days",
)

SYNC_RUNS = View(
    "v_sync_runs",
    "one row per run and mode asked; a run that asked none has a row too",
    (
        *_stored(tables.sync_runs, *tables.sync_runs.columns.keys()),
        _column("sync_run_modes.mode"),
        _column("sync_run_modes.status", "mode_status"),
        *_stored(tables.sync_run_modes, *tables.sync_run_modes.columns.keys()[3:]),
    ),
    "FROM sync_runs LEFT JOIN sync_run_modes ON sync_run_modes.run_id = sync_runs.run_id",
)

# A view comes after those it stands on.
VIEWS = (
    CURRENT_CATALOG,
    CREDIT_COST_CHANGES,
    CREDIT_COST_HISTORY,
    CREDIT_COST_DAILY,
    PROVIDER_COSTS,
    PROVIDER_COSTS_DAILY,
    CATALOG_CHANGES,
    MODEL_PARAMS,
    MODEL_INPUTS,
    MODEL_CAPABILITIES,
    CALENDAR_DAYS,
    SYNC_RUNS,
)
