"""The targets that a long history could miss, and those of the import and of the start."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from benchmarks.databases import KINDS
from benchmarks.result_table import MIB, Cell, Limit, Target, target
from benchmarks.results import Results

_GROWTH = Limit(1.1)
# A row returned is put together from one of each joined table, and a seek may look at one more.
_TOUCHED = Limit(6)
# SQLite counts the steps of its machine: some ten for each row, and one for each column.
_STEPS = Limit(150)
_IMPORT = Limit(10, at_least=True)
_MEMORY = Limit(1.1)
_LONGER = 4
_STARTUP = Limit(2)


def growth(results: Results) -> Iterator[Target]:
    for step in ("unchanged", "changed"):
        yield target(
            f"{step} sync with a long history: CPU to that with none",
            _GROWTH,
            partial(_grown, results, step),
        )
    for question in _questions(results):
        yield target(
            f"{question}: rows touched to rows returned",
            f"{_TOUCHED}, or {_STEPS} steps of SQLite",
            partial(_touched, results, question),
        )


def imports(results: Results) -> Iterator[Target]:
    for models in (100, 1_000):
        for name, what in (("cpu", "CPU"), ("wall", "time")):
            yield target(
                f"import, {models:,} models: {what} of a sync to that of a line",
                _IMPORT,
                partial(_import, results, models, name),
            )
        yield target(
            f"import, {models:,} models: memory of a file {_LONGER} times as long",
            _MEMORY,
            partial(_import_memory, results, models),
        )


def startup(results: Results) -> Iterator[Target]:
    """The same whatever the database, and told once."""
    for option in ("help", "version"):
        cell = _STARTUP.of_cpu(results.middle("startup", option), results.middle("startup", "click"))
        what = f"catalog-sync --{option}: CPU to that of importing click"
        yield Target(what, str(_STARTUP), {KINDS[0]: cell} if cell else {})


def _questions(results: Results) -> list[str]:
    return next((list(found) for kind in KINDS if (found := results.fact("growth", kind, "questions"))), [])


def _grown(results: Results, step: str, kind: str) -> Cell | None:
    return _GROWTH.of_cpu(*(results.middle("growth", kind, step, history) for history in ("grown", "none")))


def _touched(results: Results, question: str, kind: str) -> Cell | None:
    found = (results.fact("growth", kind, "questions") or {}).get(question)
    if not found:
        return None
    touched, returned = found["touched"], max(1, found["returned"])
    limit = _STEPS if kind == "sqlite" else _TOUCHED
    return limit.cell(touched, returned, f"{touched:,} / {returned:,}", 1)


def _import(results: Results, models: int, name: str, kind: str) -> Cell | None:
    lines = (results.fact("import", kind, models) or {}).get("lines")
    imported = results.middle("import", kind, models, "lines", lines)
    synced = results.middle("import", kind, models, "syncs")
    if imported is None or synced is None:
        return None
    one, each = getattr(synced, name), getattr(imported, name) / lines
    return _IMPORT.cell(one, each, f"{one * 1000:.0f} / {each * 1000:.1f} ms", 1)


def _import_memory(results: Results, models: int, kind: str) -> Cell | None:
    lines = (results.fact("import", kind, models) or {}).get("lines", 0)
    short, long = (results.middle("import", kind, models, "lines", lines * times) for times in (1, _LONGER))
    if short is None or long is None:
        return None
    return _MEMORY.cell(long.rss, short.rss, f"{long.rss / MIB:.0f} / {short.rss / MIB:.0f} MiB")
