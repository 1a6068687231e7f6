"""How far each destination of ``notify`` has been sent to."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Integer, Table, text

from models_db.tables.column_types import LongText, UtcDateTime, key_text
from models_db.tables.columns import big_id
from models_db.tables.metadata import metadata

notify_cursors = Table(
    "notify_cursors",
    metadata,
    Column("destination", key_text(255), primary_key=True, comment="name of the destination in the notify file"),
    # Neither has a foreign key: a cursor keeps no run from being pruned.
    Column(
        "last_seal_no",
        BigInteger,
        comment="last seal whose changes were delivered; NULL if there was none yet",
    ),
    Column(
        "last_run_id",
        big_id(),
        comment="last run whose failure was delivered; never past a run that is running; NULL if there was none yet",
    ),
    Column(
        "sent_events",
        Integer,
        nullable=False,
        server_default=text("0"),
        comment="number of events of the seal after last_seal_no that were delivered one by one",
    ),
    Column(
        "claimed_until",
        UtcDateTime,
        comment="until when one process alone sends to the destination; NULL or past: any process may claim it",
    ),
    Column(
        "failures",
        Integer,
        nullable=False,
        server_default=text("0"),
        comment="number of attempts that failed since the last delivery",
    ),
    Column("next_try_at", UtcDateTime, comment="earliest time of the next attempt; NULL after a delivery"),
    Column("last_error", LongText, comment="error of the last attempt in one line, secrets masked; NULL if delivered"),
    Column(
        "updated_at",
        UtcDateTime,
        nullable=False,
        comment="up to when nothing is left to tell: the last delivery, or a check without news",
    ),
    comment="one row per destination of notify: how far it has been sent to",
)
