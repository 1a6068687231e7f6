"""The words of the program's own messages, which are no secrets even if somebody's password is one of them."""

from __future__ import annotations

from contextlib import suppress
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from sync.source.masking import Vocabulary

# What drivers and the operating system say in messages that this program prints.
_OF_LIBRARIES = """
access denied for user using password, authentication failed, permission denied, connection refused, connection reset
by peer, connection timed out, connection to server at failed, could not connect to server, could not translate host
name to address, name or service not known, temporary failure in name resolution, no route to host, network is
unreachable, server closed the connection unexpectedly, this probably means the server terminated abnormally before or
while processing the request, is the server running on that host and accepting TCP/IP connections, does not exist, role
relation column database schema table public postgres postgresql mariadb mysql sqlite root localhost unknown lock wait
timeout exceeded try restarting transaction, deadlock found, deadlock detected, database is locked, disk is full, read
only, no such table, file or directory, is a directory, not a directory, no space left on device, certificate verify
failed, self signed certificate, unable to get local issuer, tunnel connection failed, proxy authentication required,
bad gateway, service unavailable, gateway timeout, internal server error, forbidden, unauthorized, not found, too many
requests, fatal, error, warning, admin, administrator, guest, default, example, welcome, test, demo, main, production
"""


@cache
def program_words() -> Vocabulary:
    """The words in the source of the program, read once. Without source files there are few: more is masked then."""
    texts = [_OF_LIBRARIES]
    for package in ("sync", "models_db"):  # by name: only sync.store imports models_db
        spec = find_spec(package)
        for folder in (spec and spec.submodule_search_locations) or ():
            for file in sorted(Path(folder).rglob("*.py")):
                with suppress(OSError, UnicodeDecodeError):
                    texts.append(file.read_text(encoding="utf-8"))
    return Vocabulary.of("\n".join(texts))
