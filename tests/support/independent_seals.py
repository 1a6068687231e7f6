"""Seals computed from the stored rows as DESIGN words them, with none of the program's code."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import Connection, Engine, select

from models_db.tables import (
    catalog_identity,
    ignored_fields,
    model_versions,
    models,
    seals,
    sync_run_modes,
    sync_runs,
    sync_state,
)

_MODE_KEYS = {
    **{name: name for name in ("mode", "status", "hold_reason", "asked_at", "stamp", "http_status", "listed_root")},
    **{name: name for name in ("payload_sha256", "payload_bytes")},
    **{name: f"models_{name}" for name in ("reported", "received", "rejected", "listed")},
}


def assert_sealed(engine: Engine) -> list[str]:
    """Each seal is that of the stored rows, and the tree has no other; returns the kinds of the seals."""
    with engine.connect() as connection:
        stored = connection.execute(select(seals).order_by(seals.c.seal_no)).all()
        ((catalog_id, size),) = connection.execute(select(catalog_identity.c.catalog_id, catalog_identity.c.tree_size))
        leaves: list[bytes] = []
        for row in stored:
            entry = _genesis(connection, catalog_id) if row.kind == "genesis" else _entry(connection, catalog_id, row)
            leaves.append(_line(entry))
            assert row == (len(leaves) - 1, entry["run"], entry["kind"], _leaf(leaves[-1]).hex(), root(leaves).hex())
        assert len(leaves) == size
        for mode, run_id, listed_root in connection.execute(
            select(sync_state.c.mode, sync_state.c.run_id, sync_state.c.listed_root)
        ):
            if run_id in {row.run_id for row in stored if row.kind != "genesis"}:
                assert listed_root == _listed_root(connection, mode)
    return [row.kind for row in stored]


def root(lines: Sequence[bytes]) -> bytes:
    """The root of the tree over these lines, by the recursive definition of RFC 6962."""
    if len(lines) < 2:
        return _leaf(lines[0]) if lines else sha256(b"").digest()
    half = 1 << (len(lines) - 1).bit_length() - 1
    return sha256(b"\x01" + root(lines[:half]) + root(lines[half:])).digest()


def _leaf(line: bytes) -> bytes:
    return sha256(b"\x00" + line).digest()


def _entry(connection: Connection, catalog_id: str, seal: Any) -> dict[str, Any]:
    run = connection.execute(select(sync_runs).where(sync_runs.c.run_id == seal.run_id)).mappings().one()
    of_run = select(sync_run_modes).where(sync_run_modes.c.run_id == seal.run_id).order_by(sync_run_modes.c.mode)
    ignored = ignored_fields.c
    paths = select(ignored.path).where(
        ignored.valid_from <= run["observed_at"], ignored.valid_to.is_(None) | (ignored.valid_to > run["observed_at"])
    )
    facts = _facts(connection, {seal.run_id})
    return {
        "v": 1,
        "catalog": catalog_id,
        "run": seal.run_id,
        "kind": "changed" if facts else "unchanged",
        "trigger": run["trigger_kind"],
        "base_url": run["base_url"],
        "app_version": run["app_version"],
        "host": run["host"],
        "key": run["key_fingerprint"],
        "recorded_at": _plain(run["finished_at"]),
        "accepted": run["accepted"],
        "ignored": sorted(connection.scalars(paths)),
        "modes": [
            {key: _plain(row[column]) for key, column in _MODE_KEYS.items()}
            for row in connection.execute(of_run).mappings()
        ],
        "facts": len(facts),
        "facts_root": root(facts).hex(),
    }


def _genesis(connection: Connection, catalog_id: str) -> dict[str, Any]:
    sealed = set(connection.scalars(select(seals.c.run_id).where(seals.c.kind != "genesis")))
    versions = model_versions.c
    runs = {*connection.scalars(select(versions.opened_run_id)), *connection.scalars(select(versions.closed_run_id))}
    older = runs - sealed - {None}
    facts = _facts(connection, older)
    empty = dict.fromkeys(("trigger", "base_url", "app_version", "host", "key", "recorded_at", "accepted"))
    return {
        "v": 1,
        "catalog": catalog_id,
        "run": max(older),
        "kind": "genesis",
        "ignored": [],
        "modes": [],
        "facts": len(facts),
        "facts_root": root(facts).hex(),
        **empty,
    }


def _facts(connection: Connection, runs: set[int]) -> list[bytes]:
    query = select(models.c.mode, models.c.model_id, model_versions).join_from(models, model_versions)
    facts = []
    for row in connection.execute(query):
        if row.opened_run_id in runs:
            digest = sha256(row.raw.encode()).hexdigest()
            facts.append(_line(["opened", row.mode, row.model_id, _plain(row.valid_from), digest]))
        if row.closed_run_id in runs:
            facts.append(_line(["closed", row.mode, row.model_id, _plain(row.valid_from), _plain(row.valid_to)]))
    return sorted(facts)


def _listed_root(connection: Connection, mode: str) -> str:
    query = select(models.c.model_id, model_versions.c.raw).join_from(models, model_versions)
    listed = query.where(models.c.mode == mode, models.c.removed_at.is_(None), model_versions.c.valid_to.is_(None))
    rows = connection.execute(listed)
    return root(sorted(_line(["listed", mode, name, sha256(raw.encode()).hexdigest()]) for name, raw in rows)).hex()


def _plain(value: Any) -> Any:
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ") if isinstance(value, datetime) else value


def _line(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
