"""Edits of a sealed catalog with which every row that is derived from the edited ones agrees, seals excepted."""

from __future__ import annotations

import hashlib
import json
import random
from typing import Any

from tests.torture.reseal import stored_leaves
from tests.torture.stored_contents import Contents

Row = dict[str, Any]

OF_MODEL = (
    *("models", "model_versions", "credit_history", "catalog_changes", "credits", "credit_details", "params"),
    *("param_options", "inputs", "input_rules", "capabilities"),
)
"""The tables with rows of a model, itself first."""


def sealed_runs(contents: Contents) -> list[Row]:
    numbers = {leaf.run_id for leaf in stored_leaves(contents) if leaf.kind != "genesis"}
    return [row for row in contents["sync_runs"] if row["run_id"] in numbers]


def sealed_modes(contents: Contents) -> list[Row]:
    numbers = {row["run_id"] for row in sealed_runs(contents)}
    return [row for row in contents["sync_run_modes"] if row["run_id"] in numbers]


def _forge_cost(contents: Contents, rng: random.Random) -> None:
    """Another cost of a model that never changed, in every table that has it."""
    model, version, of_model = _constant_model(contents, rng)
    sent = json.loads(version["raw"])
    cost = str(rng.randrange(1, 10**6))
    sent["credits"]["default_cost"] = int(cost)
    old = of_model["credit_history"][0]["default_cost_exact"]
    for row in (row for rows in of_model.values() for row in rows):
        for column in [name for name in row if name.endswith("_cost_exact") or name == "default_cost_exact"]:
            if row[column] == old:
                row[column] = cost
                row[column.removesuffix("_exact")] = type(row[column.removesuffix("_exact")])(int(cost))
    _set_text(model, version, sent)


def _forge_text(contents: Contents, rng: random.Random) -> None:
    """Another description of a model that never changed."""
    model, version, _ = _constant_model(contents, rng)
    description = f"forged {rng.randrange(10**6)}"
    _set_text(model, version, {**json.loads(version["raw"]), "description": description})
    model["description"] = description


def _forge_response(contents: Contents, rng: random.Random) -> None:
    """Another response, of which nothing else of the catalog depends."""
    row = rng.choice([row for row in sealed_modes(contents) if row["payload_sha256"]])
    row.update(payload_sha256=rng.randbytes(32).hex(), payload_bytes=rng.randrange(100, 10**6))


def _forge_acceptance(contents: Contents, rng: random.Random) -> None:
    """Another person accepted it, or nobody did."""
    run = rng.choice([row for row in sealed_runs(contents) if row["accepted"]])
    run["accepted"] = rng.choice([None, str(run["accepted"]).replace("ann", f"bob{rng.randrange(99)}")])


FORGERIES = (_forge_cost, _forge_text, _forge_response, _forge_acceptance)


def _constant_model(contents: Contents, rng: random.Random) -> tuple[Row, Row, dict[str, list[Row]]]:
    """A model with one version that is still listed, its version, and its rows by table."""
    versions = [row for row in contents["model_versions"] if _count(contents, row["model_pk"]) == 1]
    version = rng.choice([row for row in versions if row["valid_to"] is None])
    of_model = {t: [row for row in contents[t] if row["model_pk"] == version["model_pk"]] for t in OF_MODEL}
    return of_model["models"][0], version, of_model


def _count(contents: Contents, model_pk: int) -> int:
    return sum(row["model_pk"] == model_pk for row in contents["model_versions"])


def _set_text(model: Row, version: Row, sent: Row) -> None:
    version["raw"] = json.dumps(sent)
    digest = hashlib.sha256(version["raw"].encode()).hexdigest()
    model["fingerprint"] = f"{str(model['fingerprint']).partition(':')[0]}:{digest}"
