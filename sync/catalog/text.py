"""Text from outside made safe to print: one line, printable, of bounded length."""

from __future__ import annotations

# The longest quotation of a server's text in a message of this program.
QUOTE_LIMIT = 200


def one_line(text: str, limit: int = QUOTE_LIMIT) -> str:
    """The text without control characters and line breaks, cut to ``limit`` characters.

    Whatever is not printable becomes a blank, so that a server cannot write to a terminal or forge
    a log line; a lone surrogate is not printable either, so the result can always be encoded.
    """
    clean = " ".join("".join(char if char.isprintable() else " " for char in text).split())
    return clean if len(clean) <= limit else clean[: limit - 3] + "..."
