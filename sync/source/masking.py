"""Masking secrets in texts that are printed or stored, where they stand as secrets and not as words.

A password may be a word of the messages: with the password ``catalog``, ``catalog-sync status`` must stay
readable. A word is masked only where a text says that it is a secret.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby

HIDDEN = "[hidden]"
MIN_LENGTH = 4
"""Shorter secrets are masked only where the text says that they are secrets."""
# A longer token is no word. It also bounds the work for a text that is one long token.
_LONGEST_WORD = 64
_LABELS = (
    r"(?:\b|_|pg)"
    r"(?:pass|password|passwd|passphrase|pwd|secret|token|key|apikey|authorization|credentials?|bearer|basic)"
)
_BETWEEN = r"""["'`]?\s*(?::|=|=>|\bis\b|\bwas\b)?\s*["'`]?"""


@dataclass(frozen=True)
class Vocabulary:
    """The words of the program's own messages, in lower case."""

    text: str = ""
    tokens: frozenset[str] = frozenset()

    @classmethod
    def of(cls, text: str) -> Vocabulary:
        lowered = text.lower()
        return cls(lowered, frozenset(_TOKEN.findall(lowered)))

    def has(self, phrase: str) -> bool:
        """Whether it is a word, or words that the text has side by side."""
        tokens = _TOKEN.findall(phrase)
        return self.tokens.issuperset(tokens) and (phrase in self.tokens or phrase in self.text)


_TOKEN = re.compile(r"\w+")
NO_WORDS = Vocabulary()


def make_mask(forms: Iterable[str], vocabulary: Callable[[], Vocabulary] = lambda: NO_WORDS) -> Callable[[str], str]:
    """A function that replaces each of ``forms`` in a text by ``[hidden]``, whatever the case of its letters.

    ``vocabulary`` is called when a text contains one of them. Mask a text before cutting it to length.
    """
    searches = [_Search(form, vocabulary) for form in sorted({form.lower() for form in forms if form.strip()})]

    def mask(text: str) -> str:
        lowered = _lowered(text)
        if not any(search.is_in(lowered) for search in searches):
            return text  # the usual case, and the only one in which a text may be the body of a response
        hidden = [False] * len(text)
        for search in searches:
            for start, end in search.found(lowered):
                hidden[start:end] = [True] * (end - start)
        runs = groupby(zip(text, hidden, strict=True), key=lambda pair: pair[1])
        return "".join(HIDDEN if is_hidden else "".join(char for char, _ in run) for is_hidden, run in runs)

    return mask


def _lowered(text: str) -> str:
    """The text in lower case, with each character at its place."""
    if text.isascii():
        return text.lower()
    # Character by character, since lower() of some letters has two characters and would shift positions.
    return "".join(char.lower()[0] for char in text)


class _Search:
    """Where a form of a secret stands as a secret."""

    def __init__(self, form: str, vocabulary: Callable[[], Vocabulary]) -> None:
        self._form, self._vocabulary = form, vocabulary
        self._may_be_a_word: bool | None = None
        escaped = re.escape(form)
        # In a URL, or after what calls it a secret, up to the end of the word.
        self._in_context = re.compile(
            rf"//[^\s/@]*:(?P<in_url>{escaped})(?=@)|{_LABELS}{_BETWEEN}(?P<labelled>{escaped})(?![\w-])"
        )

    def is_in(self, text: str) -> bool:
        """Whether the form is in a text in lower case, as a secret or not."""
        return self._form in text

    def found(self, text: str) -> Iterator[tuple[int, int]]:
        """The places in a text in lower case."""
        start = text.find(self._form)
        if start >= 0 and self._is_word_like():
            yield from self._labelled(text)
        while start >= 0:
            end = start + len(self._form)
            if not self._is_word_like() or not self._is_word(text, start, end):
                yield start, end
            start = text.find(self._form, start + 1)

    def _labelled(self, text: str) -> Iterator[tuple[int, int]]:
        for match in self._in_context.finditer(text):
            # The program's own "the key file" says nothing of a key that is "file".
            if match["in_url"] is not None or match[0] not in self._vocabulary().text:
                yield match.span("in_url" if match["in_url"] is not None else "labelled")

    def _is_word_like(self) -> bool:
        if self._may_be_a_word is None:  # most secrets are part of no word at all, which saves all other checks
            self._may_be_a_word = len(self._form) < MIN_LENGTH or self._form in self._vocabulary().text
        return self._may_be_a_word

    def _is_word(self, text: str, start: int, end: int) -> bool:
        """Whether it belongs to a word of the messages there, or is too short to tell."""
        if len(self._form) < MIN_LENGTH:
            return True
        first, last = start, end
        while first > 0 and start - first <= _LONGEST_WORD and _is_part(text[first - 1]) and _is_part(text[first]):
            first -= 1
        while last < len(text) and last - end <= _LONGEST_WORD and _is_part(text[last]) and _is_part(text[last - 1]):
            last += 1
        return self._vocabulary().has(text[first:last])


def _is_part(char: str) -> bool:
    return char.isalnum() or char == "_"
