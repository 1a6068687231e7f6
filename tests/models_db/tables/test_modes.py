"""The modes of the schema and those of the job, which the schema cannot import."""

from __future__ import annotations

from models_db.tables import columns
from sync.catalog import modes


def test_the_schema_and_the_job_name_the_same_modes() -> None:
    assert columns.MODES == modes.MODES
