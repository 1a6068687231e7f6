"""The process that delivers: reads a URL and messages from stdin, and answers each on stdout. It alone knows Apprise.

A process of its own, because only a process can be ended at a moment whatever a server does, and because libraries
may log or print the URL: all that is read from it is the answers. They have words of this module and numbers alone.
"""

from __future__ import annotations

import json
import logging
import os
import re
import sys
from collections.abc import Callable
from typing import Any, TextIO

import msgspec

from sync.notify.fitting import text_for
from sync.notify.messages import Message

_CONNECT_SECONDS = 15.0
# What their answer says under 200 is for the webhook's author to define; these are the usual ways to say no.
_OWN_WEBHOOKS = ("json", "jsons", "form", "forms", "xml", "xmls")
_MOST_BYTES = 64 * 1024
_MOST_RESPONSE = 4 * 1024 * 1024
_TOO_LONG = "response without end"
_SMTP_CODE = re.compile(r"\(?\b([45]\d\d)\b")


class Sent(msgspec.Struct):
    """The last thing that a request of a delivery met, for the reason of a failure."""

    status: int | None = None
    body: bytes = b""
    error: str | None = None


def main() -> None:
    """Delivers until stdin ends."""
    answers = os.fdopen(os.dup(1), "w")
    # Whatever a library prints goes nowhere.
    null = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):
        os.dup2(null, stream)
    serve(sys.stdin, answers)


def serve(lines: TextIO, answers: TextIO) -> None:
    """Reads a line with the URL and the seconds, then a message per line; each gets a line with its error or null.

    The first line is answered by an empty one, once all is loaded.
    """
    first = json.loads(lines.readline())
    sent = Sent()
    _watch_requests(sent)
    deliver = _deliverer(first["url"], float(first["seconds"]), sent)
    answers.write("\n")
    answers.flush()
    for line in lines:
        answers.write(json.dumps({"error": deliver(msgspec.json.decode(line, type=Message))}) + "\n")
        answers.flush()


def _deliverer(url: str, seconds: float, sent: Sent) -> Callable[[Message], str | None]:
    import apprise

    plugin = apprise.Apprise.instantiate(url)
    if plugin is None:
        return lambda _: "Apprise does not know the service of its URL, or misses a part of the URL"
    if "cto=" not in url:
        plugin.socket_connect_timeout = min(seconds, _CONNECT_SECONDS)
    if "rto=" not in url:
        plugin.socket_read_timeout = seconds
    if "overflow=" not in url:
        # The text fits already; this is for what a channel counts in another way.
        plugin.overflow_mode = apprise.OverflowMode.TRUNCATE
    schema = url.partition("://")[0].lower()

    def deliver(message: Message) -> str | None:
        sent.status, sent.body, sent.error = None, b"", None
        body = text_for(message, int(plugin.body_maxlen), schema)
        try:
            accepted = plugin.notify(body=body, title=message.title, body_format=apprise.NotifyFormat.TEXT)
        except Exception as error:  # noqa: BLE001  # a plugin may raise anything
            return f"Apprise failed with {type(error).__name__}"
        if accepted and not (schema in _OWN_WEBHOOKS and says_no(sent.body)):
            return None
        return reason_of(sent)

    return deliver


def says_no(body: bytes) -> bool:
    """Whether the JSON object of a response under 200 says that it is an error."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return False
    if not isinstance(document, dict):
        return False
    return (
        document.get("ok") is False
        or document.get("success") is False
        or bool(document.get("error"))
        or str(document.get("status")).lower() in ("error", "fail", "failed", "failure")
    )


def reason_of(sent: Sent) -> str:
    """Why a delivery failed, in words that contain nothing of a URL, a server or a response."""
    if sent.status is not None:
        what = " with an error in its body" if 200 <= sent.status < 300 else ""
        return f"it answered HTTP {sent.status}{what}"
    return sent.error or "Apprise reported a failure"


def _watch_requests(sent: Sent) -> None:
    """Remembers how each request over HTTP ends, and what the plugin for mail logs of its connection."""
    import requests

    send = requests.Session.send

    def watched(self: requests.Session, request: Any, **options: Any) -> requests.Response:
        try:
            # Followed, a POST becomes a GET without the message, which a page answers with 200.
            follows = options.get("allow_redirects", True) and request.method in ("GET", "HEAD")
            response = send(self, request, **{**options, "allow_redirects": follows, "stream": True})
            _read_bounded(response)
        except requests.RequestException as error:
            sent.error = _connection_text(str(error), is_timeout=isinstance(error, requests.Timeout))
            raise
        sent.status, sent.body = response.status_code, (response.content or b"")[:_MOST_BYTES]
        return response

    requests.Session.send = watched  # type: ignore[method-assign]  # in this process alone

    class Reader(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            text = record.getMessage()
            if text.startswith("Socket Exception:") and sent.status is None and sent.error is None:
                sent.error = _connection_text(text, is_timeout="timed out" in text)

    log = logging.getLogger("apprise")
    log.handlers, log.propagate = [Reader(logging.DEBUG)], False
    log.setLevel(logging.DEBUG)


def _read_bounded(response: Any) -> None:
    """Reads the body of a response. Raises ``ContentDecodingError`` for one that is too long: it may have no end."""
    from requests.exceptions import ContentDecodingError

    parts, size = [], 0
    for part in response.iter_content(_MOST_BYTES):
        parts.append(part)
        size += len(part)
        if size > _MOST_RESPONSE:
            response.close()
            raise ContentDecodingError(_TOO_LONG)
    # As ``Response.content`` does it.
    vars(response).update(_content=b"".join(parts), _content_consumed=True)


def _connection_text(text: str, *, is_timeout: bool) -> str:
    if is_timeout:
        return "it did not respond in time"
    for sign, reason in (
        (_TOO_LONG, "its response is too long"),
        ("refused", "the connection was refused"),
        ("CERTIFICATE", "its certificate was not accepted"),
        ("resolve", "its host name is unknown"),
        ("Name or service", "its host name is unknown"),
        ("unreachable", "its network is unreachable"),
    ):
        if sign in text:
            return reason
    code = _SMTP_CODE.search(text)
    return f"the mail server answered {code[1]}" if code and "HTTP" not in text else "the connection failed"
