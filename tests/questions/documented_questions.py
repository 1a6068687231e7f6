"""The statements of docs/questions.md."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tests.support.docs_pages import blocks, headings, page, section

PAGE = page("docs/questions.md")


@dataclass(frozen=True)
class DocumentedQuestion:
    """A question of the page and its statements."""

    name: str
    statements: Sequence[str]


def documented_questions() -> Iterator[DocumentedQuestion]:
    for name in headings(PAGE):
        yield DocumentedQuestion(name, blocks(section(PAGE, f"## {name}"), "sql"))
