"""The API key: what can be sent, and keeping it out of whatever is quoted from a server."""

from __future__ import annotations

from itertools import groupby

from sync.errors import UsageError

HIDDEN = "[hidden]"
# So many characters in common with the key count as a piece of it: enough to catch a key that the
# server shortened, too many for ordinary words to be caught.
_PIECE = 8
_SHORTEST_PART = 4


def mask(text: str, key: str) -> str:
    """The text with the key, the parts around its dot, and any longer piece of it replaced.

    Upper and lower case count as equal. Mask before cutting a text to length.
    """
    # Letter by letter, since a few letters grow when lowered and positions must stay.
    lowered, hidden = "".join(char.lower()[0] for char in text), [False] * len(text)
    for piece in _pieces(key.lower()):
        start = lowered.find(piece)
        while start >= 0:
            hidden[start : start + len(piece)] = [True] * len(piece)
            start = lowered.find(piece, start + 1)
    runs = groupby(zip(text, hidden, strict=True), key=lambda pair: pair[1])
    return "".join(HIDDEN if is_hidden else "".join(char for char, _ in run) for is_hidden, run in runs)


def _pieces(key: str) -> set[str]:
    whole = {part for part in (key, *key.split(".")) if len(part) >= _SHORTEST_PART}
    return whole | {key[start : start + _PIECE] for start in range(len(key) - _PIECE + 1)}


def require_sendable(key: str) -> None:
    """Raises ``UsageError``, without quoting the key, unless a header can carry it.

    A key with a line break would reach an error text of http.client, so it never gets that far.
    """
    if not key or not all("!" <= char <= "~" for char in key):
        raise UsageError(
            "the API key is empty, or holds a blank, a line break or a character outside ASCII: "
            "copy it again from the API Keys page and set CATALOG_SYNC_API_KEY"
        )
