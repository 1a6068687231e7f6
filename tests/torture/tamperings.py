"""Ways to tamper with the rows of a sealed catalog, each of which changes what the seals or the history say."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from datetime import datetime, timedelta

from tests.torture.forgeries import FORGERIES, OF_MODEL, Row, sealed_modes, sealed_runs
from tests.torture.reseal import stored_leaves
from tests.torture.stored_contents import Contents

Tampering = Callable[[Contents, random.Random], None]
"""Changes the rows in place; raises ``LookupError`` if they have nothing to which it could be done."""

_RUN_COLUMNS = ("trigger_kind", "base_url", "app_version", "host", "key_fingerprint", "finished_at", "accepted")
_MODE_COLUMNS = (
    *("status", "hold_reason", "asked_at", "stamp", "http_status", "payload_sha256", "payload_bytes"),
    *("models_reported", "models_received", "models_rejected", "models_listed", "listed_root"),
)
_VERSION_COLUMNS = ("raw", "valid_from", "valid_to", "opened_run_id", "closed_run_id")
_CHOICES = {
    "trigger_kind": ("cli", "schedule", "import"),
    "status": ("success", "partial", "held", "failed", "superseded"),
    "hold_reason": (None, "removals", "costs", "other_catalog"),
    "kind": ("changed", "unchanged", "genesis"),
    "mode": ("image", "video"),
}


def edit(contents: Contents, rng: random.Random) -> None:
    rng.choice([*FORGERIES, _edit_run, _edit_mode, _edit_version, _edit_model, _edit_ignored])(contents, rng)


def forge(contents: Contents, rng: random.Random) -> None:
    """An edit that every other row agrees with."""
    rng.choice(FORGERIES)(contents, rng)


def edit_seals(contents: Contents, rng: random.Random) -> None:
    """What is derived from the sealed rows is no longer so."""
    table, columns = rng.choice(
        [
            ("seals", ("run_id", "kind", "leaf_hash", "tree_root")),
            ("catalog_identity", ("catalog_id", "tree_size", "frontier")),
            ("sync_state", ("listed_root",)),
            ("credit_history", ("default_cost_exact", "valid_from")),
            ("catalog_changes", ("new_cost_exact", "changed_at", "change_kind")),
        ]
    )
    _change(rng.choice(contents[table]), rng.choice(columns), rng)


def delete(contents: Contents, rng: random.Random) -> None:
    rng.choice([_delete_run, _delete_mode, _delete_version, _delete_model, _delete_ignored])(contents, rng)


def delete_seals(contents: Contents, rng: random.Random) -> None:
    table = rng.choice(["seals", "credit_history", "catalog_changes"])
    contents[table].remove(rng.choice(contents[table]))


def insert(contents: Contents, rng: random.Random) -> None:
    rng.choice([_insert_run, _insert_model, _insert_version, _insert_ignored])(contents, rng)


def insert_seals(contents: Contents, rng: random.Random) -> None:
    table, key = rng.choice([("seals", "seal_no"), ("catalog_changes", "change_id")])
    copied = rng.choice(contents[table])
    contents[table].append({**copied, key: max(row[key] for row in contents[table]) + 1})


def reorder(contents: Contents, rng: random.Random) -> None:
    rng.choice([_swap_run_ids, _swap_runs, _swap_modes, _swap_texts])(contents, rng)


def reorder_seals(contents: Contents, rng: random.Random) -> None:
    """Two seals change places; the roots stay, or move with the leaves."""
    columns = rng.choice([("run_id", "kind", "leaf_hash"), ("run_id", "kind", "leaf_hash", "tree_root")])
    one, other = rng.sample(contents["seals"], 2)
    _swap(one, other, columns)


def _edit_run(contents: Contents, rng: random.Random) -> None:
    _change(rng.choice(sealed_runs(contents)), rng.choice(_RUN_COLUMNS), rng)


def _edit_mode(contents: Contents, rng: random.Random) -> None:
    _change(rng.choice(sealed_modes(contents)), rng.choice(_MODE_COLUMNS), rng)


def _edit_version(contents: Contents, rng: random.Random) -> None:
    column = rng.choice(_VERSION_COLUMNS)
    with_value = [row for row in contents["model_versions"] if row[column] is not None]
    _change(rng.choice(with_value), column, rng)


def _edit_model(contents: Contents, rng: random.Random) -> None:
    rng.choice(contents["models"])["model_id"] += "x"


def _edit_ignored(contents: Contents, rng: random.Random) -> None:
    rng.choice(contents["ignored_fields"])["path"] += "x"


def _delete_run(contents: Contents, rng: random.Random) -> None:
    """A run that changed something: ``prune`` deletes those that did not."""
    changed = [leaf.run_id for leaf in stored_leaves(contents) if leaf.kind == "changed"]
    run_id = rng.choice(changed)
    for table in ("sync_runs", "sync_run_modes"):
        contents[table] = [row for row in contents[table] if row["run_id"] != run_id]


def _delete_mode(contents: Contents, rng: random.Random) -> None:
    contents["sync_run_modes"].remove(rng.choice(sealed_modes(contents)))


def _delete_version(contents: Contents, rng: random.Random) -> None:
    contents["model_versions"].remove(rng.choice(contents["model_versions"]))


def _delete_model(contents: Contents, rng: random.Random) -> None:
    """A model and all its rows, as if it had never been there."""
    model_pk = rng.choice(contents["models"])["model_pk"]
    for table in OF_MODEL:
        contents[table] = [row for row in contents[table] if row["model_pk"] != model_pk]


def _delete_ignored(contents: Contents, rng: random.Random) -> None:
    contents["ignored_fields"].remove(rng.choice(contents["ignored_fields"]))


def _insert_run(contents: Contents, rng: random.Random) -> None:
    """A copy of a run under a number that no run has."""
    used = {row["run_id"] for row in contents["sync_runs"]} | {seal["run_id"] for seal in contents["seals"]}
    run = rng.choice(sealed_runs(contents))
    free = set(range(run["run_id"], max(used) + 2)) - used
    number = rng.choice(sorted(free))
    contents["sync_runs"].append({**run, "run_id": number, "source_catalog_id": None, "source_run_id": None})
    modes = [row for row in contents["sync_run_modes"] if row["run_id"] == run["run_id"]]
    contents["sync_run_modes"] += [{**row, "run_id": number} for row in modes]


def _insert_model(contents: Contents, rng: random.Random) -> None:
    """A copy of a model with all its rows, under another id."""
    model = rng.choice(contents["models"])
    number = max(row["model_pk"] for row in contents["models"]) + 1
    event = max(row["change_id"] for row in contents["catalog_changes"]) + 1
    for table in OF_MODEL:
        copied = [{**row, "model_pk": number} for row in contents[table] if row["model_pk"] == model["model_pk"]]
        contents[table] += copied
    events = [row for row in contents["catalog_changes"] if row["model_pk"] == number]
    for offset, row in enumerate(events):
        row["change_id"] = event + offset
    contents["models"][-1]["model_id"] = f"{model['model_id']}-{number}"
    for row in contents["model_versions"]:
        if row["model_pk"] == number:
            row["raw"] = json.dumps({**json.loads(row["raw"]), "id": contents["models"][-1]["model_id"]})


def _insert_version(contents: Contents, rng: random.Random) -> None:
    """An hour more of a model, before its first version."""
    model_pk = rng.choice(contents["models"])["model_pk"]
    first = min((row for row in contents["model_versions"] if row["model_pk"] == model_pk), key=_start)
    sent = {**json.loads(first["raw"]), "description": str(rng.random())}
    earlier = {"valid_from": _start(first) - timedelta(hours=1), "valid_to": first["valid_from"]}
    runs = {"closed_run_id": first["opened_run_id"], "opened_run_id": first["opened_run_id"]}
    contents["model_versions"].append({**first, **earlier, **runs, "raw": json.dumps(sent)})


def _insert_ignored(contents: Contents, rng: random.Random) -> None:
    at = rng.choice([row for row in sealed_runs(contents) if row["observed_at"]])["observed_at"]
    values = {"reason": "noise", "added_by": "bob@host", "valid_from": at, "valid_to": at + timedelta(minutes=1)}
    contents["ignored_fields"].append({"path": f"models.f{rng.randrange(10**6)}", **values})


def _swap_run_ids(contents: Contents, rng: random.Random) -> None:
    """Two runs change their numbers, in every row that has them."""
    one, other = (row["run_id"] for row in rng.sample(sealed_runs(contents), 2))
    numbers = {one: other, other: one}
    for table, rows in contents.items():
        for row in rows if table != "seals" else ():
            for column in ("run_id", "opened_run_id", "closed_run_id"):
                if column in row:
                    row[column] = numbers.get(row[column], row[column])


def _swap_runs(contents: Contents, rng: random.Random) -> None:
    one, other = rng.sample(sealed_runs(contents), 2)
    _swap(one, other, ("started_at", "observed_at", "finished_at", "trigger_kind", "accepted"))


def _swap_modes(contents: Contents, rng: random.Random) -> None:
    """Two runs change what they recorded of the response to one mode."""
    one = rng.choice(sealed_modes(contents))
    other = rng.choice([row for row in sealed_modes(contents) if row["mode"] == one["mode"] and row is not one])
    _swap(one, other, ("payload_sha256", "payload_bytes", "asked_at", "http_status"))


def _swap_texts(contents: Contents, rng: random.Random) -> None:
    one = rng.choice(contents["model_versions"])
    of_model = [row for row in contents["model_versions"] if row["model_pk"] == one["model_pk"] and row is not one]
    _swap(one, rng.choice(of_model), ("raw",))


def _swap(one: Row, other: Row, columns: tuple[str, ...]) -> None:
    for column in columns:
        one[column], other[column] = other[column], one[column]


def _change(row: Row, column: str, rng: random.Random) -> None:
    """Another value of the same type."""
    value = row[column]
    if column in _CHOICES:
        row[column] = rng.choice([choice for choice in _CHOICES[column] if choice != value])
    elif isinstance(value, datetime):
        row[column] = value + rng.choice([-1, 1]) * rng.choice([timedelta(microseconds=1), timedelta(minutes=7)])
    elif isinstance(value, int):
        row[column] = value + rng.choice([-1, 1])
    elif column == "raw":
        row[column] = json.dumps({**json.loads(value), "description": str(rng.random())})
    elif isinstance(value, str):
        place = rng.randrange(len(value))
        digit = rng.choice([each for each in "0123456789abcdef" if each != value[place]])
        row[column] = f"{value[:place]}{digit}{value[place + 1 :]}"
    elif value is None and column == "accepted":
        row[column] = '{"removals": "all", "by": "bob@host"}'
    else:
        raise LookupError(f"{column} is {value!r}")


def _start(row: Row) -> datetime:
    return row["valid_from"]  # type: ignore[no-any-return]


def tree_differs(contents: Contents, leaves: list[str]) -> bool:
    """Whether the tree has other leaves than these at its beginning."""
    return [leaf.leaf_hash for leaf in stored_leaves(contents)][: len(leaves)] != leaves
