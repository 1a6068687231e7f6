"""Views as a newer version of the program might have them."""

from __future__ import annotations

import re

from models_db.views.loader import VIEWS, View, parse

_BY_NAME = {view.name: view for view in VIEWS}
CURRENT_CATALOG = _BY_NAME["v_current_catalog"]
SYNC_RUNS = _BY_NAME["v_sync_runs"]


def wider(view: View) -> View:
    """The view with one more column, ``extra``, at its end."""
    columns, source = view.text.split("\nFROM ", maxsplit=1)
    columns = re.sub(r"( +-- [^\n]*)$", r",\1", columns)
    return parse(view.name, f"{columns}\n    models.model_pk AS extra  -- one more\nFROM {source}")


def narrower(view: View) -> View:
    """The view without its last column."""
    columns, source = view.text.split("\nFROM ", maxsplit=1)
    columns = re.sub(r",( +-- [^\n]*)$", r"\1", columns.rpartition("\n")[0])
    return parse(view.name, f"{columns}\nFROM {source}")
