"""Events as a message: a title, lines and what stands below them. Pure.

Titles have words of this program alone. Texts from the catalog stand in the lines, in one line each and cut; the
markup of the channel is escaped where the message is sent (``fitting``).
"""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta

from msgspec import Struct

from sync.catalog.checkpoint import Checkpoint
from sync.catalog.news import Event
from sync.catalog.text import one_line
from sync.notify.destinations import KINDS
from sync.show.values import format_count, format_duration, format_percent

MOST_LINES = 60
"""Events in one message; of more their number is said, and the command that prints them."""
_NAME_LIMIT = 100  # characters
_REASON_LIMIT = 500
_WORDS = {
    "increase": "cost increase",
    "decrease": "cost decrease",
    "added": "model added",
    "removed": "model removed",
    "relisted": "model relisted",
    "cost_set": "cost set",
    "cost_unset": "cost unset",
    "changed": "other change",
    "held": "held back",
    "failed": "sync failed",
    "rejected": "model rejected",
    "recovered": "sync recovered",
    "stale": "no successful sync",
}
_UNCOUNTED = ("held back", "sync failed", "sync recovered", "no successful sync", "cost set", "cost unset")


class Message(Struct, frozen=True):
    """What a channel gets. Lines may be left out from the end where the channel takes less."""

    title: str
    lines: tuple[str, ...]
    total: int
    """The number of events, which may be more than lines."""
    more: str
    """The command that prints all of them."""
    below: tuple[str, ...]
    """Run, checkpoint and how to look further."""


def message_of(events: Sequence[Event], checkpoint: Checkpoint | None) -> Message:
    """The message about these events, at least one."""
    lines = tuple(event_line(event) for event in events[:MOST_LINES])
    further = _further(events)
    below = (*_runs_line(events), *_checkpoint_line(checkpoint), f"Look further: {further}")
    return Message(_title(events), lines, len(events), further, below)


def test_message(name: str) -> Message:
    """What ``notify --test`` sends."""
    lines = (f"The destination {name} works: this is a test of catalog-sync notify.",)
    return Message("catalog-sync: test message", lines, 1, "catalog-sync status", ("Nothing happened in the catalog.",))


test_message.__test__ = False  # type: ignore[attr-defined]  # the name begins like that of a test


def _title(events: Sequence[Event]) -> str:
    counts = Counter(event.kind for event in events)
    parts = [_counted(_WORDS[kind], counts[kind]) for kind in KINDS if counts[kind]]
    runs = sorted({event.run_id for event in events if event.run_id is not None})
    of_run = "" if not runs else f" (run {runs[0]})" if len(runs) == 1 else f" (runs {runs[0]} to {runs[-1]})"
    return f"catalog-sync: {', '.join(parts)}{of_run}"


def _counted(words: str, number: int) -> str:
    if number == 1 or words in _UNCOUNTED:
        return words
    plural = words.replace("model ", "models ") if words.startswith("model ") else f"{words}s"
    return f"{number:,} {plural}"


def event_line(event: Event) -> str:
    """An event in one line of text from the catalog and of this program."""
    if event.model_id is None or event.kind not in _OF_MODELS:
        return _run_line(event)
    parts = [f"{event.mode} {_model(event)}: {event.kind}"]
    if event.kind == "changed":
        parts.append(f"{_text(event.field)}: {_text(event.old_value)} -> {_text(event.new_value)}")
    elif event.kind == "rejected":
        parts.append(one_line(event.reason or "", _REASON_LIMIT))
    else:
        parts.append(_costs(event))
    return f"{' '.join(parts)}; {_seen(event)}"


_OF_MODELS = frozenset(KINDS) - {"held", "failed", "recovered", "stale"}


def _run_line(event: Event) -> str:
    mode = event.mode or "image and video"
    if event.kind == "stale":
        since = f" since {_time(event.seen_at)}" if event.seen_at else ""
        return f"{mode}: no successful sync{since}{f', for {_long(event.gap)}' if event.gap else ''}"
    if event.kind == "recovered":
        after = f" after {event.reason}" if event.reason else ""
        gap = f", {_long(event.gap)} after the last successful one" if event.gap else ""
        return f"{mode}: run {event.run_id} succeeded{after}{gap}"
    words = {"held": "held back", "failed": "failed", "rejected": "rejected a model without a readable id"}[event.kind]
    return f"{mode}: run {event.run_id} {words}: {one_line(event.reason or '', _REASON_LIMIT)}"


def _model(event: Event) -> str:
    named = [each for each in (event.model_name, event.provider) if each]
    model_id = one_line(event.model_id or "", 255)
    shown = [one_line(each, _NAME_LIMIT) for each in named if each != event.model_id]
    return f"{model_id} ({', '.join(shown)})" if shown else model_id


def _costs(event: Event) -> str:
    if event.old_cost is None and event.new_cost is None:
        return "without a cost"
    percent = format_percent(event.percent)
    change = f"{event.old_cost or 'none'} -> {event.new_cost or 'none'} credits"
    return f"{change} ({percent} %)" if percent else change


def _text(value: str | None) -> str:
    return "none" if value is None else one_line(value, _NAME_LIMIT)


def _seen(event: Event) -> str:
    if event.not_before is None:
        return f"seen at {_time(event.seen_at)}" if event.seen_at else "seen at an unknown time"
    return f"seen between {_time(event.not_before)} and {_time(event.seen_at)}"


def _time(moment: datetime | None) -> str:
    return "" if moment is None else f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def _long(gap: timedelta) -> str:
    return format_duration(gap)


def _runs_line(events: Iterable[Event]) -> Iterator[str]:
    runs = sorted({event.run_id for event in events if event.run_id is not None})
    if runs:
        yield f"Run {runs[0]}" if len(runs) == 1 else f"{format_count(len(runs), 'run')}, {runs[0]} to {runs[-1]}"


def _checkpoint_line(checkpoint: Checkpoint | None) -> Iterator[str]:
    if checkpoint is not None:
        seals = format_count(checkpoint.tree_size, "seal")
        yield f"Checkpoint: catalog-sync/{checkpoint.catalog_id}, {seals}, root {checkpoint.root_text}"


def _further(events: Sequence[Event]) -> str:
    """The command that shows more: of one model its costs, else the changes since the first of them."""
    changes = [event for event in events if event.kind in _OF_MODELS and event.kind != "rejected"]
    models = {(event.mode, event.model_id) for event in changes}
    if len(models) == 1 and len(changes) == len(events):
        mode, model_id = next(iter(models))
        # As a shell takes it; an id that is no word of one line is left to the list.
        if model_id and model_id.isprintable():
            command = "show" if changes[0].kind == "changed" else "costs"
            return f"catalog-sync {command} --mode {mode} -- {shlex.quote(model_id)}"
    times = [event.seen_at for event in changes if event.seen_at]
    if not times:
        return "catalog-sync status"
    return f"catalog-sync changes --limit 0 --since {min(times).astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
