"""The hosts and ports of a database URL: which can be looked up and connected to."""

from __future__ import annotations

import re

from sqlalchemy import URL

from models_db.errors import DatabaseSettingError

_LARGEST_PORT = 65_535
_LONGEST_HOST = 253  # characters that DNS can carry


def check_addresses(url: URL) -> None:
    """Raise ``DatabaseSettingError`` for a port that is not a number from 1 to 65535, or an impossible host name.

    Without a check one driver uses its default port instead, and both fail with errors that are not theirs.
    """
    ports = _items(url.query.get("port")) + ([] if url.port is None else [str(url.port)])
    if not all(map(_is_port, filter(None, ports))):
        raise DatabaseSettingError(
            f"a port of the database URL is not a number from 1 to {_LARGEST_PORT}; correct it, or leave it out"
        )
    if not all(map(_is_host, [url.host or "", *_items(url.query.get("host"))])):
        raise DatabaseSettingError(
            "a host of the database URL is not a host name: a part between dots is empty or too long; correct it"
        )


def _items(option: str | tuple[str, ...] | None) -> list[str]:
    return option.split(",") if isinstance(option, str) else []


def _is_port(text: str) -> bool:
    return re.fullmatch("[0-9]{1,5}", text) is not None and 0 < int(text) <= _LARGEST_PORT


def _is_host(name: str) -> bool:
    if name.startswith(("/", "@")):  # a socket
        return True
    try:
        return len(name.encode("idna")) <= _LONGEST_HOST
    except UnicodeError:
        return False
