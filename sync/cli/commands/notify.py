"""The command ``notify``: sends what is new to where people are."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sync.cli import options
from sync.cli.composition import database
from sync.cli.notifications import notifying, read_destinations, require_apprise, require_named
from sync.cli.output import print_folded
from sync.cli.param_types import Utf8Text
from sync.cli.process.messages import print_error, print_line
from sync.cli.process.signals import outcome_of, run_until_stopped
from sync.errors import Interrupted, Outcome, UsageError

if TYPE_CHECKING:
    from sync.notify.destinations import Destination
    from sync.notify.notifier import Notified
    from sync.notify.outbox import Outbox
    from sync.store.database import Connection, Database


@click.command(
    short_help="Send what is new to the destinations of the notify file.",
    epilog="Example: CATALOG_SYNC_NOTIFY_FILE=/etc/catalog-sync/notify.toml catalog-sync notify --dry-run",
)
@click.option("--dry-run", is_flag=True, help="Print the messages; send nothing and write nothing.")
@click.option("--test", "test_name", type=Utf8Text(), metavar="NAME", help="Send a test message to this destination.")
@click.option("--now", "even_if_it_waits", is_flag=True, help="Also try destinations that wait after a failure.")
@options.notify_file
@options.quiet
@options.as_json
@options.database_url
def notify(
    *,
    dry_run: bool,
    test_name: str | None,
    even_if_it_waits: bool,
    notify_file: Path | None,
    quiet: bool,
    as_json: bool,
    database_url: str,
) -> int:
    """Send what is new since the last delivery to the destinations of the notify file.

    A new destination gets nothing of the past. What cannot be delivered is tried again later, after growing waits.
    Exit code 4 says that a destination failed. docs/notify.md describes the file.
    """
    path = require_named(notify_file)
    destinations = read_destinations(path)
    stop = threading.Event()
    catalog = database(database_url, stop)
    if dry_run and test_name is not None:
        raise UsageError("--dry-run and --test exclude each other, since a test sends a message; give one of them")
    if dry_run:
        _print_previews(_previews(catalog, destinations), as_json=as_json)
        return Outcome.DONE
    require_apprise()
    if test_name is not None:
        return _test(path, _named(destinations, test_name), stop, quiet=quiet, as_json=as_json)
    results = _send(catalog, path, destinations, stop, even_if_it_waits=even_if_it_waits)
    if as_json:
        _print_json(results)
    elif not quiet:
        print_line(_text(results))
    if failed := _failed_text(results):
        print_error(failed)
        return Outcome.UNREACHABLE
    return Outcome.DONE


def _send(
    catalog: Database,
    path: Path,
    destinations: tuple[Destination, ...],
    stop: threading.Event,
    *,
    even_if_it_waits: bool,
) -> list[Notified]:
    from sync.notify.notifier import LONGEST_SECONDS, notify_all

    needs = notifying(path, stop, LONGEST_SECONDS, even_if_it_waits=even_if_it_waits)

    def work() -> list[Notified]:
        with catalog.opened() as engine:
            return notify_all(engine, destinations, needs)

    results, received = run_until_stopped(work, stop)
    if received is not None:
        raise Interrupted(
            f"stopped by {received.name}; what was delivered is on record, run it again for the rest",
            outcome_of(received),
        )
    return results


def _named(destinations: tuple[Destination, ...], name: str) -> Destination:
    found = [each for each in destinations if each.name == name]
    if not found:
        known = ", ".join(each.name for each in destinations)
        raise UsageError(f"there is no destination of this name in the notify file; it has {known}")
    return found[0]


def _test(path: Path, destination: Destination, stop: threading.Event, *, quiet: bool, as_json: bool) -> int:
    from sync.notify.notifier import LONGEST_SECONDS, send_test
    from sync.show.formats import to_json

    needs = notifying(path, stop, LONGEST_SECONDS)
    error, received = run_until_stopped(lambda: send_test(destination, needs), stop)
    if received is not None:
        raise Interrupted(f"stopped by {received.name}; the test message may have been sent", outcome_of(received))
    if as_json:
        print_line(to_json({"destination": destination.name, "delivered": error is None, "error": error}))
    elif not quiet and error is None:
        print_line(f"{destination.name}: the test message was delivered")
    if error is not None:
        print_error(f"the test message to {destination.name} failed: {error}; check its URL in the notify file")
        return Outcome.UNREACHABLE
    return Outcome.DONE


def _previews(catalog: Database, destinations: tuple[Destination, ...]) -> list[tuple[Destination, Outbox | None]]:
    from sync.notify.notifier import preview

    def work(connection: Connection) -> list[tuple[Destination, Outbox | None]]:
        now = options.now()
        return [(each, preview(connection, each, now)) for each in destinations]

    return catalog.read(work)


def _print_previews(previews: list[tuple[Destination, Outbox | None]], *, as_json: bool) -> None:
    from sync.notify.fitting import text_for
    from sync.show.formats import to_json

    documents = [
        {
            "destination": destination.name,
            "is_new": outbox is None,
            "messages": [
                {"title": each.message.title, "body": text_for(each.message, 0, ""), "events": each.events}
                for each in (outbox.outgoing if outbox else ())
            ],
        }
        for destination, outbox in previews
    ]
    if as_json:
        print_line(to_json({"dry_run": True, "destinations": documents}))
        return
    for document in documents:
        _print_preview(document)


def _print_preview(document: dict[str, object]) -> None:
    name, messages = document["destination"], document["messages"]
    if document["is_new"]:
        print_folded(f"{name}: new; it gets what happens after the first catalog-sync notify without --dry-run")
    elif not messages:
        print_folded(f"{name}: nothing new")
    for each in messages if isinstance(messages, list) else []:
        print_folded(f"{name}: {each['title']}\n\n{each['body']}\n")


def _text(results: list[Notified]) -> str:
    return "; ".join(_result_text(each) for each in results)


def _result_text(result: Notified) -> str:
    from sync.show.values import format_count

    sent = f"{format_count(result.messages, 'message')} with {format_count(result.events, 'event')} sent"
    if result.error:
        return f"{result.name}: {f'{sent}, then it failed' if result.messages else 'failed'}"
    if result.is_new:
        return f"{result.name}: new, gets what happens from now on"
    if result.is_claimed and not result.messages:
        return f"{result.name}: another process sends to it now"
    return f"{result.name}: {sent if result.messages else 'nothing new'}"


def _failed_text(results: list[Notified]) -> str | None:
    failed = [f"{each.name}: {each.error}" + _again(each) for each in results if each.error]
    if not failed:
        return None
    return f"messages were not sent to {', '.join(failed)}; check the destination, then run catalog-sync notify --now"


def _again(result: Notified) -> str:
    return f" (tried again from {result.next_try_at:%Y-%m-%d %H:%M} UTC on)" if result.next_try_at else ""


def _print_json(results: list[Notified]) -> None:
    from sync.show.formats import to_json

    rows = [
        {
            "destination": each.name,
            "messages": each.messages,
            "events": each.events,
            "is_new": each.is_new,
            "is_claimed": each.is_claimed,
            "error": each.error,
            "next_try_at": each.next_try_at,
        }
        for each in results
    ]
    print_line(to_json({"dry_run": False, "destinations": rows}))
