"""Text in lines of a width, measured in cells of a terminal. A number is never divided."""

from __future__ import annotations

from collections.abc import Iterator

from rich.cells import cell_len

from sync.show.values import NUMBER


def text_width(text: str) -> int:
    """The number of cells that the text takes on a terminal: two for a wide letter, none for a combining mark."""
    return len(text) if text.isascii() else cell_len(text)


def longest_number(text: str) -> int:
    """The width of the longest number in the text; 0 without one."""
    return max((len(match[0]) for match in NUMBER.finditer(text)), default=0)


def fold(text: str, width: int) -> list[str]:
    """The text in lines of at most this width, divided at blanks where that is possible.

    Only a line with a number, or a letter, that is wider by itself exceeds the width.
    """
    lines, line = [], ""
    for word in text.split(" "):
        extended = f"{line} {word}" if line else word
        if text_width(extended) <= width:
            line = extended
            continue
        if text_width(word) <= width:
            lines.append(line)
            line = word
            continue
        *whole, line = _fill(f"{line} " if line else "", word, width)
        lines += whole
    return [*lines, line]


def pad(text: str, width: int, *, right: bool = False) -> str:
    """The text with blanks up to this width, before it with ``right``."""
    blanks = " " * (width - text_width(text))
    return blanks + text if right else text + blanks


def _fill(line: str, word: str, width: int) -> Iterator[str]:
    """Lines that begin with ``line`` and continue with a word that is too wide for one."""
    for piece in _pieces(word):
        if line.strip() and text_width(line) + text_width(piece) > width:
            yield line.rstrip()
            line = ""
        line += piece
    yield line


def _pieces(word: str) -> Iterator[str]:
    at = 0
    while at < len(word):
        number = NUMBER.match(word, at)
        end = number.end() if number else at + 1
        while end < len(word) and cell_len(word[end]) == 0:
            end += 1
        yield word[at:end]
        at = end
