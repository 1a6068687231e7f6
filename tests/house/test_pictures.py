"""The pictures of the README and of docs/bi.md.

If a test fails after a change of the demo, the report or a command: make pictures.
"""

from __future__ import annotations

import re
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from sync import __version__
from sync.cli.doc_questions import UNTIL
from sync.demo import run_demo
from tests.pictures.terminal_picture import svg, terminal_picture
from tests.support.docs_pages import ROOT, page

FOLDER = ROOT / "docs" / "pictures"
SOURCE = re.compile(r'<img src="([^"]+)" alt="([^"]+)"')
MOST_BYTES = 150_000


def test_the_pages_show_every_picture_and_say_what_is_on_it() -> None:
    shown = [*SOURCE.findall(page("README.md"))]
    shown += [(f"docs/{path}", words) for path, words in SOURCE.findall(page("docs/bi.md"))]

    assert {path for path, _ in shown} == {f"docs/pictures/{file.name}" for file in FOLDER.iterdir()}
    assert all(len(text) > len("a picture") for _, text in shown)


@pytest.mark.parametrize("file", sorted(FOLDER.iterdir()), ids=lambda file: file.name)
def test_a_picture_is_small_and_loads_nothing(file: Path) -> None:
    content = file.read_bytes()

    assert len(content) < MOST_BYTES
    assert b"href" not in content
    assert b"url(" not in content


def test_the_picture_of_the_terminal_has_what_the_commands_print_now() -> None:
    with TemporaryDirectory() as folder:  # a path in one line, which is left out; one of pytest may be longer
        database = Path(folder) / "demo.db"
        run_demo(database, UNTIL, __version__, lambda _moment, _run: None)
        picture = terminal_picture(database)

    assert picture == (FOLDER / "terminal.svg").read_text(encoding="utf-8")


def test_each_text_of_a_terminal_stands_at_its_column_in_its_colour() -> None:
    picture = svg(["a b  \x1b[1;31m<c>\x1b[0m d", ""])

    assert re.findall(r"<text (.*)>(.*)</text>", picture) == [
        ('x="18.0" y="32" textLength="25.2"', "a b"),
        ('x="60.0" y="32" textLength="25.2" fill="#ff8a7a" font-weight="bold"', "&lt;c&gt;"),
        ('x="93.6" y="32" textLength="8.4"', "d"),
    ]
