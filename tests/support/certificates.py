"""Certificates made by openssl, and servers that use them."""

from __future__ import annotations

import socket
import ssl
import subprocess
import threading
from dataclasses import dataclass
from pathlib import Path

from tests.support.rude_server import Script

_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
_LEAF = (
    "subjectAltName=DNS:{host}\nbasicConstraints=CA:FALSE\nsubjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n"
)


@dataclass(frozen=True)
class Authority:
    """A certificate authority; ``file`` is its own certificate."""

    folder: Path

    @property
    def file(self) -> Path:
        return self.folder / "authority.pem"

    def make(self) -> Authority:
        usage = ("-addext", "keyUsage=critical,keyCertSign")
        names = ("-subj", "/CN=A test's authority", "-keyout", "authority.key", "-out", self.file.name)
        self._openssl("req", "-x509", *_KEY, *names, "-days", "2", *usage)
        return self

    def certificate(self, host: str = "localhost", days: int = 2) -> ssl.SSLContext:
        """The TLS context of a server for this host; with negative ``days`` its certificate has expired."""
        name = f"{host}{days}"
        (self.folder / f"{name}.ext").write_text(_LEAF.format(host=host))
        self._openssl("req", *_KEY, "-subj", f"/CN={host}", "-keyout", f"{name}.key", "-out", f"{name}.csr")
        signed = ("-CA", self.file.name, "-CAkey", "authority.key", "-CAcreateserial", "-extfile", f"{name}.ext")
        self._openssl("x509", "-req", "-in", f"{name}.csr", *signed, "-days", str(days), "-out", f"{name}.pem")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.folder / f"{name}.pem", self.folder / f"{name}.key")
        return context

    def _openssl(self, *arguments: str) -> None:
        subprocess.run(["openssl", *arguments], cwd=self.folder, check=True, capture_output=True)


def over_tls(context: ssl.SSLContext, **by_mode: Script) -> Script:
    """A script that does the TLS handshake, reads the request and runs the script of its mode.

    For a server with ``before_request``.
    """

    def run(peer: socket.socket, stop: threading.Event) -> None:
        try:
            with context.wrap_socket(peer, server_side=True) as secure:
                request = secure.recv(65536).decode("latin-1")
                by_mode["video" if "mode=video" in request else "image"](secure, stop)
        except ssl.SSLError:
            return  # the client rejected the certificate

    return run
