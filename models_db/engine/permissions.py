"""Statements that the account of the URL may not execute."""

from __future__ import annotations

from sqlalchemy.exc import DBAPIError

from models_db.engine.error_classes import mariadb_code

_SQLSTATE = "42501"
# Denied: the database, a table, a column, a routine; a privilege that only administrators have; a view's creator.
_MARIADB = {1044, 1142, 1143, 1370, 1227, 1345}


def is_denied(error: BaseException | None) -> bool:
    """Whether the account lacks a permission. A login that was rejected is no such error."""
    if not isinstance(error, DBAPIError):
        return False
    return getattr(error.orig, "sqlstate", None) == _SQLSTATE or mariadb_code(error.orig) in _MARIADB
