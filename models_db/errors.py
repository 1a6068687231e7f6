"""What can be wrong with the database setting or the schema. Messages are one line and hold no secret."""

from __future__ import annotations


class DatabaseSettingError(ValueError):
    """The database setting cannot be used: a bad URL, a missing driver, a missing folder or file."""


class SchemaError(RuntimeError):
    """The database is there, but its schema is not what this program needs, or cannot be made so."""
