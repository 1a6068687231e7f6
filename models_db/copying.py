"""COPY on PostgreSQL, reached like any other statement with parameters."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Self

import psycopg

_COPY = "COPY "


class CopyingCursor(psycopg.Cursor[Any]):
    """Takes the rows of ``COPY ... FROM STDIN`` as parameters: so it is run, counted and fails as all else does."""

    def execute(self, query: Any, params: Any = None, **options: Any) -> Self:
        if params is None or not _is_copy(query):
            return super().execute(query, params, **options)
        self._copy_rows(query, [params])
        return self

    def executemany(self, query: Any, params_seq: Iterable[Any], *, returning: bool = False) -> None:
        if _is_copy(query):
            self._copy_rows(query, params_seq)
        else:
            super().executemany(query, params_seq, returning=returning)

    def _copy_rows(self, query: Any, rows: Iterable[Any]) -> None:
        with self.copy(query) as copy:
            for row in rows:
                copy.write_row(row)


def _is_copy(query: object) -> bool:
    return isinstance(query, str) and query.startswith(_COPY)
