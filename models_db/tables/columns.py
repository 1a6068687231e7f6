"""Columns and constraints that several tables share."""

from __future__ import annotations

from decimal import Decimal

from sqlalchemy import BigInteger, CheckConstraint, Column, ForeignKey, Integer, String

from models_db.tables.column_types import Decimals

MODES = ("image", "video")


def big_id() -> BigInteger:
    """Return the type of an id that the database generates. SQLite generates ids for INTEGER only."""
    return BigInteger().with_variant(Integer(), "sqlite")


def allowed_values(column: str, *values: str) -> CheckConstraint:
    listed = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({listed})", name=column)


def model_pk_column(*, primary_key: bool = False) -> Column[int]:
    target = ForeignKey("models.model_pk")
    return Column("model_pk", Integer, target, primary_key=primary_key, nullable=False, comment="the model")


def run_id_column(name: str, comment: str, *, nullable: bool = False) -> Column[int]:
    return Column(name, big_id(), ForeignKey("sync_runs.run_id"), nullable=nullable, index=True, comment=comment)


def cost_column(name: str, comment: str) -> Column[Decimal]:
    """Return a column for arithmetic. The exact cost is in the text column beside it."""
    return Column(name, Decimals(24, 12), comment=comment)


def exact_cost_column(name: str, comment: str) -> Column[str]:
    return Column(name, String(64), comment=comment)
