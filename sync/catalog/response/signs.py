"""The names and values by which APIs say that a list goes on elsewhere, or that something failed.

Collected from what public APIs send: offset and cursor paging of REST APIs, GraphQL connections, OData, HAL, Spring
and Laravel pages, and the services of the large clouds. Names are compared without case and separators, so that
``has_more``, ``hasMore`` and ``HAS-MORE`` are one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from itertools import chain

from msgspec import Struct

from sync.catalog.json.tree import Number, Tree

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_DECIMAL = re.compile(r"\s*[+-]?\d{1,18}(\.\d{1,18})?\s*", re.ASCII)
_RELATIONS = re.compile(r";\s*rel\s*=\s*(?:\"([^\"]*)\"|([^\s;,\"]+))", re.IGNORECASE)
_LINK_TARGET = re.compile(r"<[^>]*>")
_NO_VALUE = {"", "null", "none", "nil", "undefined", "false", "no", "n/a"}
_BAD_STATUS = {"error", "errors", "fail", "failed", "failure", "partial", "incomplete", "degraded", "timeout"}

_MORE_FLAGS = {
    *(
        "hasmore",
        "hasnext",
        "hasnextpage",
        "hasprev",
        "hasprevious",
        "hasprevpage",
        "haspreviouspage",
        "hascontinuation",
    ),
    *("more", "ismore", "moreresults", "moreitems", "moremodels", "morepages", "moredata", "moreavailable"),
    *("limitreached", "limitexceeded", "cut", "cutoff", "capped", "timedout", "terminatedearly", "nextpageexists"),
}
# "nextpage" is one word; "nextjs" is not about pages.
_NEXT = re.compile(r"next(page|cursor|token|link|url|uri|href|offset|marker|key|start|index|batch|id)?")
_MORE_WORDS = {"truncated", "partial", "incomplete"}
_END_FLAGS = {
    *(
        "complete",
        "iscomplete",
        "completed",
        "whole",
        "iswhole",
        "exhausted",
        "exhaustive",
        "done",
        "isdone",
        "finished",
    ),
    *("last", "islast", "lastpage", "islastpage", "first", "isfirst", "firstpage", "isfirstpage"),
    *("end", "isend", "atend", "endoflist", "endofresults", "final", "isfinal", "success", "successful", "succeeded"),
}
_POSITIONS = {"first", "last", "end", "firstpage", "lastpage"}  # as numbers, these count entries or pages
_OTHER_PAGES = {
    *("cursor", "continue", "continuation", "continuationtoken", "scrollid", "resumetoken", "skiptoken", "pagingtoken"),
    *("lastevaluatedkey", "prev", "previous", "prevpage", "previouspage", "prevcursor", "previouscursor"),
    *("prevlink", "previouslink", "prevurl", "previousurl", "prevpageurl", "previouspageurl", "prevpagetoken"),
    *("prevtoken", "previoustoken", "previouspagetoken"),
}
_ERROR_WORDS = {"error", "errors", "errored", "failure", "failures", "failed", "exception", "exceptions"}
_STATUS = {"status", "statuscode", "httpstatus", "httpstatuscode", "responsestatus"}
_PAGE_TOTALS = {
    "totalpages",
    "pagestotal",
    "pagetotal",
    "totalpage",
    "numpages",
    "nbpages",
    "numberofpages",
    "pagecount",
}

# Only in objects about the list.
_PAGE_COUNTS = {"pages", "lastpage", "last", "maxpage"}
_PAGE_NUMBERS = {"page", "currentpage", "pagenumber", "pageno", "pageindex", "number"}
_OFFSETS = {"offset", "skip", "skipped"}
_AFTER = {"after"}
_TOTALS = {"total", "count", "estimatedtotal", "found", "hits", "matches"}
_COUNTED = {
    *("count", "counts", "item", "items", "model", "models", "result", "results", "record", "records", "row", "rows"),
    *("element", "elements", "entry", "entries", "hit", "hits", "object", "objects", "match", "matches"),
}
_PAGE_WORDS = {"page", "pages"}
_TOTAL_WORDS = {"total", "full", "overall", "num", "nb", "number"}
_LEFT_WORDS = {"remaining", "left", "omitted", "missing", "unlisted", "hidden"}


class Name(Struct, frozen=True):
    """A key as its words in lower case."""

    words: tuple[str, ...]

    @classmethod
    def of(cls, key: str) -> Name:
        return cls(tuple(word.lower() for word in _WORD.findall(key)))

    @property
    def squashed(self) -> str:
        return "".join(self.words)


def sign_of(name: Name, value: Tree, listed: int, *, about_list: bool) -> str | None:
    """What a key and its value say against a whole list of this many models, as words that follow the key's name.

    ``about_list``: the key is in an object that describes the list, so that names such as ``total`` and ``page`` count.
    """
    if not name.words:
        return None
    unmistakable = _unmistakable_signs(name, value)
    return next(chain(unmistakable, _signs_about_list(name, value, listed) if about_list else ()), None)


def is_above(value: Tree | None, bound: int) -> bool:
    """Whether a value is a number, or the text of one, above a bound."""
    if isinstance(value, str) and _DECIMAL.fullmatch(value):
        return Decimal(value) > bound
    return isinstance(value, Number) and Decimal(value.text) > bound


def is_next_link(link: Tree | None) -> bool:
    """Whether an entry of a list of links points to a neighbouring page."""
    relation = link.get("rel") if isinstance(link, dict) else None
    relations = relation if isinstance(relation, list) else [relation]
    return any(_is_next(one) for one in relations if isinstance(one, str)) and not _has_no_target(link)


def has_next_relation(link_header: str) -> bool:
    """Whether a Link header (RFC 8288) has a link with the relation next or prev."""
    parameters = _LINK_TARGET.sub("<>", link_header)  # an address may itself contain rel=next
    return any(_is_next(quoted or bare) for quoted, bare in _RELATIONS.findall(parameters))


def _is_next(relations: str) -> bool:
    return not {"next", "prev", "previous"}.isdisjoint(relations.lower().split())


def _has_no_target(link: Tree | None) -> bool:
    return isinstance(link, dict) and _is_nothing(link.get("href", link.get("url", link.get("uri"))))


def _unmistakable_signs(name: Name, value: Tree) -> Iterator[str]:
    words, squashed = set(name.words), name.squashed
    if squashed in _END_FLAGS and _is_false(value, squashed):
        yield "is false"
    if squashed in _PAGE_TOTALS and is_above(value, 1):
        yield "is more than one page"
    if squashed in _STATUS:
        if _is_bad_status(value):
            yield "reports a failure"
    elif words & _ERROR_WORDS and _has_errors(value):
        yield "reports errors"
    elif not _is_nothing(value):
        if squashed in _MORE_FLAGS or words & _MORE_WORDS:
            yield "says that the list is not whole"
        if "next" in words or _NEXT.fullmatch(name.words[0]) or squashed in _OTHER_PAGES:
            yield "names another page"


def _signs_about_list(name: Name, value: Tree, listed: int) -> Iterator[str]:
    words, squashed = set(name.words), name.squashed
    if squashed in _PAGE_COUNTS | _PAGE_NUMBERS and is_above(value, 1):
        yield "is more than one page"
    if squashed in _OFFSETS and is_above(value, 0):
        yield "is not the beginning of the list"
    if squashed in _AFTER and not _is_nothing(value):
        yield "names another page"
    if words & _LEFT_WORDS and (words & (_COUNTED | _PAGE_WORDS) or len(words) == 1) and is_above(value, 0):
        yield "is not 0"
    is_total = squashed in _TOTALS or (words & _TOTAL_WORDS and words & _COUNTED) or _is_count(name)
    if is_total and is_above(value, listed):
        yield f"is more than the {listed} models listed"


def _has_errors(value: Tree) -> bool:
    return any(entry is not None for entry in value) if isinstance(value, list) else not _is_nothing(value)


def _is_count(name: Name) -> bool:
    return len(name.words) == 2 and name.words[1] == "count" and name.words[0] in _COUNTED


def _is_bad_status(value: Tree) -> bool:
    if isinstance(value, str) and not _DECIMAL.fullmatch(value):
        return not _BAD_STATUS.isdisjoint(value.lower().replace("-", "_").split("_"))
    return value is False or (is_above(value, 0) and _is_other_number(value))


def _is_other_number(value: Tree) -> bool:
    text = value.text if isinstance(value, Number) else str(value)
    return Decimal(text) not in {1, 200}


def _is_false(value: Tree, squashed: str) -> bool:
    if isinstance(value, str):
        return value.strip().lower() in {"false", "no"}
    return value is False or (value == Number("0") and squashed not in _POSITIONS)


def _is_nothing(value: Tree | None) -> bool:
    """Whether a value says that there is none: no page, no error, nothing left."""
    if isinstance(value, dict):
        return all(map(_is_nothing, value.values()))
    if isinstance(value, list):
        return all(map(_is_nothing, value))
    if isinstance(value, str) and not _DECIMAL.fullmatch(value):
        return value.strip().lower() in _NO_VALUE
    return value is None or value is False or (value is not True and not is_above(value, 0))
