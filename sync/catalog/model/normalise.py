"""One model's text made into a record, or a reason why not."""

from __future__ import annotations

import hashlib
import json

from sync.catalog.json.decoder import decode_object
from sync.catalog.json.paths import strings
from sync.catalog.json.tree import MAX_KEY_CHARACTERS, MalformedError, Tree, is_storable
from sync.catalog.model.entities import NORMALISER_VERSION, rows_of
from sync.catalog.model.records import RawModel, Record, Rejected
from sync.catalog.model.row_builders import exact_cost

# Bounds what one statement carries, which may be a value before and after with each byte escaped:
# databases refuse packets of 16 MiB and more by default.
MAX_MODEL_BYTES = 3 * 1024 * 1024


class WrongModeError(MalformedError):
    """A model that says it belongs to another mode than the one asked for."""


def fingerprint(raw: RawModel) -> str:
    """Stands for a model's text as this program reads it: equal fingerprints need no decoding."""
    return f"{fingerprint_mark()}{hashlib.sha256(raw).hexdigest()}"


def fingerprint_mark() -> str:
    """What each fingerprint of this version of the normaliser begins with."""
    return f"{NORMALISER_VERSION}:"


def is_of_text(stored_fingerprint: str, raw: str) -> bool:
    """Whether a fingerprint stands for this text, by whatever version of the normaliser."""
    return stored_fingerprint.partition(":")[2] == hashlib.sha256(raw.encode()).hexdigest()


def is_current(stored_fingerprint: str | None) -> bool:
    """Whether the rows of a listed model were made by this version of the normaliser."""
    return stored_fingerprint is not None and stored_fingerprint.startswith(fingerprint_mark())


def normalise(raw: bytes, mode: str, *, needs_mode: bool = False) -> Record | Rejected:
    """The record of one model of the answer for ``mode``.

    With ``needs_mode`` a model that does not say its mode is rejected. Raises ``WrongModeError``
    when the model names another mode: then the answer as a whole is not what was asked for.
    """
    text = raw.decode()
    try:
        tree = _decode(raw, text)
        _require_mode(tree, mode, None if needs_mode else mode)
        return _record(tree, text, raw)
    except WrongModeError:
        raise
    except MalformedError as error:
        return Rejected(_readable_id(text), str(error))


def record_of_stored(raw: str, mode: str) -> Record | None:
    """The record of a stored version; None when this version of the program would reject it."""
    record = normalise(raw.encode(), mode)
    return record if isinstance(record, Record) else None


def _decode(raw: bytes, text: str) -> dict[str, Tree]:
    if len(raw) > MAX_MODEL_BYTES:
        raise MalformedError(f"it is longer than {MAX_MODEL_BYTES} bytes")
    return decode_object(text)


def _require_mode(tree: dict[str, Tree], mode: str, unsaid: str | None) -> None:
    own_mode = tree.get("mode", unsaid)
    if not isinstance(own_mode, str):
        raise MalformedError("mode is missing or not a text")
    if own_mode != mode:
        raise WrongModeError(f"it has a model of mode {own_mode[:40]!r}")


def _record(tree: dict[str, Tree], text: str, raw: bytes) -> Record:
    model_id = tree.get("id")
    if not isinstance(model_id, str) or not _is_id(model_id):
        raise MalformedError("its id is missing, empty, too long or not a text")
    return Record(
        model_id=model_id,
        tree=tree,
        raw=text,
        fingerprint=fingerprint(raw),
        cost=exact_cost(tree),
        rows=rows_of(tree),
        is_cleaned="\\u" in text and not all(map(is_storable, strings(tree))),
    )


def _readable_id(text: str) -> str | None:
    """The id of a model that could not be taken, if it has exactly one that could be a key."""
    try:
        pairs = json.loads(text, object_pairs_hook=list, parse_int=_no_id, parse_float=_no_id)
    except (ValueError, RecursionError):
        return None
    ids = [value for key, value in pairs if key == "id"] if text.lstrip().startswith("{") else []
    return ids[0] if len(ids) == 1 and isinstance(ids[0], str) and _is_id(ids[0]) else None


def _no_id(_number: str) -> None:
    """Numbers are passed over unread, however long: none of them is an id."""


def _is_id(text: str) -> bool:
    return 0 < len(text) <= MAX_KEY_CHARACTERS and is_storable(text)
