"""Which TLS a connection uses: one vocabulary for both servers, that of libpq.

``disable``, ``prefer``, ``require``, ``verify-ca`` and ``verify-full``; without a word ``require``, or
``prefer`` where the server is on this machine. Only the last two verify who the server is. With the others
no method is used that sends the password itself, unless the URL allows it.
"""

from __future__ import annotations

import ipaddress
import ssl
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import URL

from models_db.engine.url_options import ALLOW_CLEARTEXT, SYSTEM_AUTHORITIES, TLS_MODES, expanded
from models_db.errors import DatabaseSettingError

NO_TLS = "the server has no TLS"
CLEARTEXT = "the server asked for the password itself"
NO_USER = "the account has no name"
"""The errors of a login to MariaDB that these rules end; libpq has texts of its own."""

_VERIFYING = ("verify-ca", "verify-full")


@dataclass(frozen=True)
class Tls:
    """How to secure a connection."""

    mode: str
    root_certificate: str | None
    """A file of authorities, or None for those of the machine."""
    certificate: str | None
    key: str | None
    allows_cleartext: bool
    """Whether the server may have the password itself."""

    @property
    def required(self) -> bool:
        return self.mode not in ("disable", "prefer")

    def context(self) -> ssl.SSLContext | None:
        """Return the context of a client; None without TLS."""
        if self.mode == "disable":
            return None
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = self.mode == "verify-full"
        context.verify_mode = ssl.CERT_REQUIRED if self.mode in _VERIFYING else ssl.CERT_NONE
        try:
            if self.root_certificate:
                context.load_verify_locations(self.root_certificate)
            elif self.mode in _VERIFYING:
                context.load_default_certs()
            if self.certificate:
                context.load_cert_chain(self.certificate, self.key)
        except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
            raise DatabaseSettingError(
                "the certificates of the database URL cannot be read; check sslrootcert, sslcert and sslkey"
            ) from error
        return context


def tls_of(url: URL, defaults: Mapping[str, str] | None = None) -> Tls:
    """Return what the URL asks for; ``defaults`` has what the driver takes from its own environment.

    Raises ``DatabaseSettingError`` if the options contradict each other.
    """
    options = {**(defaults or {}), **{name: str(value) for name, value in url.query.items()}}
    root = options.get("sslrootcert")
    mode = _mode(options.get("sslmode"), root, on_this_machine=_is_on_this_machine(url, options))
    return Tls(
        mode=mode,
        root_certificate=None if root == SYSTEM_AUTHORITIES else _file(root),
        certificate=_file(options.get("sslcert")),
        key=_file(options.get("sslkey")),
        allows_cleartext=mode in _VERIFYING or ALLOW_CLEARTEXT in url.query,
    )


def _mode(word: str | None, root: str | None, *, on_this_machine: bool) -> str:
    if word is not None and word not in TLS_MODES:  # the URL is checked, the environment is not
        raise DatabaseSettingError(f"the sslmode of the database is unknown; use {'|'.join(TLS_MODES)}")
    if root and word in ("disable", "prefer"):
        raise DatabaseSettingError(
            f"sslrootcert says which certificates are good, but sslmode={word} accepts all;"
            " write sslmode=verify-full, or leave out sslrootcert"
        )
    if root and word in (None, "require"):
        # What libpq makes of it. With the authorities of the machine only the name tells servers apart.
        return "verify-full" if root == SYSTEM_AUTHORITIES else "verify-ca"
    if word == "verify-ca" and root in (None, SYSTEM_AUTHORITIES):
        raise DatabaseSettingError(
            "sslmode=verify-ca accepts any name, so it needs an authority of your own;"
            " add sslrootcert=/path/authority.pem, or write sslmode=verify-full"
        )
    return word or ("prefer" if on_this_machine else "require")


def _is_on_this_machine(url: URL, options: Mapping[str, str]) -> bool:
    """Return whether all hosts are loopback addresses or sockets."""
    hosts = options.get("hostaddr") or (url.host or options.get("host", ""))
    return bool(options.get("unix_socket")) or all(map(_is_loopback, hosts.split(",")))


def _is_loopback(host: str) -> bool:
    if host in ("", "localhost") or host.startswith(("/", "@")):
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _file(path: str | None) -> str | None:
    return str(expanded(path)) if path else None
