"""A message as the text that a channel takes: its markup escaped, and no longer than it allows. Pure."""

from __future__ import annotations

import re

from sync.notify.messages import Message

# Chats in which a name after @ calls people. A zero-width blank behind it keeps the text readable and calls nobody.
_CHATS = (
    "discord",
    "mmost",
    "mmosts",
    "slack",
    "rocket",
    "rockets",
    "zulip",
    "guilded",
    "tgram",
    "msteams",
    "workflow",
)
_CHATS_MORE = (
    "workflows",
    "webex",
    "wxteams",
    "gchat",
    "matrix",
    "matrixs",
    "ryver",
    "flock",
    "revolt",
    "twist",
    "lark",
)
# Channels that render Markdown although Apprise takes them for plain text and escapes nothing.
_MARKDOWN = ("mmost", "mmosts", "zulip", "guilded", "ryver", "flock")
_SPECIAL = re.compile(r"([\\`*_{}\[\]()#+!|~>-])")
_SMALLEST = 40  # characters: of a channel with less only the beginning of the text is left


def text_for(message: Message, limit: int, schema: str) -> str:
    """The body of the message for a channel of this schema, of at most ``limit`` characters; 0 is without a limit.

    Event lines are left out from the end, then what stands below them.
    """
    limit = limit if limit > 0 else 1_000_000
    for below in (message.below, message.below[-1:], ()):
        shown = _most_lines(message, below, limit)
        if shown:
            return escaped(_body(message, shown, below), schema)
    return escaped(_body(message, 1, ()), schema)[: max(limit, _SMALLEST)]


def _most_lines(message: Message, below: tuple[str, ...], limit: int) -> int:
    """The largest number of event lines with which the body fits; 0 if not even one does."""
    low, high = 0, len(message.lines)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if weight(_body(message, middle, below)) <= limit else (low, middle - 1)
    return low


def _body(message: Message, shown: int, below: tuple[str, ...]) -> str:
    more = message.total - shown
    lines = [*message.lines[:shown], *([f"and {more:,} more: {message.more}"] if more else [])]
    return "\n".join([*lines, *(["", *below] if below else [])])


def weight(text: str) -> int:
    """The most that the text can become: channels count characters or bytes, after they escaped it."""
    return sum(_weight(char) for char in text)


def _weight(char: str) -> int:
    if char in "<>&\"'\n":  # &quot; and <br/> and a line break
        return 7
    if char == "@":
        return 4
    if char.isalnum() or char == " ":
        return len(char.encode(errors="replace"))
    return 1 + len(char.encode(errors="replace"))


def escaped(text: str, schema: str) -> str:
    """The text with nobody called by it, and with Markdown escaped where Apprise does not do it."""
    if schema in _MARKDOWN:
        text = _SPECIAL.sub(r"\\\1", text)
    return text.replace("@", "@\u200b") if schema in _CHATS or schema in _CHATS_MORE else text
