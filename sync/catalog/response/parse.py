"""The bytes of a response made into models that are still raw text, or an error that names the problem.

Only the envelope is decoded. The models are found without decoding them, so an unchanged model costs one
hash.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from sync.catalog.json.decoder import decode_object
from sync.catalog.json.surrogates import replace_lone_surrogates
from sync.catalog.json.tree import MalformedError, Number, Tree
from sync.catalog.model.records import RawModel
from sync.catalog.modes import MODES
from sync.catalog.response.api_errors import error_for_envelope, response_rejected
from sync.catalog.response.envelope import BOM, EMPTY_LIST, MAX_ENVELOPE_BYTES, find_models, split_models
from sync.catalog.response.parsed import ParsedResponse
from sync.catalog.response.wholeness import incomplete_reason, unknown_keys
from sync.errors import ResponseRejected

_CHUNK_BYTES = 1024 * 1024
_MAX_QUOTED = 60


class _ModeOnly(msgspec.Struct):
    mode: msgspec.Raw = msgspec.Raw(b"null")


class ParseLimits(Struct, frozen=True):
    """Limits on a response."""

    max_models: int = 200_000


def parse_response(
    body: bytes, mode: str, limits: ParseLimits | None = None, headers: Mapping[str, str] | None = None
) -> ParsedResponse:
    """The response for one mode, or for ``all``, with its models still raw.

    ``headers`` are those of the HTTP response; a saved response has none. Raises ``ResponseRejected`` when the
    body is not the complete catalog of this mode, and the error for its ``code`` when the envelope reports a
    failure (``ok: false``).
    """
    limits = limits or ParseLimits()
    text = body.removeprefix(BOM)
    _require_utf8(text, mode)
    decodable, span = _find_models(text, mode)
    # Without data.models the whole text is read as an envelope: it may report an error, which is short.
    envelope_text = text[: span.start] + EMPTY_LIST + text[span.stop :] if span else text
    if len(envelope_text) > MAX_ENVELOPE_BYTES + len(EMPTY_LIST):
        raise response_rejected(mode, "it has no list data.models")
    envelope = _decode_envelope(envelope_text, mode)
    _require_success(envelope, mode)
    models = _split_models(text, decodable, span, mode, limits) if span else ()
    _require_total(envelope, mode, len(models))
    _require_whole(envelope, mode, len(models), headers or {})
    digest = hashlib.sha256(body).hexdigest()
    return ParsedResponse(mode, len(models), models, len(body), digest, unknown_keys=unknown_keys(envelope))


def split_by_mode(response: ParsedResponse) -> dict[str, ParsedResponse]:
    """A response for ``all`` as one response per mode, each of them complete.

    A model without a mode, or with an unknown one, is put into both, where it is rejected.
    """
    models: dict[str, list[RawModel]] = {mode: [] for mode in MODES}
    for raw in response.models:
        own_mode = _own_mode(bytes(raw))
        for mode in (own_mode,) if own_mode in models else MODES:
            models[mode].append(raw)
    return {
        mode: replace(response, mode=mode, reported=len(of_mode), models=tuple(of_mode), is_split=True)
        for mode, of_mode in models.items()
    }


def _require_utf8(text: bytes, mode: str) -> None:
    """Decodes chunk by chunk, since Python keeps a whole text with up to four bytes per character."""
    start = len(text) if text.isascii() else 0
    while start < len(text):
        stop = _end_of_chunk(text, start)
        try:
            str(memoryview(text)[start:stop], "utf-8")
        except UnicodeDecodeError as error:
            raise response_rejected(mode, f"it is not UTF-8 at byte {start + error.start}") from None
        start = stop


def _end_of_chunk(text: bytes, start: int) -> int:
    """An end that does not cut a character: at most three continuation bytes (10xxxxxx) follow its first byte."""
    end = start + _CHUNK_BYTES
    return next((stop for stop in range(end, end - 4, -1) if stop >= len(text) or text[stop] & 0xC0 != 0x80), end)


def _find_models(text: bytes, mode: str) -> tuple[bytes, slice | None]:
    """A text of the same structure and length that msgspec can decode, and the position of its models."""
    try:
        try:
            return text, find_models(text)
        except msgspec.DecodeError:
            decodable = replace_lone_surrogates(text)
            return decodable, find_models(decodable)
    except MalformedError as error:
        raise response_rejected(mode, str(error)) from None
    except RecursionError:
        raise response_rejected(mode, "it is nested too deeply") from None
    except msgspec.DecodeError as error:
        raise response_rejected(mode, f"it is not complete, valid JSON: {error}") from None


def _split_models(text: bytes, decodable: bytes, span: slice, mode: str, limits: ParseLimits) -> tuple[RawModel, ...]:
    """The models of the text, at the positions that they have in the decodable text."""
    try:
        models = split_models(decodable, span, limits.max_models)
    except MalformedError as error:
        raise response_rejected(mode, str(error)) from None
    if decodable is text:
        return tuple(models)
    return tuple(_same_parts(text, decodable, span.start + 1, models))


def _same_parts(text: bytes, decodable: bytes, start: int, parts: list[msgspec.Raw]) -> Iterator[bytes]:
    for part in map(bytes, parts):
        start = decodable.index(part, start)
        yield text[start : start + len(part)]
        start += len(part)


def _decode_envelope(text: bytes, mode: str) -> dict[str, Tree]:
    try:
        return decode_object(text.decode())
    except MalformedError as error:
        raise response_rejected(mode, str(error)) from None


def _require_success(envelope: dict[str, Tree], mode: str) -> None:
    fields = {key: _plain(value) for key, value in envelope.items()}
    error = error_for_envelope(fields, mode=mode, where="studio/models")
    if error is not None:
        raise error
    data = envelope.get("data")
    if not isinstance(data, dict) or not isinstance(data.get("models"), list):
        raise response_rejected(mode, "it has no list data.models")
    if data.get("mode") != mode:
        raise response_rejected(mode, f"data.mode is {_quoted(data.get('mode'))}")


def _require_total(envelope: dict[str, Tree], mode: str, count: int) -> None:
    data = envelope["data"]
    total = data.get("total") if isinstance(data, dict) else None
    if total != Number(str(count)):
        raise _total_differs(mode, total, count)


def _require_whole(envelope: dict[str, Tree], mode: str, count: int, headers: Mapping[str, str]) -> None:
    reason = incomplete_reason(envelope, count, headers)
    if reason is not None:
        error = response_rejected(mode, f"{reason}, so it may not be the whole catalog")
        error.reported = error.received = count
        raise error


def _total_differs(mode: str, total: Tree | None, count: int) -> ResponseRejected:
    error = response_rejected(mode, f"data.total is {_quoted(total)} but it has {count} models")
    reported = None if total is None else _plain(total)
    error.reported, error.received = reported if isinstance(reported, int) else None, count
    return error


def _plain(value: Tree) -> object:
    """A value as ``error_for_envelope`` reads it: an integer, unless it is too large for a status or a total."""
    if isinstance(value, Number):
        return int(value.text) if value.text.isdigit() and len(value.text) < 10 else value.text
    return value


def _own_mode(raw: bytes) -> str | None:
    try:
        return msgspec.json.decode(msgspec.json.decode(replace_lone_surrogates(raw), type=_ModeOnly).mode, type=str)
    except (msgspec.DecodeError, RecursionError):
        return None


def _quoted(value: Tree | None) -> str:
    if value is None:
        return "missing"
    return repr(value.text if isinstance(value, Number) else value)[:_MAX_QUOTED]
