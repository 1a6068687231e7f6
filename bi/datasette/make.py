"""Writes ``metadata.json`` for Datasette: descriptions of the schema, and the questions as canned queries.

``python -m bi.datasette.make`` in the project folder writes the file beside this one. The argument NAME, as in
``python -m bi.datasette.make prices > metadata.json``, prints it for a database file of another name than catalog.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from models_db.migrate import VERSION_TABLE
from models_db.tables.metadata import metadata as schema
from models_db.views.loader import VIEWS
from sync.store.questions import Parameter, Question, questions

FILE = Path(__file__).with_name("metadata.json")
DATABASE = "catalog"
"""What Datasette calls the database: the name of its file without the ending."""

_PARAMETER = re.compile(r"(?<![:\w]):(\w+)")
_FORMS = {
    "moment": "a time in UTC such as 2026-03-02 12:00",
    "day": "a day such as 2026-03-02",
    "number": "a whole number",
}


def datasette_metadata(database: str = DATABASE) -> dict[str, Any]:
    """The whole file as a value."""
    return {
        "title": "Costs of AI models",
        "description": "The catalog of models with every change of its costs. All times are UTC. Use the views: v_*.",
        "databases": {database: {"tables": dict(_relations()), "queries": dict(_queries())}},
    }


def as_text(value: dict[str, Any]) -> str:
    """The text of the file."""
    return json.dumps(value, indent=1, ensure_ascii=False) + "\n"


def canned_sql(question: Question) -> str:
    """The SQL of a question for values typed into a form, where an empty one is the default of ``ask``.

    Datasette passes every value as text. Moments and days get the one form in which SQLite compares them; the result
    has no rows if a value cannot be read.
    """
    if not question.parameters:
        return question.sql
    given = ",\n  ".join(f"{_given(name, each)} AS {name}" for name, each in question.parameters.items())
    body = _PARAMETER.sub(lambda found: f"(SELECT {found[1]} FROM given)", question.sql)
    # A question that begins with tables of its own keeps them, behind this one.
    word, rest = re.fullmatch(r"(WITH RECURSIVE|WITH)?\s*(.*)", body, re.DOTALL).groups()  # type: ignore[union-attr]
    return f"{word or 'WITH'} given AS (\n  SELECT {given}\n){',' if word else ''}\n{rest}"


def _given(name: str, parameter: Parameter) -> str:
    """The value of a parameter, as an expression of SQLite."""
    if parameter.kind == "text":
        default = str(parameter.default).replace("'", "''")
        return f"COALESCE(NULLIF(:{name}, ''), '{default}')"
    if parameter.kind == "number":
        return f"CAST(COALESCE(NULLIF(:{name}, ''), {int(parameter.default)}) AS INTEGER)"
    moment = f"COALESCE(NULLIF(:{name}, ''), date('now', '{int(parameter.default):+d} days'))"
    if parameter.kind == "day":
        return f"date({moment})"
    # datetime() drops decimals of a second, so a moment with all of its six is taken as it is.
    return f"CASE WHEN LENGTH(:{name}) = 26 THEN :{name} ELSE datetime({moment}) || '.000000' END"


def _relations() -> Iterator[tuple[str, dict[str, Any]]]:
    """Every view, then every table, with its columns."""
    for view in VIEWS:
        yield view.name, _relation(view.comment, {column.name: column.comment for column in view.columns})
    for table in schema.tables.values():
        columns = {column.name: column.comment or "" for column in table.columns}
        yield table.name, _relation(f"{table.comment} (a table: use the views)", columns)
    yield VERSION_TABLE, _relation("revision of the schema", {"version_num": "its number"})


def _relation(comment: str, columns: dict[str, str]) -> dict[str, Any]:
    return {"description": comment[:1].upper() + comment[1:], "columns": columns}


def _queries() -> Iterator[tuple[str, dict[str, Any]]]:
    for name, question in questions().items():
        query: dict[str, Any] = {"title": question.text, "description": _description(question)}
        if question.parameters:
            query["params"] = [*question.parameters]
        yield name, {**query, "sql": canned_sql(question).rstrip(";")}


def _description(question: Question) -> str:
    """The explanation, and the form and the default of each parameter."""
    hints = (f"{name}: {each.help} {_hint(each)}" for name, each in question.parameters.items())
    return " ".join((re.sub(r"\[(.*?)\]\(.*?\)", r"\1", question.explanation), *hints))


def _hint(parameter: Parameter) -> str:
    if parameter.kind == "text":
        return f"Empty is {parameter.default}."
    return f"Write {_FORMS[parameter.kind]}; empty is {_default(parameter)}."


def _default(parameter: Parameter) -> str:
    if parameter.kind not in ("moment", "day"):
        return str(parameter.default)
    days = int(parameter.default)
    return {0: "today", 1: "tomorrow", -1: "yesterday"}.get(
        days, f"{-days} days ago" if days < 0 else f"in {days} days"
    )


if __name__ == "__main__":
    if sys.argv[1:]:
        sys.stdout.write(as_text(datasette_metadata(sys.argv[1])))
    else:
        FILE.write_text(as_text(datasette_metadata()), encoding="utf-8")
