"""Proofs made from values alone, by code that shares nothing with the program: what docs/check_proof.py must take."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Sequence
from typing import Any

CATALOG_ID = "0d9bd5b0-5d5c-4a0e-9f4c-3f1f0a0c7e11"


def plain_root(leaves: Sequence[bytes]) -> bytes:
    """The Merkle tree hash of RFC 6962, section 2.1, of these hashes of leaves."""
    if len(leaves) < 2:
        return leaves[0] if leaves else hashlib.sha256().digest()
    left = _left_part(len(leaves))
    return hashlib.sha256(b"\x01" + plain_root(leaves[:left]) + plain_root(leaves[left:])).digest()


def plain_path(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """The audit path of RFC 6962, section 2.1.1."""
    if len(leaves) < 2:
        return []
    left = _left_part(len(leaves))
    if index < left:
        return [*plain_path(leaves[:left], index), plain_root(leaves[left:])]
    return [*plain_path(leaves[left:], index - left), plain_root(leaves[:left])]


def plain_leaf(text: str) -> bytes:
    return hashlib.sha256(b"\x00" + text.encode()).digest()


def canonical(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def listed_line(mode: str, model_id: str, raw: str) -> str:
    return canonical(["listed", mode, model_id, hashlib.sha256(raw.encode()).hexdigest()])


def made_entry(listed: int, listed_root: str, **changed: Any) -> dict[str, Any]:
    """An entry of a run that applied image; ``changed`` are other values of its row."""
    row = {
        "mode": "image",
        "status": "success",
        "hold_reason": None,
        "asked_at": "2026-03-01T11:59:59.000000Z",
        "stamp": "2026-03-01T12:00:00.000000Z",
        "http_status": 200,
        "payload_sha256": "ab" * 32,
        "payload_bytes": 1234,
        "reported": listed,
        "received": listed,
        "rejected": 0,
        "listed": listed,
        "listed_root": listed_root,
    }
    return {
        "v": 1,
        "catalog": CATALOG_ID,
        "run": 17,
        "kind": "unchanged",
        "trigger": "cli",
        "base_url": "https://api.example/v1",
        "app_version": "1",
        "host": "host",
        "key": "0123456789ab",
        "recorded_at": "2026-03-01T12:00:01.000000Z",
        "accepted": None,
        "ignored": [],
        "modes": [{**row, **changed}],
        "facts": 0,
        "facts_root": hashlib.sha256().hexdigest(),
    }


def made_proof(
    raw: str, model_id: str = "m", *, listed: int = 5, place: int = 2, size: int = 9, index: int = 6, **changed: Any
) -> dict[str, Any]:
    """A proof that holds: the text as one of ``listed`` models, in entry ``index`` of a tree of ``size``."""
    others = [listed_line("image", f"other-{number}", "{}") for number in range(listed - 1)]
    line = listed_line("image", model_id, raw)
    lines = [*others[:place], line, *others[place:]]
    hashes = [plain_leaf(each) for each in lines]
    text = canonical(made_entry(listed, plain_root(hashes).hex(), **changed))
    leaves = [plain_leaf(f"entry {number}") for number in range(size)]
    leaves[index] = plain_leaf(text)
    return {
        "claim": {
            "mode": "image",
            "model_id": model_id,
            "at": "2026-03-01T15:00:00.000000Z",
            "observed_at": "2026-03-01T12:00:00.000000Z",
            "credit_cost_exact": "5",
        },
        "raw": raw,
        "listed": {"line": line, "index": place, "path": [step.hex() for step in plain_path(hashes, place)]},
        "entry": {"text": text, "index": index, "path": [step.hex() for step in plain_path(leaves, index)]},
        "checkpoint": checkpoint_text(plain_root(leaves), size),
    }


def checkpoint_text(root: bytes, size: int, catalog_id: str = CATALOG_ID) -> str:
    return f"catalog-sync/{catalog_id}\n{size}\n{base64.b64encode(root).decode()}\n\n"


def _left_part(number: int) -> int:
    """The largest power of two that is smaller than the number."""
    return int(1 << ((number - 1).bit_length() - 1))
