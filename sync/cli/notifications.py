"""The notify file for commands, and sending after a run."""

from __future__ import annotations

import os
import random
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from sync import settings
from sync.cli.options import now
from sync.cli.process.waiting import pause_until
from sync.errors import Interrupted, UsageError

if TYPE_CHECKING:
    from sync.notify.destinations import Destination
    from sync.notify.notifier import Notified, Notifying
    from sync.store.database import Database

NOTIFY_FILE = settings.PREFIX + "NOTIFY_FILE"
SECONDS_AFTER_RUN = 30.0
"""How long a command that syncs goes on for messages, at most."""
_DATABASE_SECONDS = 10.0  # likewise, for a database that fails right after the run
_END_SECONDS = 2.0
_TICK_SECONDS = 0.2  # how soon the end of a process or of the command is seen
_PROCESS_SECONDS = 180.0  # to start, and to send for SECONDS_AFTER_RUN; less than a claim
_PROGRAM = "import sys; sys.path.append(sys.argv[1]); from sync.cli.notifications import process_main; process_main()"
_MOST_MISTAKES = 10


def file_if(path: Path | None, *, wanted: bool) -> Path | None:
    """The path of the notify file if messages are wanted. Raises as ``require_named``."""
    return require_named(path) if wanted else None


def require_named(path: Path | None) -> Path:
    """The path of the notify file. Raises ``UsageError`` if none is named."""
    if path is None or not str(path).strip() or str(path) == ".":
        raise UsageError(f"there is no notify file; set {NOTIFY_FILE} to the file with the destinations")
    return path


def read_destinations(path: Path) -> tuple[Destination, ...]:
    """The destinations of a notify file. Raises ``UsageError``, which names each mistake and quotes no URL."""
    from sync.notify.destinations import parse_notify_file

    path = settings.expanded(str(path), "notify file", NOTIFY_FILE)
    found = parse_notify_file(_private_text(path, os.environ, "notify file", NOTIFY_FILE))
    if found.mistakes:
        more = len(found.mistakes) - _MOST_MISTAKES
        mistakes = [*found.mistakes[:_MOST_MISTAKES], *([f"and {more} more mistakes"] if more > 0 else [])]
        raise UsageError(f"the notify file {path} is refused: {'; '.join(mistakes)}; correct it")
    return found.destinations


def _private_text(path: Path, environ: Mapping[str, str], thing: str, setting: str) -> str:
    """The text of a regular file. It is read again at each run, and a pipe would wait for its writer."""
    with suppress(OSError, ValueError):
        if not stat.S_ISREG(mode := path.stat().st_mode) and not stat.S_ISDIR(mode):
            raise UsageError(f"the {thing} {path} is refused: it is not a regular file; correct {setting}")
    text = settings.private_text(path, environ, thing, setting)
    if len(text) > settings.MOST_CHARACTERS:
        limit = settings.MOST_CHARACTERS
        raise UsageError(f"the {thing} {path} is refused: it is longer than {limit} characters; correct {setting}")
    return text


def require_apprise() -> None:
    """Raises ``UsageError`` where the extra is not installed."""
    from importlib.util import find_spec

    if find_spec("apprise") is None:
        raise UsageError(
            "messages need the library Apprise, which is not installed; run pip install 'catalog-sync[notify]'"
        )


def notifying(
    path: Path, stop: threading.Event, seconds: float, *, even_if_it_waits: bool = False, silent: bool = False
) -> Notifying:
    """What sending needs. The process that sends gets no setting of this one."""
    from sync.notify.notifier import Notifying

    environ = {name: value for name, value in os.environ.items() if not name.startswith(settings.PREFIX)}
    return Notifying(
        clock=now,
        environ=environ,
        stop=stop,
        pause=pause_until(stop, silent=silent),
        seconds=seconds,
        url_of=_url_reader(path, os.environ),
        rng=random.Random(),  # noqa: S311  # no secret
        even_if_it_waits=even_if_it_waits,
    )


