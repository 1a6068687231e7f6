"""The pages name what exists: docs/architecture.md the code, links a heading, docs/decisions.md every dependency."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from itertools import chain

import pytest

from tests.support.docs_pages import ROOT, page

PAGES = ("README.md", "CONTRIBUTING.md", *(f"docs/{file.name}" for file in sorted((ROOT / "docs").glob("*.md"))))
ARCHITECTURE = page("docs/architecture.md").partition("<!-- entity diagram: begin -->")[0]
PATH = re.compile(r"\b(?:sync|models_db|alembic|tests|docs)(?:/\w+)+(?:\.\w+)?")
NAME = re.compile(r"\b(?:[a-z]+(?:_[a-z]+)+|[A-Z][a-z]+(?:[A-Z][a-z]+)+)\b")
PLACE = re.compile(r"`([\w/]+\.py)`, `(\w+)`")
LINK = re.compile(r"\]\((?!https?:)([^)#]*)#([^)]+)\)")


def anchors(text: str) -> set[str]:
    """What a link to each heading ends with, as GitHub makes it."""
    headings: list[str] = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


def dependencies() -> Iterator[str]:
    project = tomllib.loads(page("pyproject.toml"))["project"]
    for requirement in chain(project["dependencies"], *project["optional-dependencies"].values()):
        yield re.split(r"[^\w-]", requirement)[0]


def test_every_path_of_the_architecture_exists() -> None:
    paths = set(PATH.findall(ARCHITECTURE))

    assert paths
    assert {path for path in paths if not (ROOT / path).exists()} == set()


def test_every_name_of_the_architecture_is_in_the_code() -> None:
    """A name has an underscore or is a class of two words; a word of plain English is not checked."""
    names = set(NAME.findall(PATH.sub("", ARCHITECTURE)))
    files = chain.from_iterable((ROOT / folder).rglob("*") for folder in ("sync", "models_db"))
    code = {word for file in files if file.suffix in {".py", ".sql"} for word in re.findall(r"\w+", file.read_text())}

    assert names
    assert names - code == set()


def test_every_function_of_the_architecture_is_in_the_file_beside_it() -> None:
    places = PLACE.findall(ARCHITECTURE)

    assert places
    assert [(file, name) for file, name in places if f"def {name}(" not in page(file)] == []


@pytest.mark.parametrize("name", PAGES)
def test_every_link_to_a_heading_finds_it(name: str) -> None:
    folder = (ROOT / name).parent
    links = LINK.findall(page(name))

    assert [
        f"{file}#{anchor}"
        for file, anchor in links
        if anchor not in anchors(((folder / file) if file else ROOT / name).read_text())
    ] == []


def test_every_dependency_has_its_reason() -> None:
    reasons = page("docs/decisions.md").lower()

    assert {name for name in dependencies() if name not in reasons} == set()
