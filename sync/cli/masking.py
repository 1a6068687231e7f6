"""Hides the secrets of this process in whatever text leaves it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from urllib.parse import unquote

from sync.settings import HIDDEN, secret_key, secret_password


def masker(environ: Mapping[str, str]) -> Callable[[str], str]:
    """A function that replaces the API key, pieces of it, and the database password."""

    def mask(text: str) -> str:
        from sync.source.masking import mask as mask_key

        key, password = secret_key(environ), secret_password(environ)
        text = mask_key(text, key) if key else text
        for form in (password, unquote(password)) if password else ():
            text = text.replace(form, HIDDEN)
        return text

    return mask
