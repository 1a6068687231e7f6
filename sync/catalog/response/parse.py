"""An answer's bytes made into models that are still raw text, or an error that says what is wrong.

Only the envelope is read here. Its models are found without decoding them, so an unchanged model
costs a hash and nothing more.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from sync.catalog.json.decoder import decode_object
from sync.catalog.json.surrogates import replace_lone_surrogates
from sync.catalog.json.tree import MalformedError, Number, Tree
from sync.catalog.model.records import RawModel
from sync.catalog.modes import MODES
from sync.catalog.response.api_errors import error_for_envelope
from sync.catalog.response.envelope import BOM, EMPTY_LIST, MAX_ENVELOPE_BYTES, find_models, split_models
from sync.catalog.response.parsed import LastAppliedPayload, ParsedResponse
from sync.errors import ResponseRejected

_PIECE = 1024 * 1024


class _ModeOnly(msgspec.Struct):
    mode: msgspec.Raw = msgspec.Raw(b"null")


class ParseLimits(Struct, frozen=True):
    """Bounds on an answer, whatever the server sends."""

    max_models: int = 200_000


def parse_response(
    body: bytes, mode: str, limits: ParseLimits | None = None, applied: LastAppliedPayload | None = None
) -> ParsedResponse:
    """The answer for one mode, or for ``all``, with its models still raw.

    The bytes that were ``applied`` last are not looked into again. Raises ``ResponseRejected`` when the
    envelope is not that of a whole catalog of this mode, and the error of its own code when it reports
    a failure (``ok: false``).
    """
    limits = limits or ParseLimits()
    sha256 = hashlib.sha256(body).hexdigest()
    if applied is not None and applied.payload_sha256 == sha256 and applied.models <= limits.max_models:
        return ParsedResponse(mode, applied.models, (), len(body), sha256, is_same=True)
    text = body.removeprefix(BOM)
    _require_utf8(text, mode)
    decodable, place = _find(text, mode)
    # What is not of the documented shape may still be a refusal, and that is short.
    around = text[: place.start] + EMPTY_LIST + text[place.stop :] if place else text
    if len(around) > MAX_ENVELOPE_BYTES + len(EMPTY_LIST):
        raise _rejected(mode, "it has no list data.models")
    envelope = _envelope(around, mode)
    _require_sound(envelope, mode)
    models = _cut(text, decodable, place, mode, limits) if place else ()
    _require_total(envelope, mode, len(models))
    return ParsedResponse(mode, len(models), models, len(body), sha256)


def split_by_mode(answer: ParsedResponse) -> dict[str, ParsedResponse]:
    """An answer for ``all`` as one answer per mode; it counts as a full look at both.

    A model that does not say its mode, or says one unknown, stands in both and is refused there.
    """
    models: dict[str, list[RawModel]] = {mode: [] for mode in MODES}
    for raw in answer.models:
        own = _own_mode(bytes(raw))
        for mode in (own,) if own in models else MODES:
            models[mode].append(raw)
    return {
        mode: replace(answer, mode=mode, reported=len(found), models=tuple(found), is_split=True)
        for mode, found in models.items()
    }


def _require_utf8(text: bytes, mode: str) -> None:
    """A piece at a time: as one text it could take four times the memory."""
    start = len(text) if text.isascii() else 0
    while start < len(text):
        stop = _end_of_piece(text, start)
        try:
            str(memoryview(text)[start:stop], "utf-8")
        except UnicodeDecodeError as error:
            raise _rejected(mode, f"it is not UTF-8 at byte {start + error.start}") from None
        start = stop


def _end_of_piece(text: bytes, start: int) -> int:
    """Not within a character: at most three bytes follow its first."""
    end = start + _PIECE
    return next((stop for stop in range(end, end - 4, -1) if stop >= len(text) or text[stop] & 0xC0 != 0x80), end)


def _find(text: bytes, mode: str) -> tuple[bytes, slice | None]:
    """A text of the same structure and length that the decoder takes, and where its models stand."""
    try:
        try:
            return text, find_models(text)
        except msgspec.DecodeError:
            decodable = replace_lone_surrogates(text)
            return decodable, find_models(decodable)
    except MalformedError as error:
        raise _rejected(mode, str(error)) from None
    except RecursionError:
        raise _rejected(mode, "it is nested too deep") from None
    except msgspec.DecodeError as error:
        raise _rejected(mode, f"it is not complete, valid JSON: {error}") from None


def _cut(text: bytes, decodable: bytes, place: slice, mode: str, limits: ParseLimits) -> tuple[RawModel, ...]:
    """The models, cut from the text where the decodable one of the same structure and length says to."""
    try:
        models = split_models(decodable, place, limits.max_models)
    except MalformedError as error:
        raise _rejected(mode, str(error)) from None
    if decodable is text:
        return tuple(models)
    return tuple(_same_pieces(text, decodable, place.start + 1, models))


def _same_pieces(text: bytes, decodable: bytes, start: int, pieces: list[msgspec.Raw]) -> Iterator[bytes]:
    for piece in map(bytes, pieces):
        start = decodable.index(piece, start)
        yield text[start : start + len(piece)]
        start += len(piece)


def _envelope(around: bytes, mode: str) -> dict[str, Tree]:
    try:
        return decode_object(around.decode())
    except MalformedError as error:
        raise _rejected(mode, str(error)) from None


def _require_sound(envelope: dict[str, Tree], mode: str) -> None:
    plain = {key: _plain(value) for key, value in envelope.items()}
    refused = error_for_envelope(plain, mode=mode, where="studio/models")
    if refused is not None:
        raise refused
    data = envelope.get("data")
    if not isinstance(data, dict) or not isinstance(data.get("models"), list):
        raise _rejected(mode, "it has no list data.models")
    if data.get("mode") != mode:
        raise _rejected(mode, f"data.mode is {_shown(data.get('mode'))}")


def _require_total(envelope: dict[str, Tree], mode: str, count: int) -> None:
    data = envelope["data"]
    total = data.get("total") if isinstance(data, dict) else None
    if total != Number(str(count)):
        raise _differs(mode, total, count)


def _differs(mode: str, total: Tree | None, count: int) -> ResponseRejected:
    error = _rejected(mode, f"data.total is {_shown(total)} but it holds {count} models")
    reported = None if total is None else _plain(total)
    error.reported, error.received = reported if isinstance(reported, int) else None, count
    return error


def _plain(value: Tree) -> object:
    """An envelope's value for reading: an integer where the number is one."""
    if isinstance(value, Number):
        return int(value.text) if value.text.isdigit() and len(value.text) < 10 else value.text
    return value


def _own_mode(raw: bytes) -> str | None:
    try:
        return msgspec.json.decode(msgspec.json.decode(replace_lone_surrogates(raw), type=_ModeOnly).mode, type=str)
    except (msgspec.DecodeError, RecursionError):
        return None


def _shown(value: Tree | None) -> str:
    if value is None:
        return "missing"
    return repr(value.text if isinstance(value, Number) else value)[:60]


def _rejected(mode: str, reason: str) -> ResponseRejected:
    return ResponseRejected(
        f"the answer for mode={mode} was not taken: {reason}; nothing of this mode was changed;"
        " if it stays so, tell the API's maintainers"
    )
