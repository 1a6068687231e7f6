"""The database setting: one text in, one URL that our drivers understand out."""

from __future__ import annotations

import re
from importlib import import_module
from itertools import zip_longest
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

_SEVERAL_HOSTS = re.compile(
    r"(?P<scheme>[\w+]+)://(?P<user>[^/?#]*@)?(?P<hosts>[^/?#@,]+(?:,[^/?#@,]+)+)"
    r"(?:/(?P<database>[^?]*))?(?:\?(?P<query>.*))?"
)
_PASSWORD_OPTION = re.compile(r"^(password|passwd|pwd|pass)$", re.IGNORECASE)
_SECRET_OPTION = re.compile(r"pass(?!file)|pwd|secret|token", re.IGNORECASE)


def normalise_url(text: str) -> URL:
    """The URL with the driver we use, an SQLite path made absolute.

    Raises ``DatabaseSettingError`` for what cannot be read or is not supported, for a password where it
    could be shown, and for a driver that is not installed. The text itself is never in the message.
    """
    if any("\ud800" <= char <= "\udfff" for char in text):  # so are bytes handed over that the locale does not know
        raise DatabaseSettingError(
            "the database URL has bytes that are no letters in this locale: set LC_ALL=C.UTF-8, or write it in ASCII"
        )
    url = _parsed(_with_hosts_apart(text.strip()))
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


def masked_url(url: URL) -> str:
    """The URL as text that may be printed: password and secret options masked."""
    masked = {key: "hidden" for key in url.query if _SECRET_OPTION.search(key)}
    plain = url.update_query_dict(masked).set(drivername=url.get_backend_name())
    hosts = _hosts_of(url)
    if not hosts:
        return plain.render_as_string(hide_password=True)
    one = plain.difference_update_query(["host", "port"]).set(host="hosts").render_as_string(hide_password=True)
    return re.sub(r"(//|@)hosts(?=/|$)", lambda match: match[1] + hosts, one, count=1)


def _parsed(text: str) -> URL:
    try:
        return make_url(text)
    except (ArgumentError, ValueError):  # the errors repeat parts of the text, a password among them
        raise DatabaseSettingError(
            "the database URL cannot be read: write it as postgresql://user:password@host:port/database,"
            " special characters in the password as %-codes, or as sqlite:////absolute/path.db"
        ) from None


def _with_hosts_apart(text: str) -> str:
    """Several hosts, as in postgresql://user@one:5432,two:5433/db, in the form that SQLAlchemy takes."""
    found = _SEVERAL_HOSTS.fullmatch(text)
    if not found:
        return text
    hosts, ports = zip(*(_host_and_port(one) for one in found["hosts"].split(",")), strict=True)
    query = [f"host={','.join(hosts)}", f"port={','.join(ports)}", *filter(None, [found["query"]])]
    if text.startswith("postgres") and "target_session_attrs" not in (found["query"] or ""):
        query.append("target_session_attrs=read-write")  # of a primary and its standbys the primary is meant
    return f"{found['scheme']}://{found['user'] or ''}/{found['database'] or ''}?{'&'.join(query)}"


def _hosts_of(url: URL) -> str:
    """Several hosts as they are written; nothing where there is one."""
    hosts, ports = (str(url.query.get(name, "")).split(",") for name in ("host", "port"))
    if len(hosts) < 2:
        return ""
    return ",".join(f"{host}:{port}" if port else host for host, port in zip_longest(hosts, ports, fillvalue=""))


def _host_and_port(text: str) -> tuple[str, str]:
    host, colon, port = text.rpartition(":")
    return (host.strip("[]"), port) if colon and not port.endswith("]") else (text.strip("[]"), "")


def _scheme(url: URL) -> str:
    return re.sub(r"[^a-z0-9+_.-].*", "", url.drivername, flags=re.IGNORECASE)[:32]


def _sqlite(url: URL) -> URL:
    if not url.database or url.database == ":memory:" or url.database.startswith("file:"):
        raise DatabaseSettingError(
            "the SQLite URL names no file: a database in memory would be gone after the run; use sqlite:///path.db"
        )
    if url.host or url.username or url.query:
        raise DatabaseSettingError("the SQLite URL takes a path and nothing else: use sqlite:////absolute/path.db")
    try:
        return url.set(database=str(Path(url.database).absolute()))
    except FileNotFoundError:
        raise DatabaseSettingError(
            "the SQLite URL has a relative path, and the current folder is gone: use sqlite:////absolute/path.db"
        ) from None


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