def _url_reader(path: Path, environ: Mapping[str, str]) -> Callable[[Destination], str]:
    def url_of(destination: Destination) -> str:
        from sync.notify.delivery import DeliveryFailed
        from sync.notify.destinations import is_url

        if destination.url is not None:
            return destination.url
        file = path.expanduser().parent / Path(destination.url_file or "").expanduser()
        try:
            url = _private_text(file, environ, "url_file", "url_file").strip()
        except UsageError as error:
            raise DeliveryFailed(str(error)) from error
        if not is_url(url):
            raise DeliveryFailed(f"the url_file {file} holds no URL")
        return url

    return url_of


def send_after_run(catalog: Database, path: Path, stop: threading.Event, *, ran: bool = True) -> str | None:
    """Sends what is new after a run; the warning line if something failed. It never raises.

    Where the command did not even run (``ran``), its own line says what is wrong with the database.
    """
    from sync.cli.process.messages import describe_error

    try:
        from sync.notify.notifier import notify_all

        destinations = read_destinations(path)
        require_apprise()
        needs = notifying(path, stop, SECONDS_AFTER_RUN, silent=True)
        with replace(catalog, timeout=min(catalog.timeout, _DATABASE_SECONDS), pause=needs.pause).opened() as engine:
            results = notify_all(engine, destinations, needs)
    except Interrupted:
        return None
    except Exception as error:  # noqa: BLE001  # the run is stored, whatever happens to a message about it
        return f"messages were not sent: {describe_error(error)[1]}" if ran else None
    return _warning([each for each in results if each.was_tried and each.error and not stop.is_set()])


def _warning(failed: list[Notified]) -> str | None:
    if not failed:
        return None
    names = ", ".join(f"{each.name}: {each.error}" for each in failed)
    return f"messages were not sent to {names}; they are sent again later, see catalog-sync notify"


def send_in_process(database_url: str, path: Path, stop: threading.Event) -> str | None:
    """``send_after_run`` in a process of its own, beside the runs of a schedule.

    Not in this one: a run and what sends share no connection, no memory and no lock then, and stopping the schedule
    stops it whatever it does.
    """
    settings_of_process = {settings.PREFIX + "DATABASE_URL": database_url, NOTIFY_FILE: str(path)}
    process = subprocess.Popen(  # noqa: S603  # this program's own module
        [sys.executable, "-P", "-c", _PROGRAM, str(Path(__file__).resolve().parents[2])],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, **settings_of_process},
        text=True,
    )
    ends_at = time.monotonic() + _PROCESS_SECONDS
    while process.poll() is None:
        if stop.wait(_TICK_SECONDS) or time.monotonic() > ends_at:
            process.kill()
    out, _ = process.communicate()
    if stop.is_set():
        return None
    return out.strip() or ("messages were not sent: the process that sends ended early" if process.returncode else None)


def process_main() -> None:
    """The body of that process: prints the warning line, if there is one."""
    from sync.cli.composition import database

    path = Path(os.environ[NOTIFY_FILE])
    catalog = database(os.environ[settings.PREFIX + "DATABASE_URL"], silent=True)
    if warning := send_after_run(catalog, path, threading.Event()):
        sys.stdout.write(warning)


class BackgroundSender:
    """Sends after the runs of a schedule beside them, so that no run waits for a slow destination."""

    def __init__(
        self, send: Callable[[], str | None] | None, warn: Callable[[str], None], stop: threading.Event
    ) -> None:
        """``send`` returns a warning line or None, which ``warn`` prints; without ``send`` nothing happens."""
        self._send, self._warn, self._stop = send or (lambda: None), warn, stop
        self._wanted = threading.Event()
        self._thread = threading.Thread(target=self._work, daemon=True, name="notify after runs")
        if send is not None:
            self._thread.start()

    def wake(self) -> None:
        """Sends soon; while it sends already, once more after that."""
        self._wanted.set()

    def end(self) -> None:
        """Waits a moment for what is being written; called after ``stop`` was set."""
        self._wanted.set()
        if self._thread.is_alive():
            self._thread.join(_END_SECONDS)

    def _work(self) -> None:
        while True:
            self._wanted.wait()
            self._wanted.clear()
            if self._stop.is_set():
                return
            if warning := self._send():
                self._warn(warning)
