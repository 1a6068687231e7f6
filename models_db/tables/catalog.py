"""The current catalog: one row per model, and rows for the parts of each listed model."""

from __future__ import annotations

from sqlalchemy import (
    Column,
    ForeignKeyConstraint,
    Integer,
    SmallInteger,
    Table,
    UniqueConstraint,
)

from models_db.tables.column_types import LongText, UtcDateTime, key_text
from models_db.tables.columns import MODES, allowed_values, cost_column, exact_cost_column, model_pk_column
from models_db.tables.metadata import IDS_NOT_REUSED, metadata

models = Table(
    "models",
    metadata,
    Column("model_pk", Integer, primary_key=True, comment="internal number of the model; a removed model keeps it"),
    Column("mode", key_text(16), nullable=False, comment="image or video"),
    Column(
        "model_id",
        key_text(255),
        nullable=False,
        comment="the API's id of the model; case, accents and blanks are significant",
    ),
    Column("name", LongText, comment="name, as last observed"),
    Column("provider", LongText, comment="provider, as last observed"),
    Column("description", LongText, comment="description, as last observed"),
    Column("first_seen_at", UtcDateTime, nullable=False, comment="when the model was first observed"),
    Column("removed_at", UtcDateTime, comment="when the model was found missing; NULL while it is listed"),
    Column("last_seen_at", UtcDateTime, comment="last successful sync that listed the model; NULL while it is listed"),
    Column(
        "fingerprint",
        key_text(80),
        comment="version of the normaliser, and SHA-256 of the open version's raw text; NULL while not listed",
    ),
    Column("series", key_text(275), comment="what a chart calls the model: model_id, and the mode in brackets"),
    UniqueConstraint("mode", "model_id"),
    allowed_values("mode", *MODES),
    comment="every model that was ever listed, one row per mode and model_id",
    info=IDS_NOT_REUSED,
)

credits = Table(
    "credits",
    metadata,
    model_pk_column(primary_key=True),
    cost_column("default_cost", "cost in credits, for arithmetic; NULL if the API gives no cost"),
    exact_cost_column("default_cost_exact", "cost in credits, the exact decimal that the API sent"),
    Column("notes", LongText, comment="the API's note on the cost"),
    comment="current cost of each listed model",
)

credit_details = Table(
    "credit_details",
    metadata,
    model_pk_column(primary_key=True),
    Column(
        "path",
        key_text(255),
        primary_key=True,
        comment="dotted path of the value under credits, places in a list from 0; a \\ precedes . and \\ inside a key",
    ),
    Column("value", LongText, nullable=False, comment="the value: a string as it is, any other value as JSON"),
    cost_column("value_number", "the value, for arithmetic; NULL if it is not a number or too large"),
    comment="values of credits of each listed model beside cost and notes, such as prices by duration",
)

params = Table(
    "params",
    metadata,
    model_pk_column(primary_key=True),
    Column("param_name", key_text(255), primary_key=True, comment="name of the parameter"),
    Column("data_type", LongText, comment="type of the parameter; NULL if the API does not give it"),
    Column("default_value", LongText, comment="default of the parameter: a string as it is, any other value as JSON"),
    Column("min_value", LongText, comment="lowest value allowed; NULL if the API does not give it"),
    Column("max_value", LongText, comment="highest value allowed; NULL if the API does not give it"),
    Column(
        "is_required", SmallInteger, comment="1 if the parameter is required, else 0; NULL if the API does not give it"
    ),
    Column("definition", LongText, nullable=False, comment="the whole entry as canonical JSON"),
    comment="parameters of each listed model",
)

param_options = Table(
    "param_options",
    metadata,
    model_pk_column(primary_key=True),
    Column("param_name", key_text(255), primary_key=True, comment="name of the parameter"),
    Column("position", Integer, primary_key=True, autoincrement=False, comment="rank in canonical order, from 0"),
    Column(
        "option_value", LongText, nullable=False, comment="allowed value: a string as it is, any other value as JSON"
    ),
    ForeignKeyConstraint(["model_pk", "param_name"], ["params.model_pk", "params.param_name"]),
    comment="allowed values of each parameter",
)

inputs = Table(
    "inputs",
    metadata,
    model_pk_column(primary_key=True),
    Column("requirement", key_text(16), primary_key=True, comment="required or optional"),
    Column("input_name", key_text(255), primary_key=True, comment="name of the input"),
    allowed_values("requirement", "required", "optional"),
    comment="inputs of each listed model",
)

input_rules = Table(
    "input_rules",
    metadata,
    model_pk_column(primary_key=True),
    Column("position", Integer, primary_key=True, autoincrement=False, comment="rank in canonical order, from 0"),
    Column("rule_kind", LongText, nullable=False, comment="part of the rule before the colon, such as one_of"),
    Column("rule", LongText, nullable=False, comment="the whole rule, such as one_of:prompt,speech_text"),
    comment="rules between the inputs of each listed model",
)

capabilities = Table(
    "capabilities",
    metadata,
    model_pk_column(primary_key=True),
    Column(
        "capability",
        key_text(255),
        primary_key=True,
        comment="dotted path of the capability; a \\ precedes . and \\ inside a key",
    ),
    Column("position", Integer, primary_key=True, autoincrement=False, comment="rank in canonical order, from 0"),
    Column(
        "value", LongText, nullable=False, comment="value of the capability: a string as it is, any other value as JSON"
    ),
    comment="capabilities of each listed model",
)
