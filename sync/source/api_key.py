"""The API key: which keys can be sent, its fingerprint, and masking it in quoted text."""

from __future__ import annotations

import hashlib

from sync.errors import UsageError
from sync.source.masking import MIN_LENGTH, make_mask

# A piece of the key of this length is masked as well, since a server may quote the key shortened. Shorter
# pieces would also match ordinary words.
_PIECE_LENGTH = 8
_FINGERPRINT_LENGTH = 12


def fingerprint(key: str) -> str | None:
    """12 hex digits that tell keys apart: the SHA-256 of the public part, which is before the dot.

    None for a key without a public part, since nothing made from a secret is stored.
    """
    public, dot, _ = key.partition(".")
    return hashlib.sha256(public.encode()).hexdigest()[:_FINGERPRINT_LENGTH] if public and dot else None


def mask(text: str, key: str) -> str:
    """The text with the key, the parts before and after its dot, and longer pieces of it replaced by ``[hidden]``.

    The case of letters is ignored. Mask a text before cutting it to length.
    """
    return make_mask(key_forms(key))(text)


def key_forms(key: str) -> set[str]:
    """What must not be printed of a key: the key, its longer parts between dots, and longer pieces of it."""
    parts = {part for part in (key, *key.split(".")) if len(part) >= MIN_LENGTH}
    return parts | {key[start : start + _PIECE_LENGTH] for start in range(len(key) - _PIECE_LENGTH + 1)}


def require_sendable(key: str) -> None:
    """Raises ``UsageError``, without quoting the key, unless an HTTP header can carry it."""
    # http.client quotes a header value with a line break in its error, so such a key is refused before.
    if not key or not all("!" <= char <= "~" for char in key):
        raise UsageError(
            "the API key cannot be sent: it is empty, or has a blank, a line break or a character outside ASCII; "
            "copy it again from the API Keys page and set CATALOG_SYNC_API_KEY"
        )
