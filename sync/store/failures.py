"""Errors of the database layer become errors of ``sync.errors``, each in one line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import SQLAlchemyError

from models_db.engine import error_classes, permissions
from models_db.errors import DamagedValueError, DatabaseSettingError, SchemaError
from sync.errors import CommitUnanswered, DatabaseError, UsageError

_NOT_STORED = (
    "nothing of this step was stored; check that the database runs and that CATALOG_SYNC_DATABASE_URL is right,"
    " then run it again"
)
_DAMAGED = (
    "nothing of this step was stored; the file is damaged or is not an SQLite database:"
    " restore a backup of it, or correct CATALOG_SYNC_DATABASE_URL"
)
_CLOSED_FOLDER = (
    "nothing of this step was stored; SQLite needs write access to the file and its folder, also to read:"
    " give it to the account, or read a copy made with VACUUM INTO"
)
_DENIED = (
    "nothing of this step was stored; the account of CATALOG_SYNC_DATABASE_URL lacks this permission:"
    " run the grants of docs/operations.md, for a reader those of docs/bi.md"
)
_READ_ONLY = (
    "nothing of this step was stored; name the primary in CATALOG_SYNC_DATABASE_URL, or all hosts with commas between"
)


@contextmanager
def translate_errors() -> Iterator[None]:
    """Raises ``UsageError`` for a setting or schema, ``DatabaseError`` for all else.

    No message contains a statement or a secret.
    """
    try:
        yield
    except (DatabaseSettingError, SchemaError) as error:
        raise UsageError(str(error)) from error
    except DamagedValueError as error:
        raise DatabaseError(
            f"the database is damaged: {error}; run catalog-sync verify, and restore a backup that verifies"
        ) from error
    except SQLAlchemyError as error:
        raise DatabaseError(f"the database failed: {_reason(error)}; {_advice(error)}") from error


def commit_unanswered(error: DatabaseError, subject: str) -> CommitUnanswered:
    """The error for a COMMIT of ``subject`` that failed with ``error`` and may have been carried out."""
    reason = _reason(error.__cause__) if error.__cause__ else "no reason given"
    return CommitUnanswered(
        f"the database failed: {reason}; a COMMIT is unanswered: whether {subject} was stored is unknown;"
        " run catalog-sync status once the database is reachable"
    )


def _advice(error: SQLAlchemyError) -> str:
    if permissions.is_denied(error):
        return _DENIED
    if error_classes.is_damaged(error):
        return _DAMAGED
    if error_classes.is_closed_folder(error):
        return _CLOSED_FOLDER
    return _READ_ONLY if error_classes.is_read_only(getattr(error, "orig", None)) else _NOT_STORED


def _reason(error: BaseException) -> str:
    original = getattr(error, "orig", None) or error
    text = error_classes.error_text(original)
    if not error_classes.is_read_only(original) or error_classes.READ_ONLY in text:
        return text
    return f"the server {error_classes.READ_ONLY} ({text})"
