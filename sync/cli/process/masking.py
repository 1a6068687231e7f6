"""Hides the secrets of this process in whatever text leaves it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from urllib.parse import unquote

from sync.settings import secret_key, secret_password
from sync.source.api_key import HIDDEN
from sync.source.api_key import mask as mask_key


def masker(environ: Mapping[str, str], key: str | None = None) -> Callable[[str], str]:
    """A function that replaces the API key, pieces of it, and the database password.

    A key that was read already is given; else it is looked up when a text is to be masked.
    """

    def mask(text: str) -> str:
        secret, password = key or secret_key(environ), secret_password(environ)
        text = mask_key(text, secret) if secret else text
        for form in (password, unquote(password)) if password else ():
            text = text.replace(form, HIDDEN)
        return text

    return mask
