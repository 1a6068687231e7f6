"""The schema's document follows the schema."""

from __future__ import annotations

from pathlib import Path

from models_db.schema_doc import schema
from models_db.tables.metadata import metadata

DOCUMENT = Path(__file__).parents[2] / "docs" / "schema.md"


def test_the_document_is_what_the_comments_say() -> None:
    """If not: python -m models_db.schema_doc > docs/schema.md"""
    assert DOCUMENT.read_text() == schema()


def test_every_table_and_column_has_a_comment() -> None:
    tables = metadata.tables.values()
    silent = [table.name for table in tables if not table.comment]
    silent += [str(column) for table in tables for column in table.columns if not column.comment]

    assert silent == []
