"""Checks the rows of rejected models without the program's code."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from tests.support.history_checker import Row, interval_findings

_MAX_BYTES = 3 * 1024 * 1024


def rejection_findings(rows: list[Row], modes: Mapping[tuple[int, str], Row]) -> Iterator[str]:
    """What is wrong with the rows; ``modes`` has those of the runs by run and mode."""
    by_text: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for row in sorted(rows, key=lambda row: row["valid_from"]):
        by_text[row["mode"], row["raw_sha256"]].append(row)
        yield from (f"rejected {row['model_id']!r} of {row['valid_from']} {each}" for each in _findings(row, modes))
    for texts in by_text.values():
        yield from interval_findings("rejected_models", texts)
    yield from _count_findings(rows, modes)


def _findings(row: Row, modes: Mapping[tuple[int, str], Row]) -> Iterator[str]:
    if row["raw"] is not None:
        sent = row["raw"].encode()
        if hashlib.sha256(sent).hexdigest() != row["raw_sha256"] or len(sent) > _MAX_BYTES:
            yield "has another text than its hash says, or one that is too long"
        if row["model_id"] not in _ids(row["raw"]):
            yield "has another id than was sent"
    for column, run in (("valid_from", "opened_run_id"), ("valid_to", "closed_run_id")):
        if row[run] is not None and modes[row[run], row["mode"]]["stamp"] != row[column]:
            yield f"has a {column} that is not the stamp of its run"
    if row["not_before"] is not None and row["not_before"] > row["valid_from"]:
        yield "has a not_before later than itself"


def _count_findings(rows: list[Row], modes: Mapping[tuple[int, str], Row]) -> Iterator[str]:
    """Each applied run has as many rejected models as rows that are open after it, but for rows of missing models."""
    # Runs of an older version kept no rows.
    first = min((row["opened_run_id"] for row in rows), default=0)
    for (run, mode), of_run in modes.items():
        if of_run["stamp"] is None or of_run["models_rejected"] is None or run < first or not rows:
            continue
        begun = [row for row in rows if row["mode"] == mode and row["valid_from"] <= of_run["stamp"]]
        is_open = [row for row in begun if row["valid_to"] is None or row["valid_to"] > of_run["stamp"]]
        doubtful = not of_run["is_good"]
        if len(is_open) != of_run["models_rejected"] and not (doubtful and len(is_open) > of_run["models_rejected"]):
            yield f"run {run} rejected {of_run['models_rejected']} {mode} models, and {len(is_open)} are kept"


def _ids(raw: str) -> set[Any]:
    """The ids that a text may have; None where it has no single one that can be stored."""
    try:
        pairs = json.loads(raw, object_pairs_hook=lambda pairs: pairs, parse_int=float)
    except (ValueError, RecursionError):
        return {None}
    ids = [value for key, value in pairs if key == "id"] if raw.lstrip().startswith("{") else []
    valid = len(ids) == 1 and isinstance(ids[0], str) and 0 < len(ids[0]) <= 255
    return {ids[0]} if valid and ids[0].isprintable() else {None, *(each for each in ids if isinstance(each, str))}
