"""Whether a response says of itself that its list is not whole, or that errors occurred while it was made.

The API documents that one response is the whole list, and nothing of what is read here. A sign of paging or of
errors therefore means that something has changed, or that something else answered. Missing models would be
recorded as removed, and history cannot be changed later.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain

from sync.catalog.json.decoder import decode_object
from sync.catalog.json.tree import MalformedError, Tree
from sync.catalog.response import signs
from sync.catalog.text import one_line

_KNOWN_KEYS = {"": {"ok", "code", "message", "error_code", "data"}, "data.": {"mode", "total", "models"}}
_MAX_NAMED_KEYS = 10
_MAX_KEY_CHARACTERS = 60

# Objects in which APIs describe a list. In an object of another name, such as a rate limit, a key like
# "remaining" or "count" says nothing about the list, and only names that are unmistakable count there.
_ABOUT_THE_LIST = {
    *("page", "pages", "pagination", "paginator", "paging", "pager", "navigation", "nav", "link", "links"),
    *("meta", "metadata", "info", "list", "cursor", "cursors", "collection", "result", "results", "response"),
}
_PAGING_HEADERS = {
    *("next-page", "next-cursor", "next-token", "next-page-token", "next-link", "next-url", "next-offset"),
    *("has-more", "has-next", "has-next-page", "truncated", "is-truncated", "partial", "total-pages", "page-count"),
    *("total", "total-count", "total-items", "total-results", "total-records", "total-models", "count"),
    *("page", "current-page", "page-number", "offset", "continuation", "continuation-token", "ms-continuation"),
}


def unknown_keys(envelope: Mapping[str, Tree]) -> tuple[str, ...]:
    """The keys beside the documented ones, at the top and in ``data``, in order and safe to print."""
    data = envelope.get("data")
    levels = {"": envelope, "data.": data if isinstance(data, dict) else {}}
    names = [
        one_line(f"{prefix}{key}", _MAX_KEY_CHARACTERS)
        for prefix, level in levels.items()
        for key in sorted(level.keys() - _KNOWN_KEYS[prefix])
    ]
    more = len(names) - _MAX_NAMED_KEYS
    return tuple(names if more <= 0 else [*names[:_MAX_NAMED_KEYS], f"{more} more"])


def incomplete_reason(envelope: Mapping[str, Tree], listed: int, headers: Mapping[str, str]) -> str | None:
    """The first sign that the list is not whole or that there were errors, as a clause; None without one.

    ``envelope`` is a success, with ``listed`` models. ``headers`` are those of the response, empty for a saved one.
    Values that mean "no more" are no signs: null, false, an empty text, 0 pages left, a total equal to the list.
    """
    return next(chain(_header_signs(headers, listed), _body_signs(envelope, listed)), None)


def _body_signs(envelope: Mapping[str, Tree], listed: int) -> Iterator[str]:
    data = envelope.get("data")
    top = {key: value for key, value in envelope.items() if key not in _KNOWN_KEYS[""] - {"error_code"}}
    yield from _signs(top, "", listed, about_list=True)
    if isinstance(data, dict):
        inner = {key: value for key, value in data.items() if key not in _KNOWN_KEYS["data."]}
        yield from _signs(inner, "data.", listed, about_list=True)


def _signs(level: Mapping[str, Tree], path: str, listed: int, *, about_list: bool) -> Iterator[str]:
    for key, value in level.items():
        if sign := signs.sign_of(key, value, listed, about_list=about_list):
            yield f"{one_line(path + key, _MAX_KEY_CHARACTERS)} {sign}"
        elif isinstance(value, dict):
            yield from _signs(
                value, f"{path}{key}.", listed, about_list=not _ABOUT_THE_LIST.isdisjoint(signs.words_of(key))
            )
        elif isinstance(value, list) and "links" in signs.words_of(key) and any(map(signs.is_next_link, value)):
            yield f"{one_line(path + key, _MAX_KEY_CHARACTERS)} has a link to another page"


def _header_signs(headers: Mapping[str, str], listed: int) -> Iterator[str]:
    for header, value in headers.items():
        name = header.lower()
        if name == "link" and signs.has_next_relation(value):
            yield "its Link header names another page"
        elif name == "content-range" and signs.is_above(value.rpartition("/")[2], listed):
            yield f"its Content-Range header is {one_line(value, _MAX_KEY_CHARACTERS)!r}"
        elif name in {"x-pagination", "pagination"}:
            found = _signs(_object(value), "", listed, about_list=True)
            yield from (f"in its {header} header {sign}" for sign in found)
        else:
            plain = name.removeprefix("x-").removeprefix("pagination-")
            if plain in _PAGING_HEADERS and (sign := signs.sign_of(plain, value, listed, about_list=True)):
                yield f"its {header} header {sign}"


def _object(text: str) -> Mapping[str, Tree]:
    try:
        return decode_object(text)
    except MalformedError:
        return {}
