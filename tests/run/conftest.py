"""A host on each database. After every test the stored history must be consistent."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from tests.support.run_driver import Host
from tests.support.stored_rows_checker import assert_consistent


@pytest.fixture
def host(engine: Engine) -> Iterator[Host]:
    yield Host(engine)
    assert_consistent(engine)
