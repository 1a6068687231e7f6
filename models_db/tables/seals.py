"""The seals: the leaves of the hash tree by which nobody changes what runs stored unnoticed."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Table

from models_db.tables.column_types import key_text
from models_db.tables.columns import allowed_values, big_id
from models_db.tables.metadata import metadata

seals = Table(
    "seals",
    metadata,
    Column(
        "seal_no",
        BigInteger,
        primary_key=True,
        autoincrement=False,
        comment="number of the leaf, from 0; the order in which runs were committed",
    ),
    # Without a foreign key: the seal of a run that was pruned stays.
    Column(
        "run_id",
        big_id(),
        nullable=False,
        comment="run that is sealed, which may have been pruned; for genesis, the last run that older versions name",
    ),
    Column(
        "kind",
        key_text(16),
        nullable=False,
        comment="changed if the run opened or closed versions, else unchanged; genesis for the versions that are older"
        " than the seals",
    ),
    Column("leaf_hash", key_text(64), nullable=False, comment="RFC 6962 hash of the entry of the run, in hex"),
    Column("tree_root", key_text(64), nullable=False, comment="root of the tree with this leaf as its last, in hex"),
    allowed_values("kind", "changed", "unchanged", "genesis"),
    comment="one row per run that was applied, and one for older history; never pruned",
)
