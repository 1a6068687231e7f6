"""What a run gives to the archive of responses before it stores anything."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from msgspec import Struct

from sync.catalog.times import is_older_copy
from sync.errors import CatalogSyncError
from sync.run.messages import joined_message
from sync.run.result import ModeFetch
from sync.source import MODELS_PATH
from sync.source.archive.record import Received, ReceivingRun
from sync.source.http.results import Fetched, FetchFailed


class Archive(Protocol):
    """Where responses are kept."""

    def keep(self, run: ReceivingRun, responses: Sequence[Received]) -> None:
        """Keeps the responses, or raises a ``CatalogSyncError``."""


OLDER_COPY = "older_copy"
"""The error of a response that a cache had kept since before the last successful sync of the mode."""


class Keeper(Struct, frozen=True):
    """Keeps the responses of one run. ``good_asked_at`` is that of each mode before the run."""

    archive: Archive
    catalog_id: str | None
    run_id: int
    app_version: str
    base_url: str | None
    good_asked_at: Mapping[str, datetime | None]

    def keep(
        self,
        outcomes: Mapping[str, Fetched | FetchFailed],
        fetches: Iterable[ModeFetch],
        observed_at: datetime | None,
    ) -> None:
        """Keeps what was fetched; ``fetches`` have the errors, ``observed_at`` is the time of the run's observation.

        Raises an error of the archive; its line names the errors of the responses too.
        """
        errors = {fetch.mode: fetch.error for fetch in fetches}
        responses = [self._received(outcome, errors[mode]) for mode, outcome in outcomes.items()]
        at = observed_at or max(_arrivals(responses), default=None)
        if at is None:
            return
        try:
            self.archive.keep(ReceivingRun(self.catalog_id, self.run_id, at, self.app_version), responses)
        except CatalogSyncError as error:
            if also := joined_message((mode, failed) for mode, failed in errors.items() if failed):
                error.args = (f"{error}; also: {also}",)
            raise

    def _received(self, outcome: Fetched | FetchFailed, error: CatalogSyncError | None) -> Received:
        return Received(
            mode=outcome.mode,
            body=outcome.body,
            http_status=outcome.http_status,
            headers=outcome.headers,
            asked_at=outcome.asked_at,
            received_at=outcome.arrived_at,
            url=f"{(self.base_url or '').rstrip('/')}{MODELS_PATH}?mode={outcome.mode}",
            is_catalog=isinstance(outcome, Fetched),
            error=_error(outcome, error, self.good_asked_at.get(outcome.mode)),
        )


def _arrivals(responses: Iterable[Received]) -> Iterator[datetime]:
    return (response.received_at for response in responses if response.received_at is not None)


def _error(outcome: Fetched | FetchFailed, error: CatalogSyncError | None, last: datetime | None) -> str | None:
    if error is not None:
        return error.outcome.label
    # The run takes it only if it changes nothing, and an import would not know that it is old.
    is_older = outcome.asked_at is not None and is_older_copy(outcome.asked_at, outcome.age, last)
    return OLDER_COPY if is_older else None
