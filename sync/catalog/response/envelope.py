"""The envelope of a response, read without decoding its models, in bounded time and memory.

``Envelope`` is the only type for ``{"ok": true, "code": 200, "data": {"mode": "image", "models": [...]}}``.
Each of its fields is the JSON text of a value as ``msgspec.Raw``: a view of the bytes that were read, empty
when the field is missing. Reading an envelope therefore creates no object for any value inside it, and a
caller decodes only what it needs: ``error_fields``, ``read_data``, or ``find_models`` with ``split_models``.

A hostile response may be dense with tiny values, repeat its list of models elsewhere or name a key twice.
Everything here takes time linear in the length of the text, and little memory beside it.
"""

from __future__ import annotations

import re

import msgspec
from msgspec import Raw

from sync.catalog.json.tree import MalformedError

BOM = b"\xef\xbb\xbf"
EMPTY_LIST = b"[]"
# The size of a response without its models. The documented envelope takes a few hundred bytes.
MAX_ENVELOPE_BYTES = 1024 * 1024

# A list with fewer commas is split without counting its entries first. A comma means at most one more
# entry, and an entry costs about 90 bytes of memory, so splitting at once takes at most 360 MB.
_COUNTED_FROM_COMMAS = 4_000_000
# An error's code and texts are shorter. Masking and quoting a longer text would take seconds.
_MAX_ERROR_FIELD_BYTES = 64 * 1024
_TOKEN = re.compile(rb'"(?:[^"\\]++|\\.)*+"([ \t\r\n]*:[ \t\r\n]*)?|[\[\]{}]', re.DOTALL)


class EnvelopeData(msgspec.Struct):
    """What ``data`` holds in a successful response."""

    mode: Raw = Raw()
    models: Raw = Raw()


class Envelope(msgspec.Struct):
    """The documented fields of a response. Unknown fields are skipped."""

    ok: Raw = Raw()
    code: Raw = Raw()
    error_code: Raw = Raw()
    message: Raw = Raw()
    data: Raw = Raw()

    def error_fields(self) -> dict[str, object]:
        """The fields beside ``data`` that are present, decoded, as ``error_for_envelope`` reads them.

        A list, an object or a very long text stays ``Raw``, since no error of the API has one. Raises
        ``msgspec.DecodeError`` or ``UnicodeDecodeError`` for a value that cannot be decoded.
        """
        fields = {"ok": self.ok, "code": self.code, "error_code": self.error_code, "message": self.message}
        return {name: _decode_scalar(value) for name, value in fields.items() if value}

    def read_data(self) -> EnvelopeData:
        """The fields of ``data``. Raises ``msgspec.ValidationError`` when ``data`` is missing or not an object."""
        return msgspec.json.decode(self.data or b"null", type=EnvelopeData)


def read_envelope(text: bytes) -> Envelope:
    """The envelope in a JSON text that has no byte order mark.

    When a key appears twice the last value is returned, as msgspec does; ``find_models`` refuses that for
    ``data`` and ``models``. Raises ``msgspec.ValidationError`` when the text is not an object, another
    ``msgspec.DecodeError`` when it is not JSON or has a lone surrogate, and ``RecursionError`` when it is
    nested too deeply.
    """
    return msgspec.json.decode(text, type=Envelope)


def read_mode(text: bytes) -> str:
    """``data.mode`` of the envelope in a text.

    Raises ``MalformedError`` when it is missing, otherwise as ``read_envelope`` does.
    """
    mode = read_envelope(text).read_data().mode
    if not mode:
        raise MalformedError("it has no data.mode")
    return msgspec.json.decode(mode, type=str)


def find_models(text: bytes) -> slice | None:
    """The position of ``data.models`` in a text, or None when the text has no such value.

    Raises ``MalformedError`` when the text around the models is too long, or has one of the two keys twice;
    otherwise as ``read_envelope`` does, but never ``msgspec.ValidationError``.
    """
    try:
        data = read_envelope(text).data
        models = msgspec.json.decode(data or b"null", type=EnvelopeData).models
    except msgspec.ValidationError:
        return None
    if not models:
        return None
    length = memoryview(models).nbytes
    if len(text) - length > MAX_ENVELOPE_BYTES:
        raise MalformedError(f"it has more than {MAX_ENVELOPE_BYTES} bytes beside its models")
    # msgspec keeps the last of several values under one key, this walk the first. Where they differ, the
    # key comes twice, and the text could mean one catalog to us and another to the API's own clients.
    data_start = _find_value(text, b"data", 0)
    if data_start is None or not text.startswith(data, data_start):
        raise MalformedError("the key 'data' appears twice in one object")
    start = _find_value(text, b"models", data_start)
    if start is None or not text.startswith(models, start):
        raise MalformedError("the key 'models' appears twice in one object")
    return slice(start, start + length)


def split_models(text: bytes, span: slice, limit: int) -> list[Raw]:
    """The models of the list at a position in a text, as views of the text, not as copies.

    Raises ``MalformedError`` when the value is not a list, or has more than ``limit`` entries.
    """
    if not text.startswith(b"[", span.start):
        raise MalformedError("it has no list data.models")
    models = memoryview(text)[span]
    if text.count(b",", span.start, span.stop) >= max(limit, _COUNTED_FROM_COMMAS):
        _check_count(models, limit)
    split = msgspec.json.decode(models, type=list[Raw])
    if len(split) > limit:
        raise MalformedError(f"it has {len(split)} models, more than CATALOG_SYNC_MAX_MODELS={limit}")
    return split


def _decode_scalar(value: Raw) -> object:
    is_scalar = bytes(memoryview(value)[:1]) not in (b"[", b"{")
    return msgspec.json.decode(value) if is_scalar and memoryview(value).nbytes <= _MAX_ERROR_FIELD_BYTES else value


def _find_value(text: bytes, key: bytes, start: int) -> int | None:
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
    r"""Whether a JSON string is the key, which may be written with escapes: ``"d\u0061ta"``."""
    return msgspec.json.decode(text, type=str) == key.decode()


class _TooManyError(Exception):
    pass


def _check_count(models: memoryview, limit: int) -> None:
    """Counts the entries without keeping them, and stops at the first one above the limit."""
    count = 0

    # msgspec builds a list completely before it returns it. A hook that runs for each entry is the only
    # way to stop in the middle.
    class Counted(msgspec.Struct, gc=False):
        def __post_init__(self) -> None:
            nonlocal count
            count += 1
            if count > limit:
                raise _TooManyError

    try:
        msgspec.json.decode(models, type=list[Counted])
    except _TooManyError:
        raise MalformedError(f"it has more than CATALOG_SYNC_MAX_MODELS={limit} models") from None
    except msgspec.ValidationError:
        raise MalformedError("it has millions of values, and not all of its models are objects") from None
