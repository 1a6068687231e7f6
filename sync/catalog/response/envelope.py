"""Where the models stand in an answer's text, found without decoding them and in bounded time and memory.

A hostile answer may be dense with tiny values, or repeat its list of models elsewhere; what is done
here is linear in its length all the same, and takes little memory beside it.
"""

from __future__ import annotations

import re

import msgspec

from sync.catalog.json.tree import MalformedError

EMPTY = b"[]"
# All of an answer but its models: the documented envelope takes a few hundred bytes.
MAX_ENVELOPE_BYTES = 1024 * 1024

# So many models are cut out without being counted first: a comma costs no more than some 90 bytes.
_COUNTED_FROM_COMMAS = 4_000_000
_TOKEN = re.compile(rb'"(?:[^"\\]++|\\.)*+"([ \t\r\n]*:[ \t\r\n]*)?|[\[\]{}]', re.DOTALL)


class _Data(msgspec.Struct):
    models: msgspec.Raw


class _Envelope(msgspec.Struct):
    data: msgspec.Raw


class _TooManyError(Exception):
    pass


def find_models(text: bytes) -> slice | None:
    """The place of ``data.models`` in a text; None when the text has no such value.

    Raises ``MalformedError`` when the text around it is too long, or has one of the two keys twice;
    ``msgspec.DecodeError`` when it is not JSON, ``RecursionError`` when it is nested too deep.
    """
    try:
        data = msgspec.json.decode(text, type=_Envelope).data
        models = msgspec.json.decode(data, type=_Data).models
    except msgspec.ValidationError:
        return None
    length = memoryview(models).nbytes
    if len(text) - length > MAX_ENVELOPE_BYTES:
        raise MalformedError(f"it holds more than {MAX_ENVELOPE_BYTES} bytes beside its models")
    # The decoder takes the last of several values under one key, this walk the first.
    outer = _value_of(text, b"data", 0)
    if outer is None or not text.startswith(data, outer):
        raise MalformedError("the key 'data' stands twice in one object")
    start = _value_of(text, b"models", outer)
    if start is None or not text.startswith(models, start):
        raise MalformedError("the key 'models' stands twice in one object")
    return slice(start, start + length)


def cut_models(text: bytes, place: slice, most: int) -> list[msgspec.Raw]:
    """The models of the list at a place in a text, each as it stands there: the text's bytes, not copies of them.

    Raises ``MalformedError`` when it is no list, or has more than ``most`` entries.
    """
    if not text.startswith(b"[", place.start):
        raise MalformedError("it has no list data.models")
    models = memoryview(text)[place]
    if text.count(b",", place.start, place.stop) >= max(most, _COUNTED_FROM_COMMAS):
        _require_few(models, most)
    found = msgspec.json.decode(models, type=list[msgspec.Raw])
    if len(found) > most:
        raise MalformedError(f"it holds {len(found)} models, more than MAX_MODELS={most}")
    return found


def _value_of(text: bytes, key: bytes, start: int) -> int | None:
    """Where the first value under a key begins, in the object that begins at ``start``."""
    depth = 0
    for token in _TOKEN.finditer(text, start):
        if token[0] in (b"{", b"["):
            depth += 1
        elif token[0] in (b"}", b"]"):
            depth -= 1
        elif depth == 1 and token[1] and _is_key(token[0].removesuffix(token[1]), key):
            return token.end()
        if depth == 0:
            return None
    return None


def _is_key(text: bytes, key: bytes) -> bool:
    """Whether a JSON string is the key, whatever of it is written as escapes."""
    return msgspec.json.decode(text, type=str) == key.decode()


def _require_few(models: memoryview, most: int) -> None:
    """Counts entries and keeps none; gives up at the first too many."""
    count = 0

    class Counted(msgspec.Struct, gc=False):
        def __post_init__(self) -> None:
            nonlocal count
            count += 1
            if count > most:
                raise _TooManyError

    try:
        msgspec.json.decode(models, type=list[Counted])
    except _TooManyError:
        raise MalformedError(f"it holds more than MAX_MODELS={most} models") from None
    except msgspec.ValidationError:
        raise MalformedError("it holds very many values, and not all of its models are objects") from None
