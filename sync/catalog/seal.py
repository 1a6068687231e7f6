"""The texts that a seal hashes: the entry of a run, and the lines of its facts and of the listed models. Pure.

Anyone can make these texts from the stored rows, without this program: each is canonical JSON (RFC 8785), in
which only objects, lists, strings, integers and null occur.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, TypeAlias

from msgspec import Struct
from msgspec.structs import asdict

from sync.catalog.merkle import leaf_hash, tree_root

ENTRY_VERSION = 1
GENESIS = "genesis"
CHANGED = "changed"
UNCHANGED = "unchanged"
SEALED_STATUSES = ("success", "partial", "held")
"""A run is sealed if one of its modes has one of these statuses."""

RUN_COLUMNS = (
    *("run_id", "trigger_kind", "base_url", "app_version", "host", "key_fingerprint"),
    *("finished_at", "observed_at", "accepted"),
)
"""The columns of ``sync_runs`` that ``run_entry`` needs."""
MODE_COLUMNS = (
    *("mode", "status", "hold_reason", "asked_at", "stamp", "http_status", "payload_sha256", "payload_bytes"),
    *("models_reported", "models_received", "models_rejected", "models_listed", "listed_root"),
)
"""Those of ``sync_run_modes``."""

JsonValue: TypeAlias = "str | int | list[JsonValue] | dict[str, JsonValue] | None"


class ModeEntry(Struct, frozen=True):
    """What the entry of a run says about a mode: columns of ``sync_run_modes``, ``models_`` left out of the names."""

    mode: str
    status: str
    hold_reason: str | None = None
    asked_at: datetime | None = None
    stamp: datetime | None = None
    http_status: int | None = None
    payload_sha256: str | None = None
    payload_bytes: int | None = None
    reported: int | None = None
    received: int | None = None
    rejected: int | None = None
    listed: int | None = None
    listed_root: str | None = None


class Entry(Struct, frozen=True):
    """What a leaf of the tree is the hash of: a run, or the history that is older than the seals."""

    catalog: str
    """The ``catalog_id``."""
    run: int
    kind: str
    facts: int
    facts_root: str
    modes: tuple[ModeEntry, ...] = ()
    """All modes of the run; ``text`` puts them in order."""
    ignored: tuple[str, ...] = ()
    """Paths of the fields that were ignored at ``observed_at``; ``text`` puts them in order."""
    trigger: str | None = None
    base_url: str | None = None
    app_version: str | None = None
    host: str | None = None
    key: str | None = None
    """The ``key_fingerprint``."""
    recorded_at: datetime | None = None
    """The ``finished_at``."""
    accepted: str | None = None
    """The text of that column, as a string."""

    def text(self) -> str:
        """The text of the leaf. Raises ``ValueError`` if a value cannot be part of it."""
        modes = sorted(self.modes, key=lambda mode: mode.mode)
        values = {
            **asdict(self),
            "v": ENTRY_VERSION,
            "recorded_at": time_text(self.recorded_at),
            "ignored": sorted(self.ignored),
            "modes": [
                {**asdict(mode), "asked_at": time_text(mode.asked_at), "stamp": time_text(mode.stamp)} for mode in modes
            ],
        }
        return canonical_json(values)

    def leaf_hash(self) -> bytes:
        """The leaf of the tree. Raises what ``text`` raises."""
        return leaf_hash(_encoded(self.text()))


def run_entry(
    catalog: str,
    run: Mapping[str, Any],
    modes: Iterable[Mapping[str, Any]],
    ignored: Iterable[str],
    facts: Sequence[str],
) -> Entry:
    """The entry of a run from its row of ``sync_runs``, its rows of ``sync_run_modes`` and its fact lines.

    ``ignored`` are the paths that were ignored at its ``observed_at``.
    """
    return Entry(
        catalog=catalog,
        run=run["run_id"],
        kind=CHANGED if facts else UNCHANGED,
        facts=len(facts),
        facts_root=lines_root(facts),
        modes=tuple(ModeEntry(*(row[name] for name in MODE_COLUMNS)) for row in modes),
        ignored=tuple(ignored),
        trigger=run["trigger_kind"],
        base_url=run["base_url"],
        app_version=run["app_version"],
        host=run["host"],
        key=run["key_fingerprint"],
        recorded_at=run["finished_at"],
        accepted=run["accepted"],
    )


def genesis_entry(catalog: str, run: int, facts: Sequence[str]) -> Entry:
    """The entry over the history that is older than the seals: fact lines, and the highest run that they name."""
    return Entry(catalog, run, GENESIS, len(facts), lines_root(facts))


def opened_line(mode: str, model_id: str, valid_from: datetime, raw_sha256: str) -> str:
    """The fact line of a version that the run opened."""
    return _line(f'"opened",{_string(mode)},{_string(model_id)},"{_time(valid_from)}",{_string(raw_sha256)}')


def closed_line(mode: str, model_id: str, valid_from: datetime, valid_to: datetime) -> str:
    """The fact line of a version that the run closed."""
    return _line(f'"closed",{_string(mode)},{_string(model_id)},"{_time(valid_from)}","{_time(valid_to)}"')


def listed_line(mode: str, model_id: str, raw_sha256: str) -> str:
    """The line of a model that is listed after the run."""
    return _line(f'"listed",{_string(mode)},{_string(model_id)},{_string(raw_sha256)}')


def raw_hash(raw: str) -> str:
    """The SHA-256 of a model's text, in hex. Raises ``ValueError`` if it is not Unicode."""
    return sha256(_encoded(raw)).hexdigest()


def sorted_lines(lines: Iterable[str]) -> list[bytes]:
    """The lines in the order of the tree: that of their UTF-8 bytes. Raises ``ValueError`` if one is not Unicode."""
    return sorted(_encoded(line) for line in lines)


def lines_root(lines: Iterable[str]) -> str:
    """The root of the tree over the lines, in hex, whatever their order. Raises what ``sorted_lines`` raises."""
    # ``leaf_hash`` without a call per line, which would be a third of the time.
    return tree_root([sha256(b"\x00" + line).digest() for line in sorted_lines(lines)]).hex()


def time_text(moment: datetime | None) -> str | None:
    """A time as in ``2026-03-01T12:00:00.000000Z``, in UTC."""
    return None if moment is None else _time(moment)


def canonical_json(value: JsonValue) -> str:
    """The JSON text of RFC 8785. Raises ``ValueError`` for what is no object, list, string, integer or null."""
    if isinstance(value, str):
        return _string(value)
    if value is None or type(value) is int:  # a bool is an int, too
        return "null" if value is None else str(value)
    if isinstance(value, (list, tuple)):
        return _line(",".join(map(canonical_json, value)))
    if isinstance(value, dict):
        members = (f"{_string(key)}:{canonical_json(value[key])}" for key in sorted(value, key=_utf16))
        return f"{{{','.join(members)}}}"
    raise ValueError(f"a value of type {type(value).__name__} cannot be part of a seal")


def _utf16(key: str) -> bytes:
    """RFC 8785 sorts keys by their UTF-16 code units, which differs from the order of characters past U+FFFF."""
    return key.encode("utf-16-be")


def _line(items: str) -> str:
    return f"[{items}]"


# Escapes just what RFC 8785 escapes, with the same short forms and the same lower-case hex digits.
_string = json.JSONEncoder(ensure_ascii=False).encode


def _time(moment: datetime) -> str:
    return f"{moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec='microseconds')}Z"


def _encoded(text: str) -> bytes:
    return text.encode()
