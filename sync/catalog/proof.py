"""A proof that a model was listed with its text and cost: made here, checked by docs/check_proof.py. Pure.

The two share no code: who doubts the program needs to read the script alone.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from datetime import datetime
from hashlib import sha256

from msgspec import Struct

from sync.catalog.checkpoint import Checkpoint
from sync.catalog.json.decoder import decode_object
from sync.catalog.merkle import inclusion_path, leaf_hash, tree_root
from sync.catalog.model.parts import ModelParts
from sync.catalog.model.row_builders import exact_cost
from sync.catalog.seal import listed_line, raw_hash, sorted_lines, time_text

BEGIN = '{\n "claim":'
"""How every proof begins."""

_NOT_ASCII = re.compile("[^\n -~]")


class DamagedSealError(ValueError):
    """The stored rows are not those that were sealed. The message is a clause for a line that people read."""


class ProvedModel(Struct, frozen=True):
    """What a proof is about: the model's text as it was listed at a moment, after a run observed it. Times in UTC."""

    mode: str
    model_id: str
    at: datetime
    observed_at: datetime
    """The run's stamp in the mode."""
    raw: str


class SealedRun(Struct, frozen=True):
    """The run that observed the model: its entry, the place of that in the tree, and what it says of the mode."""

    run_id: int
    entry: str
    seal_no: int
    listed: int | None
    """None for an imported run of a version that did not count the listed models."""
    listed_root: str | None


def make_proof(
    model: ProvedModel, run: SealedRun, listed: Iterable[str], catalog_id: str, leaves: Sequence[bytes]
) -> str:
    """The proof as one JSON document.

    ``listed`` are the lines of all models that were listed in the mode after the run, in any order, ``leaves``
    the leaf hashes of all seals. Raises ``DamagedSealError`` rather than to give a proof that does not hold.
    """
    try:
        lines = sorted_lines(listed)
        line = listed_line(model.mode, model.model_id, raw_hash(model.raw)).encode()
        entry_leaf = leaf_hash(run.entry.encode())
        cost = exact_cost(ModelParts(decode_object(model.raw)))
    except ValueError as error:  # also for a text that is no model
        raise DamagedSealError(f"a stored text cannot be read: {error}") from error
    hashes = [leaf_hash(each) for each in lines]
    place = bisect_left(lines, line)
    _require_sealed(run, hashes, entry_leaf, leaves)
    if lines[place : place + 1] != [line]:
        raise DamagedSealError(f"the model is not among those listed after run {run.run_id}")
    return _document(
        {
            "claim": {
                "mode": model.mode,
                "model_id": model.model_id,
                "at": time_text(model.at),
                "observed_at": time_text(model.observed_at),
                "credit_cost_exact": cost,
            },
            "raw": model.raw,
            "listed": {
                "line": line.decode(),
                "index": place,
                # Else the entry has it. The root is sealed, so a wrong size would prove nothing else.
                **({"size": len(hashes)} if run.listed is None else {}),
                "path": _path(hashes, place),
            },
            "entry": {"text": run.entry, "index": run.seal_no, "path": _path(leaves, run.seal_no)},
            "checkpoint": Checkpoint(catalog_id, len(leaves), tree_root(leaves)).text(),
        }
    )


def _require_sealed(run: SealedRun, hashes: Sequence[bytes], entry_leaf: bytes, leaves: Sequence[bytes]) -> None:
    if run.seal_no >= len(leaves) or leaves[run.seal_no] != entry_leaf:
        raise DamagedSealError(f"the rows of run {run.run_id} are not those that seal {run.seal_no} was made of")
    if run.listed not in (None, len(hashes)) or run.listed_root != tree_root(hashes).hex():
        raise DamagedSealError(f"the models listed after run {run.run_id} are not those that it sealed")


def _path(leaves: Sequence[bytes], index: int) -> list[str]:
    return [step.hex() for step in inclusion_path(leaves, index)]


def _document(proof: dict[str, object]) -> str:
    # The moment of the claim and the size of the tree are in no leaf: this finds a change of theirs on the way, too.
    values = json.loads(json.dumps([*proof.values()]), parse_int=str)  # as the script reads them
    proof = {**proof, "sha256": sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()}
    # A hash on each line, so that people can read it. What is not printable is escaped, so that no text of a server
    # controls a terminal; all of ASCII is by json.
    text = json.dumps(proof, indent=1, ensure_ascii=False)
    return _NOT_ASCII.sub(lambda found: found[0] if found[0].isprintable() else json.dumps(found[0])[1:-1], text) + "\n"
