"""The login to a MariaDB server: TLS, that no impostor gets the password, and that it is MariaDB."""

from __future__ import annotations

import re
from typing import Any

import pymysql
from pymysql.connections import Connection
from pymysql.constants import CLIENT, CR
from sqlalchemy import URL

from models_db.engine.tls import CLEARTEXT, NO_TLS, NO_USER, Tls
from models_db.engine.url_options import ALLOW_CLEARTEXT
from models_db.errors import DatabaseSettingError

_OWN_OPTIONS = ("sslmode", "sslrootcert", "sslcert", "sslkey", ALLOW_CLEARTEXT, "charset")
# Methods with which the server gets the password itself, or gets it encrypted with a key that it names.
_SEND_THE_PASSWORD = {"mysql_clear_password", "dialog", "sha256_password", "caching_sha2_password"}
_VERSION = re.compile(r"(\d+)\.(\d+)\.\d+-MariaDB", re.IGNORECASE)
_OLDEST_SERVER = (10, 5)


def without_own_options(url: URL) -> URL:
    """Return the URL without the options that the driver does not know."""
    return url.difference_update_query(_OWN_OPTIONS)


class SecureLogin(Connection):
    """A connection that keeps the rules of ``tls`` while it logs in, and accepts no server but MariaDB.

    Raises ``DatabaseSettingError`` for another server, and ``pymysql.OperationalError`` with ``NO_TLS``,
    ``CLEARTEXT`` or ``NO_USER`` where the rules end the login.
    """

    _auth_plugin_name: str
    client_flag: int
    server_capabilities: int
    server_version: str
    user: bytes | None

    def __init__(self, *, tls: Tls, **options: Any) -> None:
        self._tls = tls
        super().__init__(**options)

    def connect(self, sock: Any = None) -> None:
        self.server_version = ""
        try:
            super().connect(sock)
        except pymysql.MySQLError as error:
            # A network that failed says nothing about the server; what it answered does.
            code = error.args[0] if error.args else None
            if code not in (CR.CR_CONN_HOST_ERROR, CR.CR_SERVER_LOST, CR.CR_SERVER_GONE_ERROR):
                self._require_mariadb(self.server_version, error)
            raise
        self._require_mariadb(self.server_version)

    def _require_mariadb(self, version: str, refusal: Exception | None = None) -> None:
        if "mariadb" not in version.lower() and refusal is None:
            version = self._own_version()  # a proxy greets with a version of its own
        parts = _VERSION.search(version)
        if not version or (parts and (int(parts[1]), int(parts[2])) >= _OLDEST_SERVER):
            return
        if refusal is None:
            self.close()
        name = "" if parts else " (MySQL, or made after it)"
        raise DatabaseSettingError(
            f"the server of the database URL is version {_printable(version)}{name};"
            " use MariaDB 10.5 or later, PostgreSQL 12 or later, or SQLite"
        ) from refusal

    def _own_version(self) -> str:
        with self.cursor() as cursor:
            cursor.execute("SELECT VERSION()")
            row = cursor.fetchone()
        return str(row[0]) if row else ""

    def _request_authentication(self) -> None:
        if self.user is None:  # neither a URL nor an option file names one, and a container's account has no name
            raise pymysql.OperationalError(CR.CR_UNKNOWN_ERROR, NO_USER)
        if not self.server_capabilities & CLIENT.SSL:
            if self._tls.required:
                raise pymysql.OperationalError(CR.CR_SSL_CONNECTION_ERROR, NO_TLS)
            self.ssl = False
            self.client_flag &= ~CLIENT.SSL
        if not self._tls.allows_cleartext and self._auth_plugin_name in _SEND_THE_PASSWORD:
            # A server that insists on its method asks for it again, and _process_auth then refuses.
            self._auth_plugin_name = "mysql_native_password"
        super()._request_authentication()  # type: ignore[misc]

    def _process_auth(self, plugin_name: bytes, auth_packet: Any, handler: Any = None) -> Any:
        if not self._tls.allows_cleartext and plugin_name.decode("ascii", "replace") in _SEND_THE_PASSWORD:
            raise pymysql.OperationalError(CR.CR_AUTH_PLUGIN_ERR, CLEARTEXT)
        return super()._process_auth(plugin_name, auth_packet, handler)  # type: ignore[misc]


def _printable(version: str) -> str:
    return re.sub(r"[^\w.+~-]", "?", version, flags=re.ASCII)[:40]
