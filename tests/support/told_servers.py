"""A webhook and a mail server on loopback that receive messages, and fail as they are told."""

from __future__ import annotations

import email
import email.policy
import json
import socketserver
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Literal, TypeAlias

Behaviour: TypeAlias = Literal["ok", "refuse", "says no", "drop", "redirect", "no end", "hang before", "hang after"]
"""``hang before`` takes the message for nothing; ``hang after`` takes it and never says so."""
TAKES = ("ok", "hang after")
Behave: TypeAlias = Callable[[], Behaviour]


class Receiver:
    """What a server took, as (title, body)."""

    def __init__(self, behave: Behave) -> None:
        self.behave = behave
        self.taken: list[tuple[str, str]] = []
        self.tries: list[Behaviour] = []
        self.released = threading.Event()
        """Set at the end, so that nothing hangs for ever."""
        self.url = ""

    def handle(self, title: str, text: str) -> Behaviour:
        behaviour = self.behave()
        self.tries.append(behaviour)
        if behaviour in TAKES:
            self.taken.append((title, text))
        if behaviour.startswith("hang"):
            self.released.wait(60)
        return behaviour


@contextmanager
def webhook(behave: Behave = lambda: "ok", path: str = "secret-path") -> Iterator[Receiver]:
    """A server for ``json://``."""
    receiver = Receiver(behave)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            document = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            behaviour = receiver.handle(document["title"], document["message"])
            if behaviour in ("drop", "hang before", "hang after"):
                return
            if behaviour == "redirect":
                self.send_response(301)
                self.send_header("Location", "/page")
                self.end_headers()
                return
            self.send_response(500 if behaviour == "refuse" else 200)
            self.end_headers()
            while behaviour == "no end":
                self.wfile.write(b" " * 65536)
            self.wfile.write(b'{"ok": false, "error": "no such hook"}' if behaviour == "says no" else b'{"ok": true}')

        def do_GET(self) -> None:
            """A page, as where a redirect leads."""
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    receiver.url = f"json://127.0.0.1:{server.server_address[1]}/{path}"
    with _serving(server, receiver):
        yield receiver


class _MailHandler(socketserver.StreamRequestHandler):
    """As much of SMTP as a client needs that sends one message."""

    receiver: Receiver

    def handle(self) -> None:
        self.say("220 mail.example.org")
        while line := self.rfile.readline():
            command = line.strip().upper()
            if command.startswith(b"DATA"):
                self.say("354 go on")
                if not self.receive():
                    return
            elif command.startswith(b"QUIT"):
                self.say("221 bye")
                return
            else:
                self.say("250 ok")

    def say(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())

    def receive(self) -> bool:
        data = b""
        while not data.endswith(b"\r\n.\r\n"):
            part = self.rfile.readline()
            if not part:
                return False
            data += part
        message = email.message_from_bytes(data[:-3], policy=email.policy.default)
        body = message.get_body(("plain", "html"))
        behaviour = self.receiver.handle(str(message["Subject"]), body.get_content() if body else "")
        if behaviour == "ok":
            self.say("250 taken")
        elif behaviour in ("refuse", "says no"):
            self.say("451 try again later")
        return behaviour in ("ok", "refuse", "says no")


@contextmanager
def mail_server(behave: Behave = lambda: "ok") -> Iterator[Receiver]:
    """A server for ``mailto://``."""
    receiver = Receiver(behave)

    handler = type("Handler", (_MailHandler,), {"receiver": receiver})
    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), handler)
    host, port = server.server_address[:2]
    receiver.url = f"mailto://{host!s}:{port}?from=a@example.org&to=b@example.org&format=text&mode=insecure"
    with _serving(server, receiver):
        yield receiver


@contextmanager
def _serving(server: socketserver.ThreadingTCPServer | ThreadingHTTPServer, receiver: Receiver) -> Iterator[None]:
    server.daemon_threads = True
    server.block_on_close = False
    server.handle_error = lambda *_: None  # type: ignore[method-assign]  # a client that was killed
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield
    finally:
        receiver.released.set()
        server.shutdown()
        server.server_close()
        thread.join()
