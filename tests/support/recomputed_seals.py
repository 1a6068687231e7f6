"""The seals that a catalog must have, recomputed from its rows with the standard library alone.

Nothing here shares code with the program: the tree of RFC 6962, the canonical JSON and the entries are
written again from their description, so that a mistake of the program is not repeated.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple

Row = dict[str, Any]
Rows = Mapping[str, Sequence[Row]]
"""The rows of each table; times have a time zone."""

SEALED_STATUSES = ("success", "partial", "held")
TABLES = (
    *("catalog_identity", "seals", "sync_runs", "sync_run_modes", "sync_state", "models", "model_versions"),
    "ignored_fields",
)
"""The tables that are read here."""
_MODES = ("image", "video")
_MODE_COLUMNS = {"reported": "models_reported", "received": "models_received", "rejected": "models_rejected"} | {
    "listed": "models_listed"
}
_SAME_NAME = ("mode", "status", "hold_reason", "http_status", "payload_sha256", "payload_bytes", "listed_root")


class Leaf(NamedTuple):
    """What a seal says, but for its number and the root after it."""

    run_id: int
    kind: str
    leaf_hash: str


class Listing(NamedTuple):
    """The models listed in a mode after a run."""

    number: int
    root: str


def tree_root(hashes: Sequence[bytes]) -> bytes:
    """The root of the tree over these leaf hashes, as RFC 6962 defines it."""
    if not hashes:
        return hashlib.sha256().digest()
    if len(hashes) == 1:
        return hashes[0]
    left = 1 << (len(hashes) - 1).bit_length() - 1
    return _node(tree_root(hashes[:left]), tree_root(hashes[left:]))


def leaf_hash(text: bytes) -> bytes:
    return hashlib.sha256(b"\0" + text).digest()


def lines_root(lines: Iterable[Sequence[Any]]) -> str:
    """The root over lines of facts, or of listed models, in hex."""
    return tree_root([leaf_hash(line) for line in sorted(map(canonical, lines))]).hex()


def canonical(value: object) -> bytes:
    """JSON as RFC 8785 has it for objects with ASCII keys, lists, strings, integers and null."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def growing_roots(hashes: Iterable[bytes]) -> Iterator[bytes]:
    """The root after each leaf."""
    peaks: list[tuple[int, bytes]] = []  # the complete subtrees, the largest first
    for each in hashes:
        peaks.append((1, each))
        while len(peaks) > 1 and peaks[-2][0] == peaks[-1][0]:
            (size, left), (_, right) = peaks[-2:]
            peaks[-2:] = [(2 * size, _node(left, right))]
        root = peaks[-1][1]
        for _, left in reversed(peaks[:-1]):
            root = _node(left, root)
        yield root


def peaks_of(hashes: Sequence[bytes]) -> list[bytes]:
    """The roots of the complete subtrees, the largest first."""
    if not hashes:
        return []
    size = 1 << len(hashes).bit_length() - 1
    return [tree_root(hashes[:size]), *peaks_of(hashes[size:])]


def checkpoint_text(catalog_id: str, hashes: Sequence[bytes]) -> str:
    """The checkpoint of a tree with these leaf hashes."""
    return f"catalog-sync/{catalog_id}\n{len(hashes)}\n{base64.b64encode(tree_root(hashes)).decode()}\n\n"


def time_text(time: datetime | None) -> str | None:
    return None if time is None else f"{time.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f}Z"


