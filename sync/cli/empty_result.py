"""Why a command found nothing: never synced, before the history, a reversed period, a name that is nowhere."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sync.catalog.similar import MAX_SUGGESTIONS, did_you_mean, similar
from sync.catalog.text import one_line

if TYPE_CHECKING:
    from sync.cli.which_catalog import WhichCatalog
    from sync.store.database import Connection
    from sync.store.queries import Filter


def why_no_models(
    connection: Connection, which: WhichCatalog, mode: str | None, provider: str | None, as_of: datetime | None
) -> str:
    """Why ``models`` lists nothing with these options."""
    from sync.store import catalog_facts

    reason = _never_synced(which) or _before_history(connection, mode, as_of, "--as-of", is_end=False)
    if not reason and provider is not None and as_of is None:
        pairs = catalog_facts.current_providers(connection)
        reason = _no_provider(provider, mode, pairs)
        if provider not in {name for _, name in pairs} and provider in catalog_facts.past_providers(connection):
            reason = f"provider {provider!r} lists no model now; --as-of shows the catalog at an earlier time"
    elif not reason and provider is not None:
        reason = _no_name("provider", provider, catalog_facts.past_providers(connection))
        reason = reason or f"provider {provider!r} listed no model{_in_mode(mode)} at that time"
    when = "is listed now" if as_of is None else "was listed at that time"
    return f"nothing found: {reason or f'no model{_in_mode(mode)} {when}'}"


def why_no_changes(connection: Connection, which: WhichCatalog, filters: Filter) -> str:
    """Why ``changes`` lists nothing with these options."""
    reason = (
        _reversed_period(filters.since, filters.until)
        or _never_synced(which)
        or _before_history(connection, filters.mode, filters.until, "--until", is_end=True)
        or _after_history(connection, filters.since)
        or next(_unknown_names(connection, filters), None)
    )
    return f"nothing found: {reason or f'no change matches {_given(filters)}'}"


def why_no_answer(connection: Connection, which: WhichCatalog, values: Mapping[str, object]) -> str:
    """Why a question, asked with these values of its parameters, has no answer."""
    from sync.store.model_queries import all_ids

    since, until, model = (str(values.get(name, "")) for name in ("since", "until", "model"))
    reason = _never_synced(which)
    if not reason and since and until and since >= until:  # both are days, or both times, and written alike
        reason = f"the period is empty: --since {_moment(since)} is not before --until {_moment(until)}"
    for name in ("at", "until"):
        if not reason and name in values:
            moment = datetime.fromisoformat(str(values[name])).replace(tzinfo=UTC)
            reason = _before_history(connection, None, moment, f"--{name}", is_end=name == "until")
    if not reason and model:
        reason = _no_name("model", one_line(model), all_ids(connection))
    used = one_line(", ".join(f"--{name} {_moment(str(value))}" for name, value in values.items()))
    return f"nothing found: {reason}" if reason else "nothing found" + (f" with {used}" if used else "")


def never_synced_text(mode: str | None = None) -> str:
    """What is wrong with a catalog, or a mode of it, that has no successful sync."""
    what = f"mode {mode} has" if mode else "this catalog has"
    return f"{what} no successful sync yet; run catalog-sync sync"


def _never_synced(which: WhichCatalog) -> str | None:
    if any(which.last_successes.values()):
        return None
    return never_synced_text(next(iter(which.last_successes)) if len(which.last_successes) == 1 else None)


def _before_history(
    connection: Connection, mode: str | None, moment: datetime | None, flag: str, *, is_end: bool
) -> str | None:
    from sync.store.catalog_facts import first_observed

    begin = first_observed(connection, mode)
    if moment is None or begin is None or moment > begin or (moment == begin and not is_end):
        return None
    return f"the history{_in_mode(mode)} begins at {_time(begin)}; {flag} is {_time(moment)}"


def _after_history(connection: Connection, since: datetime | None) -> str | None:
    from sync.store.catalog_facts import last_changed

    newest = last_changed(connection)
    if since is None or newest is None or since <= newest:
        return None
    return f"the newest change was observed at {_time(newest)}; --since is {_time(since)}"


def _reversed_period(since: datetime | None, until: datetime | None) -> str | None:
    if since is None or until is None or since < until:
        return None
    return f"the period is empty: --since {_time(since)} is not before --until {_time(until)}"


def _unknown_names(connection: Connection, filters: Filter) -> Iterator[str]:
    """What no change has, of the names among the filters."""
    from sync.store import catalog_facts, model_queries
    from sync.store.change_feed import is_pattern, matches_pattern

    if filters.provider is not None:
        yield from filter(None, [_no_name("provider", filters.provider, catalog_facts.past_providers(connection))])
    for name, wanted, known in (
        ("model", filters.model, model_queries.all_ids),
        ("field", filters.field, catalog_facts.changed_fields),
    ):
        if wanted is None:
            continue
        names = known(connection)
        if not is_pattern(wanted):
            yield from filter(None, [_no_name(name, wanted, names)])
        elif not any(matches_pattern(each, wanted) for each in names):
            folded = [each for each in names if matches_pattern(each.lower(), wanted.lower())]
            hint = did_you_mean(folded[:MAX_SUGGESTIONS]) if folded else "patterns are case-sensitive"
            yield f"no {name} matches {wanted!r}; {hint}"


def _no_provider(provider: str, mode: str | None, pairs: Sequence[tuple[str, str]]) -> str | None:
    """Why a provider lists nothing now."""
    modes = sorted(each for each, name in pairs if name == provider)
    if modes:
        return f"provider {provider!r} has no model{_in_mode(mode)}, but in mode {' and '.join(modes)}"
    return _no_name("provider", provider, sorted({name for _, name in pairs}))


def _no_name(what: str, name: str, names: Sequence[str]) -> str | None:
    """That there is no such name, with the nearest ones; None if there is."""
    if name in names:
        return None
    found = similar(name, names)
    return f"there is no {what} {name!r}" + (f"; {did_you_mean(found)}" if found else "")


def _given(filters: Filter) -> str:
    """The filters that were given, as options."""
    given = {
        "--since": filters.since and _time(filters.since),
        "--until": filters.until and _time(filters.until),
        "--mode": filters.mode,
        "--provider": filters.provider,
        "--model": filters.model,
        "--kind": " or ".join(filters.kinds) or None,
        "--entity": " or ".join(filters.entities) or None,
        "--field": filters.field,
        "--min-pct": None if filters.min_percent is None else f"{filters.min_percent:g}",
    }
    return " and ".join(f"{flag} {value}" for flag, value in given.items() if value is not None) or "these options"


def _moment(text: str) -> str:
    return text.removesuffix(":00.000000")


def _in_mode(mode: str | None) -> str:
    return f" of mode {mode}" if mode else ""


def _time(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"
