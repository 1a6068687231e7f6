"""Masks the API key and the database password in every text that the process prints or stores."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from urllib.parse import unquote

from sync.settings import secret_key, secret_password
from sync.source.api_key import HIDDEN
from sync.source.api_key import mask as mask_key


def masker(environ: Mapping[str, str], key: str | None = None) -> Callable[[str], str]:
    """A function that replaces the API key, pieces of it, and the database password by ``[hidden]``.

    Without ``key`` the key is read from the environment or its file whenever a text is masked.
    """

    def mask(text: str) -> str:
        secret, password = key or secret_key(environ), secret_password(environ)
        text = mask_key(text, secret) if secret else text
        # Drivers quote the password decoded, SQLAlchemy quotes it as it is written in the URL.
        for form in (password, unquote(password)) if password else ():
            text = text.replace(form, HIDDEN)
        return text

    return mask
