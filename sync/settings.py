"""Settings that are more than an option: the API key, the base URL, the default database, and secrets to mask.

All are checked before the first request or statement. The API key and database passwords come from
the environment or a file, never from an argument, which other users can read in the process list.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from urllib.parse import SplitResult, quote, unquote, urlsplit
from uuid import UUID

from sync.errors import UsageError
from sync.source.api_key import require_sendable

PREFIX = "CATALOG_SYNC_"
NOT_OPTIONS = ("API_KEY", "API_KEY_FILE", "CATALOG_ID")
"""The settings that are no option of a command."""
DEFAULT_BASE_URL = "https://www.genviral.io/api/partner/v1"
MOUNTS = Path("/proc/self/mounts")
_OCTAL = re.compile(r"\\([0-7]{3})")  # how the list writes blanks
_LOOPBACK = {"localhost", "127.0.0.1", "::1"}
_SECRET_OPTION = re.compile(r"pass(?!file)|pwd|secret|token", re.IGNORECASE)
MOST_CHARACTERS = 64 * 1024  # in a key file, blanks around the key included; a notify file has fewer too
_MIN_KEY_LENGTH = 8  # a shorter one may be a word of the address


def api_key(environ: Mapping[str, str]) -> str:
    """The API key without surrounding blanks. Raises ``UsageError``, which never quotes the key."""
    key, file = environ.get(PREFIX + "API_KEY", ""), environ.get(PREFIX + "API_KEY_FILE", "")
    if key and file:
        raise UsageError(
            "the API key is set twice, by CATALOG_SYNC_API_KEY and CATALOG_SYNC_API_KEY_FILE; unset one of them"
        )
    key = _key_from_file(_expanded(file), environ) if file else key.strip()
    if not key:
        raise UsageError(
            "there is no API key; set CATALOG_SYNC_API_KEY, or CATALOG_SYNC_API_KEY_FILE to the file with the key"
        )
    require_sendable(key)
    if key[0] in "\"'" or key.startswith(PREFIX):  # docker --env-file keeps quotes
        raise UsageError(
            "the API key begins with a quote or with the name of the setting, as in a shell; give the key alone"
        )
    return key


def base_url(text: str) -> str:
    """The address of the API without blanks around it and slashes at its end.

    Raises ``UsageError`` for a text that is none, also for plain http beyond loopback.
    """
    text = text.strip()
    parts = _split(text)
    is_plain = not any(char.isspace() or not char.isprintable() for char in text)
    if parts.scheme not in {"https", "http"} or not parts.hostname or not is_plain:
        raise UsageError(
            "the base URL is not of the form https://HOST/PATH; correct --base-url or CATALOG_SYNC_BASE_URL"
        )
    if parts.username is not None or "?" in text or "#" in text:
        raise UsageError("the base URL has a user, a password, a query or a fragment; give the address without it")
    if parts.scheme == "http" and parts.hostname not in _LOOPBACK:
        raise UsageError(
            f"the base URL is plain http to {parts.hostname}: others on the network could read the API key; use https"
        )
    return text.rstrip("/")


def require_no_key(base_url: str, key: str) -> None:
    """Raises ``UsageError`` for a base URL with the key or its secret part, since each run records its base URL."""
    secret = key.rpartition(".")[2]
    if len(secret) >= _MIN_KEY_LENGTH and secret in unquote(base_url):
        raise UsageError("the base URL contains the API key, which must not be stored; give the address without it")


def catalog_id(environ: Mapping[str, str]) -> str | None:
    """The id of the catalog that the database must have, in its usual form; None when it is not set."""
    text = environ.get(PREFIX + "CATALOG_ID", "").strip()
    if not text:
        return None
    try:
        return str(UUID(text))
    except ValueError:
        raise UsageError(
            "CATALOG_SYNC_CATALOG_ID is not the id of a catalog: set it to the id that catalog-sync status prints"
        ) from None


def archive_folder(text: str) -> Path:
    """The folder of the archive, which may begin with ~. Raises ``UsageError`` for an empty name."""
    if not text.strip():  # Path("") is the current folder
        raise UsageError("--archive is empty: give the path of a folder, or leave the option out")
    try:
        return Path(text).expanduser()
    except RuntimeError as error:
        raise UsageError(
            f"the archive {text} cannot be found: there is no home directory for ~; give an absolute path"
        ) from error


def data_folder(setting: str) -> Path:
    """The user's data directory, an absolute path.

    Raises ``UsageError``, which names the setting to use instead, for an account without a home.
    """
    import platformdirs

    try:
        return platformdirs.user_data_path("catalog-sync")
    except RuntimeError as error:
        raise UsageError(
            "the data directory is unknown: HOME is not set, and the account has no entry in the list of accounts;"
            f" set {setting}, or HOME"
        ) from error


def default_database_url() -> str:
    """The URL of the SQLite file in the user's data directory; the path is absolute. Raises as ``data_folder``."""
    return f"sqlite:///{data_folder(PREFIX + 'DATABASE_URL') / 'catalog.db'}"


def secret_key(environ: Mapping[str, str]) -> str | None:
    """The API key for masking, unchecked; None when there is none. Never raises."""
    key, file = environ.get(PREFIX + "API_KEY", ""), environ.get(PREFIX + "API_KEY_FILE", "")
    if not key and file:
        with suppress(OSError, UnicodeDecodeError, UsageError):  # a key that cannot be read cannot be printed either
            path = _expanded(file)
            # A pipe gives its content once, and api_key() needs it.
            key = _text_of(path) if path.is_file() else ""
    return key.strip() or None