@dataclass
class SealedRows:
    """The rows of one catalog, by what seals are made of."""

    rows: Rows

    def __post_init__(self) -> None:
        self.catalog_id = str(self.rows["catalog_identity"][0]["catalog_id"])
        self.runs = {row["run_id"]: row for row in self.rows["sync_runs"]}
        self.modes: dict[int, list[Row]] = defaultdict(list)
        for row in sorted(self.rows["sync_run_modes"], key=lambda row: str(row["mode"])):
            self.modes[row["run_id"]].append(row)
        names = {row["model_pk"]: (row["mode"], row["model_id"]) for row in self.rows["models"]}
        self._versions = [(*names[row["model_pk"]], row, _hash(row["raw"])) for row in self.rows["model_versions"]]
        self.facts: dict[int, list[Sequence[Any]]] = defaultdict(list)
        for mode, model_id, row, digest in self._versions:
            self._add_facts(mode, model_id, row, digest)

    def _add_facts(self, mode: str, model_id: str, row: Row, digest: str) -> None:
        start = time_text(row["valid_from"])
        self.facts[row["opened_run_id"]].append(["opened", mode, model_id, start, digest])
        if row["closed_run_id"] is not None:
            closed = ["closed", mode, model_id, start, time_text(row["valid_to"])]
            self.facts[row["closed_run_id"]].append(closed)

    def is_applied(self, run_id: int) -> bool:
        return any(row["status"] in SEALED_STATUSES for row in self.modes.get(run_id, ()))

    def leaf_of_run(self, run_id: int) -> Leaf:
        """The leaf of a run whose row is stored."""
        kind = "changed" if self.facts.get(run_id) else "unchanged"
        return Leaf(run_id, kind, leaf_hash(canonical(self._entry(run_id, kind))).hex())

    def genesis(self, others: Iterable[int]) -> Leaf:
        """The leaf of everything that no run among ``others`` stored."""
        run_ids = self.facts.keys() - set(others)
        facts = [fact for run_id in run_ids for fact in self.facts[run_id]]
        nothing = ("trigger", "base_url", "app_version", "host", "key", "recorded_at", "accepted")
        entry = {"v": 1, "catalog": self.catalog_id, "run": max(run_ids), "kind": "genesis", "ignored": [], "modes": []}
        entry |= dict.fromkeys(nothing) | {"facts": len(facts), "facts_root": lines_root(facts)}
        return Leaf(max(run_ids), "genesis", leaf_hash(canonical(entry)).hex())

    def listing(self, mode: str, stamp: datetime) -> Listing:
        """The models listed in a mode at a time."""
        lines = [
            ["listed", mode, model_id, digest]
            for of, model_id, row, digest in self._versions
            if of == mode and _contains(row, stamp)
        ]
        return Listing(len(lines), lines_root(lines))

    def _entry(self, run_id: int, kind: str) -> Row:
        run, facts = self.runs[run_id], self.facts.get(run_id, [])
        at = run["observed_at"]
        ignored = [row["path"] for row in self.rows["ignored_fields"] if at is not None and _contains(row, at)]
        return {
            "v": 1,
            "catalog": self.catalog_id,
            "run": run_id,
            "kind": kind,
            "trigger": run["trigger_kind"],
            "base_url": run["base_url"],
            "app_version": run["app_version"],
            "host": run["host"],
            "key": run["key_fingerprint"],
            "recorded_at": time_text(run["finished_at"]),
            "accepted": run["accepted"],
            "ignored": sorted(ignored),
            "modes": [_mode_entry(row) for row in self.modes.get(run_id, ())],
            "facts": len(facts),
            "facts_root": lines_root(facts),
        }


def read_rows(connection: Any) -> Rows:
    """The rows of ``TABLES``, read with plain SQL."""
    return {
        table: [
            {name: _plain(name, value) for name, value in row.items()}
            for row in connection.exec_driver_sql(f"SELECT * FROM {table}").mappings()
        ]
        for table in TABLES
    }


def _mode_entry(row: Row) -> Row:
    times = {name: time_text(row[name]) for name in ("asked_at", "stamp")}
    counts = {name: row[column] for name, column in _MODE_COLUMNS.items()}
    return {name: row[name] for name in _SAME_NAME} | times | counts


def _contains(row: Row, at: datetime) -> bool:
    return bool(row["valid_from"] <= at and (row["valid_to"] is None or at < row["valid_to"]))


def _plain(name: str, value: Any) -> Any:
    """A time as an aware one in UTC, from whatever type the driver returned."""
    if value is None or not name.endswith(("_at", "valid_from", "valid_to", "stamp")):
        return value
    time = datetime.fromisoformat(value) if isinstance(value, str) else value
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\1" + left + right).digest()


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
