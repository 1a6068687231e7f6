"""The database setting: one text in, one URL that our drivers understand out."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from models_db.errors import DatabaseSettingError

_POSTGRESQL = "postgresql+psycopg"
_MARIADB = "mariadb+pymysql"
_SQLITE = "sqlite+pysqlite"
_DRIVERS = {
    "postgres": _POSTGRESQL,
    "postgresql": _POSTGRESQL,
    _POSTGRESQL: _POSTGRESQL,
    "mysql": _MARIADB,
    "mysql+pymysql": _MARIADB,
    "mariadb": _MARIADB,
    _MARIADB: _MARIADB,
    "sqlite": _SQLITE,
    _SQLITE: _SQLITE,
}
_EXTRAS = {_POSTGRESQL: ("psycopg", "postgres"), _MARIADB: ("pymysql", "mariadb")}

_PASSWORD_OPTION = re.compile(r"^(password|passwd|pwd|pass)$", re.IGNORECASE)
_SECRET_OPTION = re.compile(r"pass(?!file)|pwd|secret|token", re.IGNORECASE)


def normalise_url(text: str) -> URL:
    """The URL with the driver we use, an SQLite path made absolute.

    Raises ``DatabaseSettingError`` for what cannot be read or is not supported, for a password where it
    could be shown, and for a driver that is not installed. The text itself is never in the message.
    """
    url = _parsed(text.strip())
    driver = _DRIVERS.get(url.drivername.lower())
    if driver is None:
        raise DatabaseSettingError(
            f"the database URL begins with {_scheme(url)}: use sqlite:///, postgresql:// or mariadb://"
        )
    url = url.set(drivername=driver)
    if driver == _SQLITE:
        return _sqlite(url)
    _check_server(url)
    _require_driver(driver)
    return url


def shown(url: URL) -> str:
    """The URL as text that may be printed: password and secret options masked."""
    masked = {key: "hidden" for key in url.query if _SECRET_OPTION.search(key)}
    plain = url.update_query_dict(masked).set(drivername=url.get_backend_name())
    return plain.render_as_string(hide_password=True)


def _parsed(text: str) -> URL:
    try:
        return make_url(text)
    except (ArgumentError, ValueError):  # the errors repeat parts of the text, a password among them
        raise DatabaseSettingError(
            "the database URL cannot be read: write it as postgresql://user:password@host:port/database,"
            " special characters in the password as %-codes, or as sqlite:////absolute/path.db"
        ) from None


def _scheme(url: URL) -> str:
    return re.sub(r"[^a-z0-9+_.-].*", "", url.drivername, flags=re.IGNORECASE)[:32]


def _sqlite(url: URL) -> URL:
    if not url.database or url.database == ":memory:" or url.database.startswith("file:"):
        raise DatabaseSettingError(
            "the SQLite URL names no file: a database in memory would be gone after the run; use sqlite:///path.db"
        )
    if url.host or url.username or url.query:
        raise DatabaseSettingError("the SQLite URL takes a path and nothing else: use sqlite:////absolute/path.db")
    return url.set(database=str(Path(url.database).absolute()))


def _check_server(url: URL) -> None:
    # An "@" in a password moves the rest of the password into host or database, where it would be shown.
    if "@" in (url.host or "") + (url.database or ""):
        raise DatabaseSettingError("the database URL has an @ too many: write an @ inside the password as %40")
    if any(_PASSWORD_OPTION.match(key) for key in url.query):
        raise DatabaseSettingError(
            "the database URL has its password among the options: write it as user:password@host instead"
        )
    if url.drivername == _MARIADB and not url.database:
        raise DatabaseSettingError("the database URL names no database: add it as mariadb://user@host/database")


def _require_driver(driver: str) -> None:
    module, extra = _EXTRAS[driver]
    try:
        import_module(module)
    except ImportError:
        raise DatabaseSettingError(
            f"the driver {module} is not installed: pip install 'catalog-sync[{extra}]'"
        ) from None
