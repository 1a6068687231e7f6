"""One sync as a call."""

from __future__ import annotations

import os
import random
import threading
import traceback
from collections.abc import Callable, Collection, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Literal

from sync.api.call import Call, checked_call
from sync.api.limits import Limits
from sync.api.result import SyncResult, result_of_failure, result_of_run, result_of_skipped
from sync.catalog.modes import MODES
from sync.composition.masking import masker
from sync.composition.sync_parts import sync_dependencies
from sync.errors import CatalogSyncError

if TYPE_CHECKING:
    from sync.run import RunResult


def sync_once(  # noqa: PLR0913  # each is an option of the command, or what the command takes from its process
    database_url: str,
    *,
    api_key: str | None = None,
    base_url: str | None = None,
    modes: Collection[str] = MODES,
    dry_run: bool = False,
    accept_removals: int | Literal["all"] | None = None,
    accept_costs: int | Literal["all"] | None = None,
    accept_base_url: bool = False,
    by: str | None = None,
    why: str | None = None,
    archive: str | os.PathLike[str] | None = None,
    limits: Limits | None = None,
    catalog_id: str | None = None,
    trigger: Literal["cli", "schedule"] = "cli",
    tick: timedelta | datetime | None = None,
    cancel: threading.Event | None = None,
    environ: Mapping[str, str] | None = None,
    clock: Callable[[], datetime] | None = None,
    rng: random.Random | None = None,
) -> SyncResult:
    """Fetch the catalog once, store what changed, and return the result, whatever it is.

    What ``catalog-sync sync`` turns into an exit code is in ``SyncResult.outcome`` and not raised: a key that the API
    refuses, a setting that cannot be used, an unreachable API or database, a catalog that was never made, something
    held back, an unexpected error. Only a wrong call raises: ``TypeError`` for an argument of another type,
    ``ValueError`` for a mode that is none, a number out of range, a clock without a time zone, an acceptance without
    ``by``. ``KeyboardInterrupt`` passes through.

    - ``database_url`` is ``sqlite:///FILE``, ``postgresql://...`` or ``mariadb://...``. The driver of PostgreSQL reads
      the ``PG*`` variables and the password file by itself.
    - ``api_key`` and ``base_url`` are those of the Partner API; ``modes`` is what to fetch.
    - ``dry_run`` fetches and compares, and writes nothing at all: ``SyncResult.changes`` is what would be stored.
    - ``accept_removals`` and ``accept_costs`` accept what is held back: the number that the result named, or ``"all"``.
    - ``accept_base_url`` accepts another base URL than that of the last sync.
    - ``by`` says who accepts, and ``why``: both are recorded with the run.
    - ``archive`` is a folder in which each distinct response is kept before anything of it is stored.
    - ``limits`` are the other settings of the command.
    - ``catalog_id`` is the id that the catalog in the database must have.
    - ``trigger`` is recorded with the run: ``"schedule"`` for one that a scheduler started.
    - ``tick`` makes one sync of any number of callers, on any hosts, that have the same modes and the same tick: its
      scheduled time, or the span between two, as of ``sync --tick``. The others get the status ``skipped``, with the
      outcome ``done``. A sync that fails keeps its tick, but for the outcome ``usage``.
    - ``cancel`` ends the sync soon after it is set, with the outcome ``interrupted``: nothing is stored then. A sync
      that is storing already ends as usual.
    - ``environ``, such as ``os.environ``, is where arguments that are None are read from: ``CATALOG_SYNC_API_KEY`` or
      ``CATALOG_SYNC_API_KEY_FILE``, ``CATALOG_SYNC_BASE_URL``, ``CATALOG_SYNC_ARCHIVE``, ``CATALOG_SYNC_CATALOG_ID``
      and those of ``Limits``. Requests then use the proxies and the CA bundle of the process's environment too.
      Without ``environ`` nothing is read from there.
    - ``clock`` gives the time, by default that of this host; ``rng`` gives the jitter of retries.
    """
    call = checked_call(
        database_url=database_url,
        api_key=api_key,
        base_url=base_url,
        modes=modes,
        dry_run=dry_run,
        accept_removals=accept_removals,
        accept_costs=accept_costs,
        accept_base_url=accept_base_url,
        by=by,
        why=why,
        archive=archive,
        limits=limits,
        catalog_id=catalog_id,
        trigger=trigger,
        tick=tick,
        cancel=cancel,
        environ=environ,
        clock=clock,
        rng=rng,
    )
    mask, begun = masker(call.settings), list[int]()
    try:
        result = _run(call, begun.append)
        return result_of_skipped(call.tick) if result is None else result_of_run(result, mask, dry_run=dry_run)
    except CatalogSyncError as error:
        return result_of_failure(error, begun, mask, dry_run=dry_run)
    except Exception as error:  # noqa: BLE001  # the command ends with exit code 1; here the value says so
        unexpected = CatalogSyncError(f"unexpected error: {type(error).__name__}: {error}; report the traceback")
        where = mask("".join(traceback.format_exception(error)))
        return result_of_failure(unexpected, begun, mask, dry_run=dry_run, traceback=where)


def _run(call: Call, began: Callable[[int], object]) -> RunResult | None:
    from msgspec.structs import replace

    from sync.run.source_check import Acceptance
    from sync.run.ticks import run_sync_of_tick
    from sync.store.database import Database

    # Before the database is opened: with a wrong setting nothing is recorded.
    values, around = call.api_settings(), call.surroundings()
    dependencies = sync_dependencies(
        values,
        around,
        modes=call.modes,
        trigger_kind=call.trigger,
        accept_removals=call.accept_removals,
        accept_costs=call.accept_costs,
        acceptance=Acceptance(call.accept_base_url, call.by, call.why),
        tick=call.tick,
    )
    catalog = Database(call.database_url, call.used_limits().database_timeout, around.pause, call.wanted_catalog())
    with catalog.opened(reads_only=call.dry_run) as engine:
        return run_sync_of_tick(engine, replace(dependencies, on_begin=began), dry_run=call.dry_run)
