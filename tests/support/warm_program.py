"""A process that has imported the program and forks a child for each command.

A new interpreter spends about 0.4 s of CPU time on imports, more than most commands take. Here one process
for each worker of the tests imports everything once. A child has the arguments, environment, folder,
standard streams, signal handlers and exit code that a new interpreter would have.

A test of start-up, of loading, or of ``/proc/PID`` needs a new interpreter.
"""

from __future__ import annotations

import atexit
import gc
import importlib
import io
import json
import os
import pkgutil
import runpy
import selectors
import signal
import socket
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, NamedTuple, NoReturn, cast

from tests.support.warm_process import WarmProcess

ROOT = Path(__file__).resolve().parents[2]
_LIBRARIES = (
    "alembic.command",
    "alembic.config",
    "alembic.autogenerate",
    "apscheduler.schedulers.background",
    "psycopg",
    "pymysql",
    "requests",
    "rich.console",
    "rich.table",
    "sqlalchemy.dialects.mysql.pymysql",
    "sqlalchemy.dialects.postgresql.psycopg",
    "sqlalchemy.dialects.sqlite.pysqlite",
)
_NAMES = {"COLUMNS", "HOME", "PATH", "SSL_CERT_FILE", "TERM", "TZ"}
_MESSAGE_BYTES = 1 << 17
_STOP_SECONDS = 30.0

Output = int | IO[Any] | None


class Request(NamedTuple):
    """The arguments of the interpreter, which begin with ``-m`` or ``-c``, and the environment."""

    arguments: list[str]
    environ: dict[str, str]


