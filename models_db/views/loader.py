"""Reads the views from the SQL files in this folder.

The rules for such a file, which a test checks:

- It is one SELECT that runs on all three databases. If a database needs another text, that text is in a
  second file, ``v_name.postgresql.sql``, with the same comments.
- It begins with a comment whose first paragraph says what a row is.
- Each column has a comment behind it, on the line on which the column ends. Comments on lines of their own
  explain the SQL.
- It has no string literal, because MariaDB would give it the collation of the session that installs the
  view, no date arithmetic, because ``calendar_days`` has it done, and no JSON function.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

FOLDER = Path(__file__).parent
# In the order of installation: a view comes after the views that it reads.
NAMES = (
    "v_current_catalog",
    "v_credit_cost_changes",
    "v_credit_cost_history",
    "v_credit_cost_daily",
    "v_credit_cost_steps",
    "v_net_movers",
    "v_provider_costs",
    "v_provider_costs_daily",
    "v_catalog_changes",
    "v_model_credit_details",
    "v_model_params",
    "v_model_inputs",
    "v_model_capabilities",
    "v_rejected_models",
    "v_calendar_days",
    "v_watch_daily",
    "v_sync_runs",
    "v_seals",
)
_DIALECTS = ("postgresql", "mariadb", "sqlite")

_FIRST_PARAGRAPH = re.compile(r"(?:-- .+\n)+")
_COLUMN = re.compile(r"^ +(?![- ])(?:.*?\W)??(?P<name>\w+),? +-- (?P<comment>.+)$", re.MULTILINE)


@dataclass(frozen=True)
class ViewColumn:
    """A column of a view and its comment."""

    name: str
    comment: str


@dataclass(frozen=True)
class View:
    """A view as its file describes it. ``other_texts`` has the texts of databases that need their own."""

    name: str
    comment: str
    columns: tuple[ViewColumn, ...]
    text: str
    other_texts: Mapping[str, str] = field(default_factory=dict)

    def select(self, dialect: str) -> str:
        """Return the SELECT for a database. Its last line may end with a comment, so it ends with a newline."""
        return self.other_texts.get(dialect, self.text)

    def digest(self, dialect: str) -> str:
        """Return a checksum that changes with the SELECT and with any comment."""
        return sha256(self.select(dialect).encode()).hexdigest()


def parse(name: str, text: str) -> View:
    """Return the view that ``text`` describes. Raises ``ValueError`` if the comments do not follow the rules."""
    paragraph = _FIRST_PARAGRAPH.match(text)
    columns = tuple(ViewColumn(found["name"], found["comment"]) for found in _COLUMN.finditer(text))
    if paragraph is None:
        raise ValueError(f"view {name} has no comment at its beginning; say there what a row is")
    if len({column.name for column in columns}) < max(len(columns), 1):
        raise ValueError(f"view {name} has no comment behind its columns, or two behind one")
    return View(name, " ".join(line[3:] for line in paragraph[0].splitlines()), columns, text.rstrip() + "\n")


def load(folder: Path, names: Iterable[str]) -> Iterator[View]:
    """Yield the views of a folder. Raises ``ValueError`` if the files of one view have different comments."""
    for name in names:
        view = parse(name, (folder / f"{name}.sql").read_text(encoding="utf-8"))
        others = {
            dialect: parse(name, path.read_text(encoding="utf-8"))
            for dialect in _DIALECTS
            if (path := folder / f"{name}.{dialect}.sql").exists()
        }
        for dialect, other in others.items():
            if (other.comment, other.columns) != (view.comment, view.columns):
                raise ValueError(f"{name}.{dialect}.sql and {name}.sql differ in a column or a comment")
        texts = {dialect: other.text for dialect, other in others.items()}
        yield View(view.name, view.comment, view.columns, view.text, texts)


VIEWS = tuple(load(FOLDER, NAMES))
