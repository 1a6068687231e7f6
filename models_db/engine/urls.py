"""Database URLs: what users write is checked, and turned into a URL for the installed driver."""

from __future__ import annotations

import re
from itertools import zip_longest
from pathlib import Path

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from models_db.engine.addresses import check_addresses
from models_db.engine.drivers import require_driver
from models_db.engine.url_options import TOO_MANY_AT, check_options
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

# Several hosts as libpq takes them: postgresql://user@one:5432,two:5433/db
_SEVERAL_HOSTS = re.compile(
    r"(?P<scheme>[\w+]+)://(?P<user>[^/?#]*@)?(?P<hosts>[^/?#@,]+(?:,[^/?#@,]+)+)"
    r"(?:/(?P<database>[^?]*))?(?:\?(?P<query>.*))?"
)
_PASSWORD_OPTION = re.compile(r"^(password|passwd|pwd|pass)$", re.IGNORECASE)
_SECRET_OPTION = re.compile(r"pass(?!file)|pwd|secret|token", re.IGNORECASE)


def normalise_url(text: str) -> URL:
    """Return the URL with the driver of this project. An SQLite path becomes absolute.

    Raises ``DatabaseSettingError`` for a URL that cannot be parsed or is not supported, for a password
    in a part that would be printed, and for a driver that is not installed. No message repeats the text.
    """
    # Python decodes bytes that are invalid in the locale as lone surrogates.
    if any("\ud800" <= char <= "\udfff" for char in text):
        raise DatabaseSettingError(
            "the database URL has bytes that are not characters in this locale;"
            " set LC_ALL=C.UTF-8, or write the URL in ASCII"
        )
    url = _parse(_hosts_as_options(text.strip()))
    driver = _DRIVERS.get(url.drivername.lower())
    if driver is None:
        raise DatabaseSettingError(
            f"the database URL begins with {_scheme(url)}; use sqlite:///, postgresql:// or mariadb://"
        )
    url = url.set(drivername=driver)
    if driver == _SQLITE:
        return _sqlite(url)
    _check_server(url)
    check_options(url, text.strip())
    check_addresses(url)
    require_driver(*_EXTRAS[driver])
    return url


def masked_url(url: URL) -> str:
    """Return the URL as text that may be printed: password and secret options are masked."""
    masked_options = {key: "hidden" for key in url.query if _SECRET_OPTION.search(key)}
    masked = url.update_query_dict(masked_options).set(drivername=url.get_backend_name())
    hosts = _several_hosts(url)
    if not hosts:
        return masked.render_as_string(hide_password=True)
    # SQLAlchemy would print the hosts as options; the user wrote them in the host part.
    text = masked.difference_update_query(["host", "port"]).set(host="hosts").render_as_string(hide_password=True)
    return re.sub(r"(//|@)hosts(?=/|$)", lambda match: match[1] + hosts, text, count=1)


def _parse(text: str) -> URL:
    try:
        return make_url(text)
    except (ArgumentError, ValueError):  # these errors repeat parts of the text, such as the password
        raise DatabaseSettingError(
            "the database URL cannot be read; write it as postgresql://user:password@host:port/database,"
            " special characters in the password as %-codes, or as sqlite:////absolute/path.db"
        ) from None


def _hosts_as_options(text: str) -> str:
    """Move several hosts from the host part to the options, where SQLAlchemy accepts them."""
    parts = _SEVERAL_HOSTS.fullmatch(text)
    if not parts:
        return text
    hosts, ports = zip(*(_host_and_port(host) for host in parts["hosts"].split(",")), strict=True)
    query = [f"host={','.join(hosts)}", f"port={','.join(ports)}", *filter(None, [parts["query"]])]
    return f"{parts['scheme']}://{parts['user'] or ''}/{parts['database'] or ''}?{'&'.join(query)}"


def _several_hosts(url: URL) -> str:
    """Return several hosts as the user wrote them; empty if there is one host."""
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
            "the SQLite URL does not name a file: a database in memory ends with the run; use sqlite:///path.db"
        )
    if url.host or url.username or url.query:
        raise DatabaseSettingError("the SQLite URL has more than a path; use sqlite:////absolute/path.db")
    try:
        return url.set(database=str(Path(url.database).absolute()))
    except FileNotFoundError:
        raise DatabaseSettingError(
            "the SQLite URL has a relative path, and the current folder does not exist; use sqlite:////absolute/path.db"
        ) from None


def _check_server(url: URL) -> None:
    # After an "@" in a password the rest of it is parsed as host or database, which are printed.
    if "@" in (url.host or "") + (url.database or ""):
        raise DatabaseSettingError(TOO_MANY_AT)
    options = (value for values in url.query.values() for value in ([values] if isinstance(values, str) else values))
    if any("\0" in part for part in (url.username, url.password, url.host, url.database, *options) if part):
        raise DatabaseSettingError(
            "the database URL has a NUL, which no server accepts; remove the %00"
        )  # or it is cut
    if any(_PASSWORD_OPTION.match(key) for key in url.query):
        raise DatabaseSettingError("the database URL has its password in the options; write it as user:password@host")
    if url.drivername == _MARIADB and not url.database:
        raise DatabaseSettingError("the database URL does not name a database; add it as mariadb://user@host/database")
