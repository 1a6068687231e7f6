"""What a user may set, checked once: every fault is found before the first request or statement.

Values come from flags or from the environment with the prefix ``CATALOG_SYNC_``. The key comes from
the environment or a file only: an argument can be read in the process list.
"""

from __future__ import annotations

import stat
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from sync.errors import UsageError
from sync.source.api_key import require_sendable

PREFIX = "CATALOG_SYNC_"
DEFAULT_BASE_URL = "https://www.genviral.io/api/partner/v1"
_LOOPBACK = {"localhost", "127.0.0.1", "::1"}
_SHORTEST_SECRET = 4


def api_key(environ: Mapping[str, str]) -> str:
    """The API key, blanks around it removed. Raises ``UsageError`` without ever quoting it."""
    key, file = environ.get(PREFIX + "API_KEY", ""), environ.get(PREFIX + "API_KEY_FILE", "")
    if key and file:
        raise UsageError("both CATALOG_SYNC_API_KEY and CATALOG_SYNC_API_KEY_FILE are set: unset one of them")
    key = _key_from_file(Path(file).expanduser(), environ) if file else key.strip()
    if not key:
        raise UsageError(
            "there is no API key: set CATALOG_SYNC_API_KEY, or CATALOG_SYNC_API_KEY_FILE to a file that holds it"
        )
    require_sendable(key)
    return key


def base_url(text: str) -> str:
    """The API's address without a trailing slash. Plain http is for loopback only."""
    parts = _split(text)
    if parts.scheme not in {"https", "http"} or not parts.hostname:
        raise UsageError("BASE_URL must look like https://HOST/PATH: set --base-url or CATALOG_SYNC_BASE_URL")
    if parts.username is not None or parts.query or parts.fragment:
        raise UsageError("BASE_URL must have no user, password, query or fragment: give the plain address")
    if parts.scheme == "http" and parts.hostname not in _LOOPBACK:
        raise UsageError(f"BASE_URL is plain http to {parts.hostname}: the key would be readable on the way; use https")
    return text.rstrip("/")


def default_database_url() -> str:
    """The SQLite file in the user's data directory, absolute."""
    import platformdirs

    return f"sqlite:///{platformdirs.user_data_path('catalog-sync') / 'catalog.db'}"


def secret_key(environ: Mapping[str, str]) -> str | None:
    """The key as far as it can be found, for hiding it; None when there is none to hide."""
    key, file = environ.get(PREFIX + "API_KEY", ""), environ.get(PREFIX + "API_KEY_FILE", "")
    if not key and file:
        path = Path(file).expanduser()
        with suppress(OSError, UnicodeDecodeError):  # then nothing of it can be shown either
            key = path.read_text(encoding="utf-8") if path.is_file() else ""  # a pipe gives its text once only
    return _secret(key)


def secret_password(environ: Mapping[str, str]) -> str | None:
    """The database password as it stands in the URL, for hiding it; None when there is none."""
    return _secret(_password(environ.get(PREFIX + "DATABASE_URL", "")))


def has_password(database_url: str) -> bool:
    return bool(_password(database_url))


def _key_from_file(path: Path, environ: Mapping[str, str]) -> str:
    try:
        mode = path.stat().st_mode
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise UsageError(f"the key file {path} cannot be read: {reason}; see CATALOG_SYNC_API_KEY_FILE") from error
    if stat.S_ISREG(mode) and mode & (stat.S_IRWXG | stat.S_IRWXO) and not _is_handed_over(path, environ):
        raise UsageError(f"the key file {path} can be read by others: run chmod 600 on it")
    return text.strip()


def _is_handed_over(path: Path, environ: Mapping[str, str]) -> bool:
    """Whether a service manager or container put the file there: it guards the folder, not the file's mode."""
    folders = [Path("/run/secrets"), Path(environ.get("CREDENTIALS_DIRECTORY") or "/run/secrets")]
    return any(path.resolve().is_relative_to(folder.resolve()) for folder in folders)


def _secret(text: str) -> str | None:
    """None for what is too short to be a secret: hiding it would garble every text."""
    return text.strip() if len(text.strip()) >= _SHORTEST_SECRET else None


def _split(text: str) -> SplitResult:
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError as error:
        raise UsageError("BASE_URL is not a URL: set --base-url or CATALOG_SYNC_BASE_URL") from error
    return parts


def _password(url: str) -> str:
    """The password in a URL as it stands there; an unescaped / or @ in it belongs to it."""
    rest = url.partition("://")[2]
    return "" if rest.startswith("/") else rest.rpartition("@")[0].partition(":")[2]
