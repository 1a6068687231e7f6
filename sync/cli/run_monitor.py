"""Reports runs to the programs that watch them: a file with metrics, and pings. Neither can fail a run."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from sync import __version__
from sync.cli import options
from sync.cli.composition import database
from sync.cli.process.messages import describe_error
from sync.errors import CatalogSyncError, DatabaseError, Interrupted, Outcome, OutputNotWritten, UsageError
from sync.metrics.ping_url import PingUrl

if TYPE_CHECKING:
    from sync.catalog.checkpoint import Checkpoint
    from sync.cli.monitor_options import Address
    from sync.metrics.ping import Ping
    from sync.store.database import Database

_DATABASE_SECONDS = 5.0
"""For how long metrics wait for the database: the run has waited for it already, and a scrape ends after 10 s."""
_FILE_BEGIN = b"# HELP catalog_sync_"


class MetricsSource:
    """The metrics of a catalog as text, read from its database whenever it is asked for."""

    def __init__(self, catalog: Database) -> None:
        self._catalog = replace(catalog, timeout=min(catalog.timeout, _DATABASE_SECONDS))

    def read(self) -> bytes:
        """The text. Raises ``DatabaseError``, and ``UsageError`` for a catalog or an installation that cannot do it."""
        from sync.metrics.extra import require_library

        require_library()
        from sync.metrics.exposition import exposition
        from sync.store.metrics import read_metrics

        metrics = self._catalog.read(lambda connection: read_metrics(connection, options.now()))
        return exposition(metrics, __version__)


@contextmanager
def served_metrics(address: Address | None, catalog: Database, mask: Callable[[str], str]) -> Iterator[None]:
    """Serves the metrics of the catalog until the end of the with statement, if there is an address.

    Raises ``UsageError`` if it cannot be used, or if the library is not installed.
    """
    if address is None:
        yield
        return
    from sync.metrics.extra import require_library
    from sync.metrics.http_server import Unavailable, metrics_server

    require_library()
    source = MetricsSource(catalog)

    def read() -> bytes:
        try:
            return source.read()
        except CatalogSyncError as error:
            raise Unavailable(mask(str(error))) from error
        except Exception as error:  # a scrape must not print a traceback
            raise Unavailable(mask(f"unexpected error: {type(error).__name__}: {error}")) from error

    with metrics_server(address.host, address.port, read):
        yield


class RunMonitor:
    """Reports one run after another. Its methods return what failed, as a text for a line, and never raise."""

    def __init__(
        self,
        *,
        metrics_file: Path | None,
        ping_url: PingUrl | None,
        database_url: str,
        stop: threading.Event,
        mask: Callable[[str], str],
    ) -> None:
        """Nothing is written after ``stop`` was set, and no ping delays the end by more than its own time."""
        self._file, self._url, self._stop, self._mask = metrics_file, ping_url, stop, mask
        self._source: MetricsSource | None = None
        with suppress(UsageError):  # the run ends with the same error, which is pinged like any other
            self._source = MetricsSource(database(database_url, stop, silent=True)) if metrics_file else None
        self._start: Ping | None = None
        self._is_reported = False
        self.run_id: int | None = None
        """The run that was reported last, or that is active; None before its row is stored."""

    def began(self, run_id: int) -> None:
        """A run began. Its ping is sent while the run goes on."""
        self.run_id = run_id
        if self._url is not None:
            from sync.metrics.ping import Ping

            self._start = Ping(self._url, "start")

    def ended(self, outcome: Outcome, text: str, checkpoint: Checkpoint | None = None) -> str | None:
        """A run ended: sends its ping, then writes the file. ``text`` is its line, or lines."""
        self._is_reported = True
        failures = [self._ping(outcome, text, checkpoint), self._write(text)]
        return "; also: ".join(filter(None, failures)) or None

    def skipped(self) -> str | None:
        """A run was not made, since another process makes it. The file is written, since its age says who is alive."""
        self._is_reported = True
        return self._write("")

    @contextmanager
    def failures(self, *, with_stops: bool = True) -> Iterator[None]:
        """For one run: reports an exception as its end, if that is not reported yet, and raises it again.

        What fails meanwhile is added to the line of the error. ``with_stops`` says whether a run that a signal ended
        is reported too.
        """
        self._is_reported, self.run_id, self._start = False, None, None
        try:
            yield
        except Exception as error:
            if not self._is_reported and (with_stops or not isinstance(error, Interrupted)):
                outcome, text = describe_error(error)
                warning = self.ended(outcome, self._mask(text))
                if warning and isinstance(error, CatalogSyncError):
                    error.args = (f"{error}; also: {warning}",)
            raise

    def _ping(self, outcome: Outcome, text: str, checkpoint: Checkpoint | None) -> str | None:
        if self._url is None:
            return None
        from sync.metrics.ping import Ping

        started, self._start = self._start, None
        # In this order, also where the first one is slow: "start" after the end would be a run that hangs.
        first = started.failure(self._stop) if started else None
        body = f"{text}\n\n{checkpoint.text()}" if checkpoint else f"{text}\n"
        last = Ping(self._url, str(int(outcome)), body).failure()
        if first is None and last is None:
            return None
        which = "the ping" if first is None or last is None else "both pings"
        return self._mask(
            f"{which} to {self._url.server} failed: {last or first}; check the ping URL and the network, the run is not"
            " affected"
        )

    def _write(self, text: str) -> str | None:
        """Writes the file, unless the process is to end: the file of the run before stays then."""
        if self._file is None or self._source is None or self._stop.is_set():
            return None
        from sync.cli.process.replaced_file import replace_file

        try:
            replace_file(self._file, self._source.read(), _FILE_BEGIN)
        except Interrupted:
            return None
        except (DatabaseError, UsageError) as error:
            reason = self._mask(str(error))
            return f"{self._file} was not written, and keeps what it had{'' if reason in text else f': {reason}'}"
        except OutputNotWritten as error:
            return f"{error}; the metrics are those of an earlier run, or missing: check the path and the disk"
        except Exception as error:  # noqa: BLE001  # metrics must never fail a run
            return self._mask(f"{self._file} was not written: unexpected error: {type(error).__name__}: {error}")
        return None
