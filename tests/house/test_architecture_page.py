"""docs/architecture.md names only what exists: each path, function, class, table and view."""

from __future__ import annotations

import re
from itertools import chain

from tests.support.docs_pages import ROOT, page

PAGE = page("docs/architecture.md").partition("<!-- entity diagram: begin -->")[0]
PATH = re.compile(r"\b(?:sync|models_db|alembic|tests|docs)(?:/\w+)+(?:\.\w+)?")
NAME = re.compile(r"\b(?:[a-z]+(?:_[a-z]+)+|[A-Z][a-z]+(?:[A-Z][a-z]+)+)\b")


def test_every_path_on_the_page_exists() -> None:
    paths = set(PATH.findall(PAGE))

    assert paths
    assert {path for path in paths if not (ROOT / path).exists()} == set()


def test_every_name_on_the_page_is_in_the_code() -> None:
    """A name has an underscore or is a class of two words; a word of plain English is not checked."""
    names = set(NAME.findall(PATH.sub("", PAGE)))
    files = chain.from_iterable((ROOT / folder).rglob("*") for folder in ("sync", "models_db"))
    code = {word for file in files if file.suffix in {".py", ".sql"} for word in re.findall(r"\w+", file.read_text())}

    assert names
    assert names - code == set()
