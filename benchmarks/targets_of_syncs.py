"""The targets of single syncs: CPU beside others, what is written, and memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from benchmarks.result_table import KIB, MIB, Cell, Limit, Target, target
from benchmarks.results import Results

SIZES = (100, 1_000, 10_000, 100_000)
_LARGE = SIZES[2:]
_LARGEST = SIZES[-1]
_OF_A_RUN = {"sync_runs", "sync_run_modes", "sync_state", "calendar_days", "sqlite_sequence"}
_WAL = Limit(16)
_MEMORY = Limit(250)
# Of a changed cost: model, credits, two versions, two intervals, an event; of a model that went, all its rows.
_ROWS_OF_A_CHANGE = Limit(12)


def unchanged(results: Results) -> Iterator[Target]:
    yield _ours_to(results, "unchanged sync, 100 models: CPU to that of the imports", Limit(1.3), 100, "imports")
    for size in _LARGE:
        yield _ours_to(results, f"unchanged sync, {size:,} models: CPU to the floor", Limit(1.5), size, "floor")
    for size, peer, shape, number in ((10_000, "dlt", "child tables", 12), (_LARGEST, "dlt_json", "JSON columns", 18)):
        what = f"unchanged sync, {size:,} models: CPU of dlt, {shape}, to ours"
        yield _to_ours(results, what, Limit(number, at_least=True), size, "unchanged", peer)


def written(results: Results) -> Iterator[Target]:
    yield target("unchanged sync: rows written, whatever N", "those of the run", partial(_rows, results))
    for name, when in (("wal_again", ""), ("wal_after_checkpoint", " right after a checkpoint")):
        yield target(f"unchanged sync: KiB of WAL{when}, whatever N", _WAL, partial(_wal, results, name))


def changed(results: Results) -> Iterator[Target]:
    limit = Limit(2)
    yield target(
        f"1 % changed, {_LARGEST:,} models: CPU to unchanged",
        limit,
        lambda kind: limit.of_cpu(
            *(results.middle("sync", kind, _LARGEST, step, "ours") for step in ("changed", "unchanged"))
        ),
    )
    yield target(
        f"1 % changed, {_LARGEST:,} models: rows written to models that changed",
        _ROWS_OF_A_CHANGE,
        lambda kind: _rows_of_change(results.fact("writes", kind, _LARGEST, "changed")),
    )


def first(results: Results) -> Iterator[Target]:
    for size in _LARGE:
        what = f"first sync, {size:,} models: CPU to the floor that writes the same rows"
        yield _ours_to(results, what, Limit(3), size, "floor", step="first")
        what = f"first sync, {size:,} models: CPU of dlt, child tables, to ours"
        yield _to_ours(results, what, Limit(6, at_least=True), size, "first", "dlt")
    linear = Limit(11)
    yield target(
        "first sync: CPU of 100,000 models to that of 10,000 (linear is 10)",
        linear,
        lambda kind: linear.of_cpu(*(results.middle("sync", kind, size, "first", "ours") for size in _LARGE[::-1])),
    )


def memory(results: Results) -> Iterator[Target]:
    what = f"peak memory, {_LARGEST:,} models: MiB beyond the largest body"
    yield target(what, _MEMORY, lambda kind: _memory(results, kind))


def _ours_to(results: Results, what: str, limit: Limit, size: int, other: str, *, step: str = "unchanged") -> Target:
    names = ("ours", other)
    return target(
        what, limit, lambda kind: limit.of_cpu(*(results.middle("sync", kind, size, step, name) for name in names))
    )


def _to_ours(results: Results, what: str, limit: Limit, size: int, step: str, other: str) -> Target:
    names = (other, "ours")
    return target(
        what, limit, lambda kind: limit.of_cpu(*(results.middle("sync", kind, size, step, name) for name in names))
    )


def _unchanged_of(results: Results, kind: str) -> list[Mapping[str, Any]]:
    """What an unchanged sync wrote, for each size that was measured."""
    found = (results.fact("writes", kind, size, "unchanged") for size in SIZES)
    return [fact for fact in found if fact]


def _rows(results: Results, kind: str) -> Cell | None:
    found = _unchanged_of(results, kind)
    if not found:
        return None
    numbers = {sum(fact["rows"].values()) for fact in found}
    told = ", ".join(f"{table} {number}" for table, number in found[-1]["rows"].items())
    return Cell(max(numbers), told, len(numbers) == 1 and {*found[-1]["rows"]} <= _OF_A_RUN, 0)


def _wal(results: Results, name: str, kind: str) -> Cell | None:
    numbers = [fact["bytes"][name] for fact in _unchanged_of(results, kind) if name in fact["bytes"]]
    if not numbers:
        return None
    return _WAL.cell(max(numbers), KIB, f"{min(numbers):,} to {max(numbers):,} bytes", 1)


def _rows_of_change(found: Mapping[str, Any] | None) -> Cell | None:
    if not found:
        return None
    rows, models = sum(found["rows"].values()), found["changed_models"]
    return _ROWS_OF_A_CHANGE.cell(rows, models, f"{rows:,} / {models:,}")


def _memory(results: Results, kind: str) -> Cell | None:
    answers = results.fact("answers", _LARGEST)
    found = (results.middle("sync", kind, _LARGEST, step, "ours") for step in ("first", "unchanged", "changed"))
    peak = max((sample.rss for sample in found if sample), default=None)
    if peak is None or answers is None:
        return None
    figure = f"{peak / MIB:.0f} MiB, largest body {answers['largest'] / MIB:.0f} MiB"
    return _MEMORY.cell(peak - answers["largest"], MIB, figure, 0)
