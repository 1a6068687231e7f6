"""The columns that many tables have, said once."""

from __future__ import annotations

from decimal import Decimal

from sqlalchemy import BigInteger, CheckConstraint, Column, ForeignKey, Integer, String

from models_db.tables.column_types import Decimals

MODES = ("image", "video")


def big_id() -> BigInteger:
    return BigInteger().with_variant(Integer(), "sqlite")  # only INTEGER counts up by itself there


def one_of(column: str, *words: str) -> CheckConstraint:
    listed = ", ".join(f"'{word}'" for word in words)
    return CheckConstraint(f"{column} IN ({listed})", name=column)


def model_pk(*, primary_key: bool = False) -> Column[int]:
    target = ForeignKey("models.model_pk")
    return Column("model_pk", Integer, target, primary_key=primary_key, nullable=False, comment="the model")


def run_reference(name: str, comment: str, *, nullable: bool = False) -> Column[int]:
    return Column(name, big_id(), ForeignKey("sync_runs.run_id"), nullable=nullable, index=True, comment=comment)


def cost(name: str, comment: str) -> Column[Decimal]:
    return Column(name, Decimals(24, 12), comment=comment)


def exact_cost_column(name: str, comment: str) -> Column[str]:
    return Column(name, String(64), comment=comment)
