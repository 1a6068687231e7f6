"""The pages that are made from tables and views are up to date."""

from __future__ import annotations

import pytest

from models_db.schema_doc import DIAGRAM_PAGE, SCHEMA_PAGE, entity_diagram, schema, with_diagram
from models_db.tables.metadata import metadata
from tests.support.docs_pages import page


def test_the_page_of_the_schema_is_up_to_date() -> None:
    """If not, run ``python -m models_db.schema_doc``."""
    assert page(SCHEMA_PAGE) == schema()


def test_the_entity_diagram_is_up_to_date() -> None:
    """If not, run ``python -m models_db.schema_doc``."""
    assert page(DIAGRAM_PAGE) == with_diagram(page(DIAGRAM_PAGE))


def test_the_diagram_has_every_table_and_every_reference() -> None:
    lines = [line.strip() for line in entity_diagram().splitlines()]
    tables = metadata.tables.values()
    references = {(key.referred_table.name, table.name) for table in tables for key in table.foreign_key_constraints}

    assert [line.removesuffix(" {") for line in lines if line.endswith(" {")] == list(metadata.tables)
    assert {(line.split()[0], line.split()[2]) for line in lines if "--" in line} == references
    assert "integer model_pk PK, FK" in lines
    assert 'sync_runs |o--o{ model_versions : "closed_run_id"' in lines


def test_a_page_without_a_place_for_the_diagram_is_an_error() -> None:
    with pytest.raises(ValueError, match="no place for the diagram"):
        with_diagram("# A page\n")


def test_every_table_and_column_has_a_comment() -> None:
    tables = metadata.tables.values()
    without = [table.name for table in tables if not table.comment]
    without += [str(column) for table in tables for column in table.columns if not column.comment]

    assert without == []
