"""The catalog as it is now."""

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
from models_db.tables.columns import MODES, cost, exact_cost_column, model_pk, one_of
from models_db.tables.metadata import IDS_NOT_REUSED, metadata

models = Table(
    "models",
    metadata,
    Column("model_pk", Integer, primary_key=True, comment="our number for the model; it stays when the model goes"),
    Column("mode", key_text(16), nullable=False, comment="image or video"),
    Column("model_id", key_text(255), nullable=False, comment="the API's id; exact to case, accent and blank"),
    Column("name", LongText, comment="name, as last seen"),
    Column("provider", LongText, comment="provider, as last seen"),
    Column("description", LongText, comment="description, as last seen"),
    Column("first_seen_at", UtcDateTime, nullable=False, comment="first time it was in an answer"),
    Column("removed_at", UtcDateTime, comment="when it was found missing; NULL while listed"),
    Column("last_seen_at", UtcDateTime, comment="last good look that still had it; NULL while listed"),
    Column(
        "fingerprint",
        key_text(80),
        comment="normaliser version and SHA-256 of the open version's raw text; NULL while not listed",
    ),
    UniqueConstraint("mode", "model_id"),
    one_of("mode", *MODES),
    comment="every model ever listed, one row per mode and id",
    info=IDS_NOT_REUSED,
)

credits = Table(
    "credits",
    metadata,
    model_pk(primary_key=True),
    cost("default_cost", "cost in credits, for arithmetic; NULL when the API gives none"),
    exact_cost_column("default_cost_exact", "cost in credits, the exact decimal the API sent"),
    Column("notes", LongText, comment="the API's note on the cost"),
    comment="what each listed model costs now",
)

params = Table(
    "params",
    metadata,
    model_pk(primary_key=True),
    Column("param_name", key_text(255), primary_key=True, comment="name of the parameter"),
    Column("data_type", LongText, comment="its type, where given"),
    Column("default_value", LongText, comment="its default: strings bare, all else JSON"),
    Column("min_value", LongText, comment="its least value, where given"),
    Column("max_value", LongText, comment="its greatest value, where given"),
    Column("is_required", SmallInteger, comment="1 or 0, where given"),
    Column("definition", LongText, nullable=False, comment="the whole entry as canonical JSON"),
    comment="parameters of each listed model",
)

param_options = Table(
    "param_options",
    metadata,
    model_pk(primary_key=True),
    Column("param_name", key_text(255), primary_key=True, comment="name of the parameter"),
    Column("position", Integer, primary_key=True, autoincrement=False, comment="rank in canonical order, from 0"),
    Column("option_value", LongText, nullable=False, comment="an allowed value: strings bare, all else JSON"),
    ForeignKeyConstraint(["model_pk", "param_name"], ["params.model_pk", "params.param_name"]),
    comment="allowed values of each parameter",
)

inputs = Table(
    "inputs",
    metadata,
    model_pk(primary_key=True),
    Column("requirement", key_text(16), primary_key=True, comment="required or optional"),
    Column("input_name", key_text(255), primary_key=True, comment="name of the input"),
    one_of("requirement", "required", "optional"),
    comment="inputs that each listed model takes",
)

input_rules = Table(
    "input_rules",
    metadata,
    model_pk(primary_key=True),
    Column("position", Integer, primary_key=True, autoincrement=False, comment="rank in canonical order, from 0"),
    Column("rule_kind", LongText, nullable=False, comment="what stands before the colon, such as one_of"),
    Column("rule", LongText, nullable=False, comment="the whole rule, such as one_of:prompt,speech_text"),
    comment="conditional rules between the inputs of each listed model",
)

capabilities = Table(
    "capabilities",
    metadata,
    model_pk(primary_key=True),
    Column("capability", key_text(255), primary_key=True, comment="dotted path; . and \\ inside a key follow a \\"),
    Column("position", Integer, primary_key=True, autoincrement=False, comment="rank in canonical order, from 0"),
    Column("value", LongText, nullable=False, comment="its value: strings bare, all else JSON"),
    comment="capabilities of each listed model",
)