def secret_passwords(environ: Mapping[str, str]) -> list[str]:
    """The passwords of the database for masking, as they are written in the URL."""
    url = environ.get(PREFIX + "DATABASE_URL", "")
    options = [option.partition("=") for option in url.partition("?")[2].split("&")]
    in_options = [value for name, _, value in options if _SECRET_OPTION.search(name)]
    return [*filter(None, [_password(url), *in_options, quote(environ.get("PGPASSWORD", ""))])]


def has_password(database_url: str) -> bool:
    return bool(_password(database_url))


def _expanded(file: str) -> Path:
    return expanded(file, "key file", PREFIX + "API_KEY_FILE")


def expanded(file: str, thing: str, setting: str) -> Path:
    """The path of a file, which may begin with ~. Raises ``UsageError`` without a home for that."""
    try:
        return Path(file).expanduser()
    except RuntimeError as error:
        raise UsageError(
            f"the {thing} {file} cannot be found: there is no home directory for ~; set {setting} to an absolute path"
        ) from error


def _key_from_file(path: Path, environ: Mapping[str, str]) -> str:
    text = private_text(path, environ, "key file", PREFIX + "API_KEY_FILE")
    if len(text) > MOST_CHARACTERS:
        raise UsageError(
            f"the key file {path} is refused: it is longer than {MOST_CHARACTERS} characters, so it is not a key;"
            " correct CATALOG_SYNC_API_KEY_FILE"
        )
    if not text.strip():
        raise UsageError(f"the key file {path} is empty; write the API key into it")
    return text.strip()


def private_text(path: Path, environ: Mapping[str, str], thing: str, setting: str) -> str:
    """The beginning of a file with secrets: up to one character more than a key may have.

    Raises ``UsageError``, which calls the file a ``thing`` and names its ``setting``, unless it can be read by this
    account and by no others.
    """
    try:
        status = path.stat()  # before reading, which empties a pipe
        text = _text_of(path)
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise UsageError(f"the {thing} {path} cannot be read: {reason}; correct {setting}") from error
    # The mode of a pipe or a device says nothing about who has read what goes through it.
    if stat.S_ISREG(status.st_mode) and _others_may_read(status) and not _is_mounted_secret(path, environ):
        raise UsageError(f"the {thing} {path} is refused: it can be read by others; {_how_to_hide(status)}")
    return text


def _how_to_hide(status: os.stat_result) -> str:
    if _is_handed_by_root(status):  # with the mode 600 only root could read it
        return f"as root, run chgrp {os.getegid()} and chmod 640 on it"
    return "run chmod 600 on it"


def _text_of(path: Path) -> str:
    """The beginning of a file, which shows whether it is too long: a device may have no end."""
    with path.open(encoding="utf-8-sig") as file:  # editors of Windows begin a file with a mark
        return file.read(MOST_CHARACTERS + 1)


def _others_may_read(status: os.stat_result) -> bool:
    allowed = stat.S_IRWXU | (stat.S_IRGRP if _is_handed_by_root(status) else 0)
    return bool(stat.S_IMODE(status.st_mode) & ~allowed & (stat.S_IRWXG | stat.S_IRWXO))


def _is_handed_by_root(status: os.stat_result) -> bool:
    # The rule of libpq: root hands a file to the account of a service by the account's group (chown root:GROUP,
    # chmod 640). systemd gives 0440 and an access list, which shows as the group's bits.
    return status.st_uid == 0 and os.geteuid() != 0


def _is_mounted_secret(path: Path, environ: Mapping[str, str]) -> bool:
    """Whether systemd or a container runtime mounted the file: they protect its folder, whatever the file's mode.

    Docker Swarm gives 0444, Kubernetes 0644, or 0640 with a group of its own.
    """
    # Docker mounts secrets at the first, systemd sets the variable for LoadCredential=.
    folders = [Path("/run/secrets"), Path(environ.get("CREDENTIALS_DIRECTORY") or "/run/secrets")]
    if any(path.resolve().is_relative_to(folder.resolve()) for folder in folders):
        return True
    # Kubernetes puts the files of a volume into a folder with a new name for each version of the secret, and links
    # to it. A single file may be mounted too: subPath, a target path in Swarm, docker -v.
    return (path.parent / "..data").is_symlink() or str(path.resolve()) in _mount_points()


def _mount_points() -> set[str]:
    with suppress(OSError):  # only Linux has the list
        lines = MOUNTS.read_text(errors="surrogateescape").splitlines()
        return {_OCTAL.sub(lambda code: chr(int(code[1], 8)), line.split(" ")[1]) for line in lines if " " in line}
    return set()


def _split(text: str) -> SplitResult:
    try:
        parts = urlsplit(text)
        _ = parts.port  # raises ValueError for a port that is not a number
    except ValueError as error:
        raise UsageError("the base URL is not a URL; correct --base-url or CATALOG_SYNC_BASE_URL") from error
    return parts


def _password(url: str) -> str:
    """The password as it is written in a URL, unescaped / and @ included."""
    rest = url.partition("://")[2]
    # An SQLite URL has no user: an @ in it is part of the path.
    return "" if rest.startswith("/") else rest.rpartition("@")[0].partition(":")[2]
