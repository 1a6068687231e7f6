"""Masks the API key and the passwords of database and proxies in every text that the process prints or stores."""

from __future__ import annotations

import html
import json
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from functools import cache
from urllib.parse import quote, unquote, urlsplit

from sync.composition.vocabulary import program_words
from sync.metrics.ping_url import secret_parts
from sync.settings import PREFIX, secret_key, secret_passwords
from sync.source.api_key import key_forms
from sync.source.masking import Vocabulary, make_mask

_ADDRESSES = (PREFIX + "DATABASE_URL", PREFIX + "BASE_URL")
_PING_URL = PREFIX + "PING_URL"
_given_urls: set[str] = set()  # by option: an option is not in the environment


def hide_ping_url(url: str) -> None:
    """From now on every mask hides the secret parts of this ping URL."""
    _given_urls.add(url)


def masker(environ: Mapping[str, str], key: str | None = None) -> Callable[[str], str]:
    """A function that replaces the API key, pieces of it, and passwords by ``[hidden]``.

    The passwords are those in the database URL and in the proxies' URLs, in the notations in which drivers and
    servers repeat them. So are the path and the query of the ping URL, which say who may ping. A word of the program's
    own messages is hidden only where it stands as a secret. Without ``key`` the key is read from the environment or its
    file whenever a text is masked.
    """

    @cache
    def mask_of(key: str | None, ping_urls: frozenset[str]) -> Callable[[str], str]:
        forms = {form for url in ping_urls for part in secret_parts(url) for form in _notations(part)}
        forms |= {form for password in secret_passwords(environ) for form in _notations(password)}
        forms |= {form for name in environ if _is_proxy(name) for form in _proxy_secrets(environ[name])}
        return make_mask(forms | key_forms(key or ""), lambda: _vocabulary(environ))

    def mask(text: str) -> str:
        ping_urls = frozenset(filter(None, [*_given_urls, environ.get(_PING_URL)]))
        return mask_of(key or secret_key(environ), ping_urls)(text)

    return mask


def _notations(password: str) -> Iterator[str]:
    """The spellings of a password, which is given as it is written in a URL."""
    # Drivers quote the password decoded, SQLAlchemy quotes it as it is written in the URL.
    decoded = unquote(password)
    yield from (password, decoded, quote(decoded, safe=""), html.escape(decoded), json.dumps(decoded)[1:-1])


def _is_proxy(name: str) -> bool:
    return name.lower().endswith("_proxy")


def _proxy_secrets(url: str) -> Iterator[str]:
    """The password of a proxy's URL, and the header with it, which a proxy's page may repeat."""
    user, colon, password = url.partition("://")[2].rpartition("@")[0].partition(":")
    if colon and password:
        yield from _notations(password)
        yield b64encode(f"{unquote(user)}:{unquote(password)}".encode()).decode()


def _vocabulary(environ: Mapping[str, str]) -> Vocabulary:
    """The words of the messages, those of addresses included, which are printed with the password masked."""
    addresses = [name for name in environ if name in _ADDRESSES or _is_proxy(name)]
    public = " ".join(_public_parts(environ[name]) for name in addresses).lower()
    words = program_words()
    return Vocabulary(f"{words.text}\n{public}", words.tokens | Vocabulary.of(public).tokens)


def _public_parts(url: str) -> str:
    with suppress(ValueError):
        parts = urlsplit(url)
        # An @, / or ? in a password that is not escaped would make a part of it look like a part of the address.
        if "@" not in url or (url.count("@") == 1 and parts.username is not None):
            return " ".join(filter(None, (parts.username, parts.hostname, parts.path)))
    return ""