class WarmProgram:
    """The process that forks; started by the first command."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._server: subprocess.Popen[bytes] | None = None
        self._socket: socket.socket | None = None

    def start(
        self, arguments: Sequence[str], environ: Mapping[str, str], *, stdout: Output, stderr: Output
    ) -> WarmProcess:
        """Starts ``python ARGUMENTS`` in the folder of the project."""
        outputs = [_Output(stdout, 1), _Output(stderr, 2)]
        status, their_status = os.pipe()
        with self._lock:
            connection = self._connected()
            message = json.dumps(Request(list(arguments), dict(environ))).encode()
            socket.send_fds(connection, [message], [their_status, *(each.theirs for each in outputs)])
            pid = int(connection.recv(16))
        os.close(their_status)
        return WarmProcess(pid, status, *(each.ours() for each in outputs))

    def stop(self) -> None:
        """Ends the process and waits for it, so that its CPU time is that of the tests."""
        if self._server and self._socket:
            self._socket.close()
            self._server.wait(_STOP_SECONDS)
            self._server = self._socket = None

    def _connected(self) -> socket.socket:
        if self._socket is None:
            self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            command = [sys.executable, "-m", "tests.support.warm_program", str(theirs.fileno())]
            self._server = subprocess.Popen(command, cwd=ROOT, env={"PATH": os.defpath}, pass_fds=[theirs.fileno()])
            theirs.close()
            atexit.register(self.stop)
        return self._socket


WARM_PROGRAM = WarmProgram()
"""That of this process."""


def can_imitate(environ: Mapping[str, str], options: Mapping[str, object]) -> bool:
    """Whether a child can have this environment and these options of ``subprocess.Popen``.

    Other variables may be read at the start of an interpreter, as those of its locale are.
    """
    known = all(name in _NAMES or name.startswith("CATALOG_SYNC_") for name in environ)
    return known and options.keys() <= {"stdout", "stderr"}


class _Output:
    """A standard stream of a child: a new pipe, an open file, or the stream of this process."""

    def __init__(self, given: Output, inherited: int) -> None:
        self._reader: int | None = None
        self._is_new = given in {subprocess.PIPE, subprocess.DEVNULL}
        if given == subprocess.PIPE:
            self._reader, self.theirs = os.pipe()
        elif given == subprocess.DEVNULL:
            self.theirs = os.open(os.devnull, os.O_WRONLY)
        elif given is None:
            self.theirs = inherited
        else:
            self.theirs = given if isinstance(given, int) else given.fileno()

    def ours(self) -> IO[str] | None:
        """The end to read from, once the child has its own."""
        if self._is_new:
            os.close(self.theirs)
        return None if self._reader is None else os.fdopen(self._reader, encoding="utf-8")


def main(descriptor: int) -> None:
    """The process that forks, until the other end of the socket is closed. In a child: the program."""
    coerced_locale = {name: os.environ[name] for name in ("LC_CTYPE",) if name in os.environ}
    _import_everything()
    gc.collect()
    gc.freeze()  # so that a collection in a child copies no page of these objects
    request = _fork_for_each_request(socket.socket(fileno=descriptor))
    if request is not None:
        os.environ |= coerced_locale
        _end(_code_of(request))


def _import_everything() -> None:
    for package in map(importlib.import_module, ("sync", "models_db")):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not module.name.endswith(("__main__", "alembic_env")):
                importlib.import_module(module.name)
    for name in _LIBRARIES:
        importlib.import_module(name)


def _fork_for_each_request(connection: socket.socket) -> Request | None:
    """Returns in each child with its request, and in the end, without one, in the process that forks."""
    reader, writer = os.pipe()
    os.set_blocking(reader, False)
    os.set_blocking(writer, False)
    signal.set_wakeup_fd(writer)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    children: dict[int, int] = {}
    with selectors.DefaultSelector() as selector:
        selector.register(connection, selectors.EVENT_READ)
        selector.register(reader, selectors.EVENT_READ)
        while True:
            ready = {key.fileobj for key, _ in selector.select()}
            if reader in ready:
                os.read(reader, 4096)
                _report_ended(children, os.WNOHANG)
            if connection in ready:
                message, descriptors, _, _ = socket.recv_fds(connection, _MESSAGE_BYTES, 3)
                if not message:
                    break
                status, *outputs = descriptors
                pid = os.fork()
                if pid == 0:
                    request = Request(*json.loads(message))
                    _imitate_new_process(request, outputs)
                    return request
                children[pid] = status
                for each in outputs:
                    os.close(each)
                connection.send(str(pid).encode())
    _report_ended(children, 0)
    return None


def _report_ended(children: dict[int, int], options: int) -> None:
    while children:
        pid, status = os.waitpid(-1, options)
        if not pid:
            return
        descriptor = children.pop(pid)
        with suppress(BrokenPipeError):
            os.write(descriptor, str(os.waitstatus_to_exitcode(status)).encode())
        os.close(descriptor)


def _imitate_new_process(request: Request, outputs: Sequence[int]) -> None:
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    for number, descriptor in enumerate(outputs, 1):
        os.dup2(descriptor, number)
    os.closerange(3, 1024)
    os.environ.clear()
    os.environ.update(request.environ)
    time.tzset()
    sys.path[0] = str(ROOT) if request.arguments[0] == "-m" else ""
    cast(io.TextIOWrapper, sys.stdout).reconfigure(line_buffering=os.isatty(1))


def _code_of(request: Request) -> int:
    """The exit code of the interpreter."""
    try:
        _run(request)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:  # noqa: BLE001 # as the interpreter does at its end
        traceback.print_exc()
        return 1
    return 0


def _end(code: int) -> NoReturn:
    """Ends as the interpreter does, but without freeing every object, which would copy the whole memory."""
    threading._shutdown()  # type: ignore[attr-defined] # waits for threads
    atexit._run_exitfuncs()
    try:
        sys.stdout.flush()
    except OSError:
        code = 120
    with suppress(OSError):
        sys.stderr.flush()
    os._exit(code)


def _run(request: Request) -> None:
    kind, program, *arguments = request.arguments
    sys.argv = [kind, *arguments]
    if kind == "-m":
        runpy.run_module(program, run_name="__main__", alter_sys=True)
    else:
        exec(compile(program, "<string>", "exec"), {"__name__": "__main__"})


if __name__ == "__main__":
    main(int(sys.argv[1]))
