"""One model's text as a record, or as a rejection with its reason.

Only what makes a model untrustworthy or impossible to store rejects it, and only that model: the other
models of the response are applied. A model of another mode rejects the whole response.
"""

from __future__ import annotations

import hashlib
import json

from sync.catalog.json.decoder import decode_object, require_storable_keys
from sync.catalog.json.paths import strings
from sync.catalog.json.tree import MAX_KEY_CHARACTERS, MalformedError, Tree, is_storable
from sync.catalog.model.entities import NORMALISER_VERSION, rows_of
from sync.catalog.model.parts import ModelParts
from sync.catalog.model.records import RawModel, Record, Rejected
from sync.catalog.model.row_builders import exact_cost
from sync.catalog.model.unread import unread_parts

# An event may carry a value before and after, with each byte escaped: 12 MiB in one statement. MariaDB
# refuses packets of 16 MiB by default.
MAX_MODEL_BYTES = 3 * 1024 * 1024
TOO_LONG = "the model is longer than"
"""How the reason begins for which a longer model is rejected, of which only the hash is kept."""
# Fields in which a name that cannot be a key costs no more than its row.
_ANY_KEYS = frozenset(
    ("name", "provider", "description", "credits", "params", "inputs", "capabilities", "raw_available_params")
)


class WrongModeError(MalformedError):
    """A model belongs to another mode than the one that was requested."""


def fingerprint(raw: RawModel) -> str:
    """Identifies a text and the normaliser's version: models with equal fingerprints have equal records.

    An unchanged model costs this hash and no decoding.
    """
    return f"{fingerprint_mark()}{hashlib.sha256(raw).hexdigest()}"


def fingerprint_mark() -> str:
    """The prefix of every fingerprint that this version of the normaliser makes."""
    return f"{NORMALISER_VERSION}:"


def is_of_text(stored_fingerprint: str, raw: str) -> bool:
    """Whether a fingerprint is that of this text, whatever the version of the normaliser."""
    return text_hash(stored_fingerprint) == hashlib.sha256(raw.encode()).hexdigest()


def text_hash(stored_fingerprint: str) -> str:
    """The SHA-256, in hex, of the text that has this fingerprint."""
    return stored_fingerprint.partition(":")[2]


def is_current(stored_fingerprint: str | None) -> bool:
    """Whether this version of the normaliser made the rows of a model with this fingerprint."""
    return stored_fingerprint is not None and stored_fingerprint.startswith(fingerprint_mark())


def normalise(raw: bytes, mode: str, *, needs_mode: bool = False) -> Record | Rejected:
    """The record of one model in the response for ``mode``, or its rejection.

    With ``needs_mode`` a model without a mode is rejected. Raises ``WrongModeError`` when the model
    names another mode, since the whole response is then not the one that was requested.
    """
    text = raw.decode()
    try:
        tree = _decode(raw, text)
        # In a response for one mode a model need not name it; in a response for all modes it must.
        _require_mode(tree, mode, None if needs_mode else mode)
        return _record(tree, text, raw)
    except WrongModeError:
        raise  # it rejects the response, not the model alone
    except MalformedError as error:
        return Rejected(readable_id(text), error.kind, str(error), raw, hashlib.sha256(raw).hexdigest())


def record_of_stored(raw: str, mode: str) -> Record | None:
    """The record of a stored version; None when this version of the program rejects the text.

    Raises ``WrongModeError`` as ``normalise`` does.
    """
    record = normalise(raw.encode(), mode)
    return record if isinstance(record, Record) else None


def _decode(raw: bytes, text: str) -> dict[str, Tree]:
    if len(raw) > MAX_MODEL_BYTES:
        raise MalformedError(f"{TOO_LONG} {MAX_MODEL_BYTES} bytes")
    tree = decode_object(text)
    require_storable_keys({name: {} if name in _ANY_KEYS else value for name, value in tree.items()})
    return tree


def _require_mode(tree: dict[str, Tree], mode: str, default: str | None) -> None:
    own_mode = tree.get("mode", default)
    if not isinstance(own_mode, str):
        raise MalformedError("mode is missing or not a string")
    if own_mode != mode:
        raise WrongModeError(f"it has a model of mode {own_mode[:40]!r}")


def _record(tree: dict[str, Tree], text: str, raw: bytes) -> Record:
    model_id = tree.get("id")
    if not isinstance(model_id, str) or not _is_id(model_id):
        raise MalformedError(
            f"the id is missing, empty, longer than {MAX_KEY_CHARACTERS} characters, not a string,"
            " or contains NUL or a lone surrogate"
        )
    parts = ModelParts(tree)
    return Record(
        model_id=model_id,
        tree=tree,
        raw=text,
        fingerprint=fingerprint(raw),
        cost=exact_cost(parts),
        rows=rows_of(parts),
        # Only an escape can give NUL or a lone surrogate: strict JSON has no raw NUL, UTF-8 no surrogates.
        is_cleaned="\\u" in text and not all(map(is_storable, strings(tree))),
        unread=tuple(unread_parts(parts)),
    )


def readable_id(text: str) -> str | None:
    """The id of a rejected model, if it has exactly one and that is a valid key.

    The text is read leniently here, since a rejected model whose id is known counts as seen.
    """
    try:
        # As pairs, an object keeps a second id. A list of pairs would look the same, hence the check below.
        pairs = json.loads(text, object_pairs_hook=list, parse_int=_skip_number, parse_float=_skip_number)
    except (ValueError, RecursionError):
        return None
    ids = [value for key, value in pairs if key == "id"] if text.lstrip().startswith("{") else []
    return ids[0] if len(ids) == 1 and isinstance(ids[0], str) and _is_id(ids[0]) else None


def _skip_number(_token: str) -> None:
    """Leaves a number undecoded: it is not an id, and ``int`` refuses one of more than 4,300 digits."""


def _is_id(text: str) -> bool:
    return 0 < len(text) <= MAX_KEY_CHARACTERS and is_storable(text)
