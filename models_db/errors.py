"""The errors of this package. A message is one line without secrets, and says what to do."""

from __future__ import annotations


class DatabaseSettingError(ValueError):
    """The database setting cannot be used: a bad URL, a missing driver, a missing folder or file."""


class DamagedValueError(ValueError):
    """A stored value is not of the type of its column, as SQLite allows."""


class SchemaError(RuntimeError):
    """The schema of the database is not the one that this program needs, or cannot be migrated to it."""
