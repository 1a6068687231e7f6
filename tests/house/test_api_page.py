"""docs/api.md is what the docstrings of the library say."""

from __future__ import annotations

import inspect

from sync import api
from sync.api.doc_page import PAGE, api_page
from tests.support.docs_pages import page


def test_the_page_of_the_library_is_up_to_date() -> None:
    """If this fails, run ``python -m sync.api.doc_page``."""
    assert api_page() == page(PAGE)


def test_everything_that_the_library_exports_is_described() -> None:
    exported = {name: getattr(api, name) for name in api.__all__}

    assert [name for name, value in exported.items() if not inspect.getdoc(value)] == []
    assert [name for name in exported if f"# {name}\n" not in page(PAGE) and f"`{name}`" not in page(PAGE)] == []
    assert list(exported) == sorted(exported, key=lambda name: (name[0].islower(), name))
