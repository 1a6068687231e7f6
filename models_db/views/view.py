"""What a view is: its name, its columns, and the one SQL text that is made of them."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256


@dataclass(frozen=True)
class ViewColumn:
    """A column of a view: its name, the expression behind it, and what it means."""

    name: str
    expression: str
    comment: str
    typed_as: str | None = None
    """A stored column of the same type, for a view with ``types_from``."""


@dataclass(frozen=True)
class View:
    """A view: ``source`` is all that follows the columns, from FROM on.

    SQLite declares a type for stored columns only, and over ODBC a column without one is text when
    its first row is NULL. With ``types_from``, the tables of the stored columns, the view stands
    between two selects of nothing: a result has the types of the last one, the view itself those of
    the first.
    """

    name: str
    comment: str
    columns: tuple[ViewColumn, ...]
    source: str
    types_from: str | None = None

    @property
    def select(self) -> str:
        """The one SQL text that the view is."""
        columns = ", ".join(f"{column.expression} AS {column.name}" for column in self.columns)
        rows = f"SELECT {columns} {self.source}"  # our own text
        if self.types_from is None:
            return rows
        types = ", ".join(f"{column.typed_as or column.expression} AS {column.name}" for column in self.columns)
        nothing = f"SELECT {types} FROM {self.types_from} WHERE 1 = 0"  # noqa: S608  # our own text too
        return f"{nothing} UNION ALL {rows} UNION ALL {nothing}"

    @property
    def digest(self) -> str:
        """Changes with anything that installing would make different."""
        said = [self.name, self.comment, self.select, *(column.comment for column in self.columns)]
        return sha256("\0".join(said).encode()).hexdigest()
