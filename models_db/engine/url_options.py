"""The options of a database URL: which there are, and what they may be."""

from __future__ import annotations

import re
from pathlib import Path

from sqlalchemy import URL

from models_db.errors import DatabaseSettingError

TLS_MODES = ("disable", "prefer", "require", "verify-ca", "verify-full")
SYSTEM_AUTHORITIES = "system"
"""The value of ``sslrootcert`` for the certificate authorities of the machine."""
ALLOW_CLEARTEXT = "allow_cleartext"
TOO_MANY_AT = "the database URL has too many @; write an @ in the password as %40"

_TLS_VERSIONS = ("TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3")
_WORDS = {
    "sslmode": TLS_MODES,
    ALLOW_CLEARTEXT: ("true",),
    "target_session_attrs": ("any", "read-write", "read-only", "primary", "standby", "prefer-standby"),
    "charset": ("utf8mb4",),
    "load_balance_hosts": ("disable", "random"),
    "sslsni": ("0", "1"),
    "sslcertmode": ("disable", "allow", "require"),
    "sslnegotiation": ("postgres", "direct"),
    "ssl_min_protocol_version": _TLS_VERSIONS,
    "ssl_max_protocol_version": _TLS_VERSIONS,
    "channel_binding": ("disable", "prefer", "require"),
    "gssencmode": ("disable", "prefer", "require"),
    "gssdelegation": ("0", "1"),
}
_SHARED = ("sslmode", "sslrootcert", "sslcert", "sslkey", ALLOW_CLEARTEXT, "connect_timeout")
# Those of libpq that neither replace a part of the URL nor a setting that catalog-sync depends on.
_POSTGRESQL = (
    *("host", "port", "hostaddr", "target_session_attrs", "load_balance_hosts", "application_name", "options"),
    *("passfile", "sslpassword", "sslcrl", "sslcrldir", "sslcertmode", "sslsni", "sslnegotiation"),
    *("ssl_min_protocol_version", "ssl_max_protocol_version", "channel_binding", "require_auth", "requirepeer"),
    *("gssencmode", "krbsrvname", "gssdelegation"),
)
_MARIADB = ("host", "port", "unix_socket", "read_default_file", "read_default_group", "charset")
# Options of other drivers that ask for TLS: "ssl", "tls", "useSSL", "ssl-mode", "ssl_ca".
_ABOUT_TLS = re.compile(r"ssl|tls", re.IGNORECASE)
_AUTHORITY = re.compile(r"_?ca([_-]?(file|path|cert))?$", re.IGNORECASE)
_PRINTABLE_NAME = re.compile(r"[A-Za-z][\w.-]{0,31}", re.ASCII)
# Both drivers pass over a file that is missing, and then report a wrong password or certificate instead.
_FILES = ("sslrootcert", "sslcert", "sslkey", "sslcrl", "passfile", "read_default_file")
_LONGEST_CONNECT_SECONDS = 3600


def check_options(url: URL, given: str) -> None:
    """Raise ``DatabaseSettingError`` for an option that is unknown, given twice, empty or no possible value.

    ``given`` is the text of the URL: SQLAlchemy leaves out options without a value. No message repeats a
    value, which may be a secret.
    """
    accepted = (*_SHARED, *(_POSTGRESQL if url.get_backend_name() == "postgresql" else _MARIADB))
    # SQLAlchemy ends the password at the first @; it may contain a question mark.
    query = (given if url.username is None else given.partition("@")[2]).partition("?")[2]
    without_value = _without_value(query)
    for name in (*url.query, *without_value):
        if name not in accepted:
            raise DatabaseSettingError(TOO_MANY_AT if "@" in query else _unknown(name, accepted))
    for name in without_value:
        raise DatabaseSettingError(f"the option {name} of the database URL has no value; write {_form(name)}")
    for name, value in url.query.items():
        if not isinstance(value, str):
            raise DatabaseSettingError(f"the option {name} is in the database URL more than once; keep one")
        _check_value(name, value)


def expanded(path: str) -> Path:
    """Return the path with the home directory in place of ``~``.

    Raises ``DatabaseSettingError`` for an account without a home directory.
    """
    try:
        return Path(path).expanduser()
    except RuntimeError as error:
        raise DatabaseSettingError(
            "a file in the options of the database URL cannot be found: there is no home directory for ~;"
            " write an absolute path"
        ) from error


def _check_value(name: str, value: str) -> None:
    words = _WORDS.get(name)
    if words and value not in words:
        raise DatabaseSettingError(f"the option {name} of the database URL has an unknown value; write {_form(name)}")
    if name == "connect_timeout" and not _is_connect_time(value):
        # Both drivers would wait for minutes with 0.
        raise DatabaseSettingError(
            "the option connect_timeout of the database URL is not a whole number of seconds from 1 to"
            f" {_LONGEST_CONNECT_SECONDS}; write 10"
        )
    is_file = name in _FILES and (name, value) != ("sslrootcert", SYSTEM_AUTHORITIES)
    if is_file and not expanded(value).is_file():
        raise DatabaseSettingError(f"the option {name} of the database URL names no file; correct the path")


def _is_connect_time(value: str) -> bool:
    return re.fullmatch("[0-9]{1,4}", value) is not None and 0 < int(value) <= _LONGEST_CONNECT_SECONDS


def _without_value(query: str) -> list[str]:
    """Return the names of the options without a value."""
    pairs = (piece.partition("=") for piece in query.split("&") if piece)
    return [name for name, _, value in pairs if not value.strip()]


def _unknown(name: str, accepted: tuple[str, ...]) -> str:
    from difflib import get_close_matches  # not needed at any other start

    printed = f"the unknown option {name}" if _PRINTABLE_NAME.fullmatch(name) else "an option whose name is not a word"
    near = ["sslmode"] if _ABOUT_TLS.search(name) and len(name) < 12 else []
    near = ["sslrootcert"] if near and _AUTHORITY.search(name) else near
    near = get_close_matches(name.lower(), accepted, 1, 0.75) or near
    hint = f"did you mean {near[0]}? " if near else ""
    return f"the database URL has {printed}; {hint}accepted: {', '.join(map(_form, accepted))}"


def _form(name: str) -> str:
    return f"{name}={'|'.join(_WORDS[name])}" if name in _WORDS else name
