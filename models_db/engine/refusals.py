"""Logins that the URL does not permit, as errors of the setting: trying again changes nothing."""

from __future__ import annotations

import re
import ssl

from sqlalchemy import Engine, event
from sqlalchemy.engine import ExceptionContext

from models_db.engine.tls import CLEARTEXT, NO_TLS, NO_USER
from models_db.errors import DatabaseSettingError

_NO_TLS = re.compile(f"server does not support SSL|{NO_TLS}")
_CLEARTEXT = re.compile(f"requested a cleartext password|{CLEARTEXT}")
_CERTIFICATE = re.compile("certificate verify failed|does not match host name|certificate could not be verified")
_OTHER_PROTOCOL = re.compile("invalid response to SSL negotiation|expected authentication request from server")
_NO_USER = re.compile(f"local user with ID [0-9]+ does not exist|{NO_USER}")

_LINES = {
    _NO_TLS: "the server of the database URL has no TLS; turn it on there, or add sslmode=disable to the URL if"
    " nobody else can read that network",
    _CLEARTEXT: "the server of the database URL asked for the password itself, and its identity is not verified;"
    " use sslmode=verify-full with sslrootcert, or add allow_cleartext=true to the URL",
    _CERTIFICATE: "the certificate of the server of the database URL is not accepted: {reason};"
    " check the host name and the dates, and that sslrootcert names the authority that signed it",
    _OTHER_PROTOCOL: "the server of the database URL does not speak PostgreSQL's protocol; check scheme, host and port",
    _NO_USER: "the database URL names no user, and the account that runs catalog-sync has no name;"
    " write user@ before the host",
}


def report_refusals(engine: Engine) -> None:
    """Make an engine raise ``DatabaseSettingError`` where a login fails by the rules of its URL."""
    event.listen(engine, "handle_error", _on_error)


def _on_error(context: ExceptionContext) -> None:
    if context.connection is None:  # only while it connects
        original = context.original_exception
        text = str(original)
        for pattern, line in _LINES.items():
            if pattern.search(text):
                raise DatabaseSettingError(line.format(reason=_reason(original, text))) from original


def _reason(original: BaseException, text: str) -> str:
    cause = getattr(original, "original_exception", None)
    if isinstance(cause, ssl.SSLCertVerificationError):
        return str(cause.verify_message)
    found = re.search(r"SSL error: ([^\n]+)|(server certificate[^\n]*does not match[^\n]*)", text)
    return (found[1] or found[2]).strip() if found else "it cannot be verified"
