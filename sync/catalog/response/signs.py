"""The names and values by which APIs say that a list goes on elsewhere, or that something failed.

Collected from what public APIs send: offset and cursor paging of REST APIs, GraphQL connections, OData, HAL, Spring
and Laravel pages, and the services of the large clouds. Names are compared without case and separators, so that
``has_more``, ``hasMore`` and ``HAS-MORE`` are one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import TypeAlias

from sync.catalog.json.tree import Number, Tree

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_DECIMAL = re.compile(r"\s*[+-]?\d{1,18}(\.\d{1,18})?\s*", re.ASCII)
_DATE = re.compile(r"\s*\d{4}-\d\d-\d\d", re.ASCII)
_LINK_PARAMETER = re.compile(r";\s*([\w*-]+)\s*=\s*(\"[^\"]*\"|[^\s;,\"]+)")
_LINK_TARGET = re.compile(r"<[^>]*>")
_NO_VALUE = {"", "null", "none", "nil", "undefined", "false", "no", "n/a"}
_NO_ERROR = {"ok", "success", "noerror"}
_BAD_STATUS = {"error", "errors", "fail", "failed", "failure", "partial", "incomplete"}

_ENTRIES = "(items?|models?|results?|records?|rows?|elements?|entries|entry|objects?)"
_PLACE = "(page|cursor|token|link|url|uri|href|offset|marker|key|start|index|batch|id)"
# What an API plans is no page: next_update_at, next_refresh.
_PLANNED = {
    *("at", "in", "on", "date", "time", "timestamp", "seconds", "minutes", "hours", "day", "days", "month", "year"),
    *(
        "update",
        "updates",
        "refresh",
        "sync",
        "run",
        "check",
        "poll",
        "retry",
        "reset",
        "expiry",
        "renewal",
        "rotation",
    ),
    *("release", "version", "deploy", "deployment", "change", "changes", "maintenance", "window", "step", "steps"),
    *("billing", "payment", "invoice", "plan", "tier", "allowed", "available", "review", "scheduled", "major", "price"),
}


def words_of(key: str) -> list[str]:
    """The words of a key in lower case: ``has`` and ``more`` of ``hasMore``."""
    return [word.lower() for word in _WORD.findall(key)]


def sign_of(key: str, value: Tree, listed: int, *, about_list: bool) -> str | None:
    """What a key and its value say against a whole list of this many models, as words that follow the key.

    ``about_list``: the key is in an object that describes the list. Elsewhere, as in a rate limit, a name such as
    ``remaining``, ``errors`` or ``page`` says nothing about the list, and only unmistakable names count.
    """
    words = words_of(key)
    squashed = "".join(words)
    for pattern, says, sign in _ABOUT_LIST if about_list else _ANYWHERE:
        if pattern.fullmatch(squashed) and says(value, listed):
            return sign
    is_next = about_list and "next" in words and _PLANNED.isdisjoint(words) and not _is_nothing(value)
    is_page = len(words) == 1 or not (isinstance(value, str) and _DATE.match(value))
    return _ANOTHER_PAGE if is_next and is_page else None


def is_above(value: Tree | None, bound: int) -> bool:
    """Whether a value is a number, or the text of one, above a bound."""
    if isinstance(value, str) and _DECIMAL.fullmatch(value):
        return Decimal(value) > bound
    return isinstance(value, Number) and Decimal(value.text) > bound


def is_next_link(link: Tree | None) -> bool:
    """Whether an entry of a list of links points to the next page."""
    if not isinstance(link, dict):
        return False
    relation = link.get("rel")
    relations = relation if isinstance(relation, list) else [relation]
    has_target = not _is_nothing(link.get("href", link.get("url", link.get("uri"))))
    return has_target and _has_next(one for one in relations if isinstance(one, str))


def has_next_relation(link_header: str) -> bool:
    """Whether a Link header (RFC 8288) has a link with the relation next."""
    parameters = _LINK_TARGET.sub("<>", link_header)  # an address may itself contain rel=next
    return _has_next(value.strip("\"'") for name, value in _LINK_PARAMETER.findall(parameters) if name.lower() == "rel")


def _has_next(relations: Iterable[str]) -> bool:
    return any("next" in one.lower().split() for one in relations)


def _is_something(value: Tree, _: int) -> bool:
    return not _is_nothing(value)


def _is_true(value: Tree, _: int) -> bool:
    return value is True or is_above(value, 0)


def _is_error(value: Tree, _: int) -> bool:
    text = value.lower().replace("_", "") if isinstance(value, str) else ""
    return not (_is_nothing(value) or text in _NO_ERROR)


def _is_false(value: Tree, _: int) -> bool:
    return value is False or (isinstance(value, str) and value.strip().lower() == "false")


def _is_bad_status(value: Tree, _: int) -> bool:
    if isinstance(value, str) and not _DECIMAL.fullmatch(value):
        return not _BAD_STATUS.isdisjoint(value.lower().replace("-", "_").split("_"))
    return value is False or is_above(value, 200)


def _is_above_0(value: Tree, _: int) -> bool:
    return is_above(value, 0)


def _is_above_1(value: Tree, _: int) -> bool:
    return is_above(value, 1)


def _is_nothing(value: Tree | None) -> bool:
    """Whether a value says that there is none: no page, no error, nothing left."""
    if isinstance(value, dict):
        return all(map(_is_nothing, value.values()))
    if isinstance(value, list):
        return not value
    if isinstance(value, str) and not _DECIMAL.fullmatch(value):
        return value.strip().lower() in _NO_VALUE
    return value is None or value is False or (value is not True and not is_above(value, 0))


_Rule: TypeAlias = tuple[re.Pattern[str], Callable[[Tree, int], bool], str]
_ANOTHER_PAGE, _NOT_WHOLE = "names another page", "says that the list is not whole"
_MORE_PAGES, _MORE_MODELS = "is more than one page", "is more than the models listed"

_ANYWHERE: tuple[_Rule, ...] = (
    (re.compile(rf"(has|is)more(data|pages?|available|{_ENTRIES})?"), _is_something, _NOT_WHOLE),
    (re.compile(r"has(next|prev|previous)(pages?)?|(is)?truncated"), _is_something, _NOT_WHOLE),
    (re.compile(r"next(page|cursor|token|link)+(url|token|id)?|nextpageexists"), _is_something, _ANOTHER_PAGE),
)
_ABOUT_LIST: tuple[_Rule, ...] = (
    *_ANYWHERE,
    (re.compile(rf"more(available|pages?|{_ENTRIES})?"), _is_true, _NOT_WHOLE),
    (re.compile(rf"(is)?(partial|incomplete){_ENTRIES}?|timedout|terminatedearly"), _is_something, _NOT_WHOLE),
    (re.compile(r"(is)?(complete|completed|whole|done|finished|exhausted|last|lastpage)"), _is_false, "is false"),
    (re.compile(r"success|successful|succeeded"), _is_false, "is false"),
    (re.compile(rf"(next|prev|previous){_PLACE}*|cursor|after"), _is_something, _ANOTHER_PAGE),
    (re.compile(r"continue|(ms)?continuation(token)?|scrollid|lastevaluatedkey"), _is_something, _ANOTHER_PAGE),
    (re.compile(r"(http|response)?status(code)?"), _is_bad_status, "reports a failure"),
    (
        re.compile(r"(error|failure|exception)s?(codes?|messages?|details?|descriptions?|count|list|type|reason)?"),
        _is_error,
        "is not empty",
    ),
    (re.compile(rf"(failed|errored)({_ENTRIES}|providers?|modes?|sources?)?"), _is_error, "is not empty"),
    (re.compile(r"(current|last|max)?page|page(number|no|index|count)"), _is_above_1, _MORE_PAGES),
    (re.compile(r"(total|num|number|nb)?(of)?pages?|pagestotal"), _is_above_1, _MORE_PAGES),
    (re.compile(r"offset|skip|skipped"), _is_above_0, "is not the beginning of the list"),
    # Without a noun, "remaining" counts requests or credits that are left.
    (re.compile(rf"(remaining|left|omitted){_ENTRIES}(count)?"), _is_above_0, "is not 0"),
    (re.compile(rf"({_ENTRIES}|pages?)(remaining|left|omitted)(count)?"), _is_above_0, "is not 0"),
    (re.compile(rf"total|count|(total|full|overall|num|nb|numberof)(count|{_ENTRIES})"), is_above, _MORE_MODELS),
    (re.compile(rf"{_ENTRIES}count|estimatedtotal"), is_above, _MORE_MODELS),
)
