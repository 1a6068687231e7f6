"""What the fetch of a run gave: the response of each mode, parsed, or why there is none that can be used."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from sync.catalog.response.parse import ParseLimits, parse_response
from sync.catalog.response.parsed import ParsedResponse
from sync.catalog.times import is_older_copy
from sync.errors import CatalogSyncError
from sync.run.archive import Keeper
from sync.run.clock_check import require_clocks_agree, require_fresh, time_notes
from sync.run.result import ModeFetch
from sync.source.http.results import Fetched, FetchFailed
from sync.store import read


class FetchedModes(Struct, frozen=True):
    """The outcome of the fetch, not yet compared with the database."""

    fetches: tuple[ModeFetch, ...]
    observed_at: datetime | None
    """When the last response had arrived; None when none did."""

    @property
    def responses(self) -> dict[str, ParsedResponse]:
        return {fetch.mode: fetch.response for fetch in self.fetches if fetch.response and not fetch.error}

    def older_copies(self, states: Mapping[str, read.ModeState]) -> frozenset[str]:
        """The modes for which a cache sent a copy that is older than the last good observation."""
        return frozenset(
            fetch.mode
            for fetch in self.fetches
            if fetch.asked_at and is_older_copy(fetch.asked_at, fetch.age, states[fetch.mode].last.good_asked_at)
        )


def fetched_modes(
    outcomes: Mapping[str, Fetched | FetchFailed], limits: ParseLimits, keeper: Keeper | None = None
) -> FetchedModes:
    """Parses the responses, and keeps them in the archive if there is one.

    Raises ``UsageError`` when the host's clock differs from the API's, and what ``Keeper.keep`` raises.
    """
    responses = [outcome for outcome in outcomes.values() if isinstance(outcome, Fetched)]
    require_clocks_agree(responses)
    # All modes carry one time, that of the last arrival: nothing that the run stores was received later.
    observed_at = max((response.arrived_at for response in responses), default=None)
    fetches = tuple(_parse(outcome, limits) for outcome in outcomes.values())
    if keeper is not None:
        keeper.keep(outcomes, fetches, observed_at)
    return FetchedModes(fetches, observed_at)


def _parse(outcome: Fetched | FetchFailed, limits: ParseLimits) -> ModeFetch:
    fetch = ModeFetch(outcome.mode, outcome.asked_at, outcome.attempts, outcome.http_status, age=outcome.age)
    if isinstance(outcome, FetchFailed):
        return replace(fetch, error=outcome.error)
    fetch = replace(fetch, notes=tuple(time_notes(outcome)))
    try:
        require_fresh(outcome)
        return replace(fetch, response=parse_response(outcome.body, outcome.mode, limits, outcome.headers))
    except CatalogSyncError as error:
        return replace(fetch, error=error, payload=outcome.body)
