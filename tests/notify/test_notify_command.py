"""The command ``notify`` and ``sync --notify``, with real servers."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from sync.cli import notifications
from sync.cli.notifications import BackgroundSender
from sync.notify import notifier
from tests.cli.conftest import Shell
from tests.support.api_catalogs import model, numbered_models
from tests.support.commands import CommandResult, error_line, output
from tests.support.database_contents import every_row
from tests.support.synced_database import SyncedDatabase, image
from tests.support.told_servers import Behaviour, Receiver, mail_server, webhook

SECRETS = ("secret-path", "127.0.0.1")
HIGHER = image([model("acme/image-0", 7), *numbered_models(4)[1:]])


class Told:
    """A catalog, its notify file, and the servers of its destinations."""

    def __init__(self, synced: SyncedDatabase, folder: Path, stack: ExitStack) -> None:
        self.synced, self.file, self._stack = synced, folder / "notify.toml", stack
        self.shell = synced.shell
        self.shell.set(NOTIFY_FILE=str(self.file))

    def write(self, *destinations: tuple[str, str]) -> None:
        """A file with these names and URLs, each with its cursor."""
        self.file.write_text(
            "".join(f'[[destination]]\nname = "{name}"\nurl = "{url}"\n' for name, url in destinations)
        )
        self.file.chmod(0o600)
        output(self.shell("notify"))

    def webhook(self, name: str, behave: Callable[[], Behaviour] = lambda: "ok") -> Receiver:
        receiver = self._stack.enter_context(webhook(behave))
        self.write((name, receiver.url))
        return receiver


@pytest.fixture
def told(shell: Shell, sqlite_url: str, tmp_path: Path) -> Iterator[Told]:
    with ExitStack() as stack:
        yield Told(SyncedDatabase(shell, sqlite_url, tmp_path), tmp_path, stack)


def without_secrets(ended: CommandResult) -> CommandResult:
    assert not any(secret in ended.out + ended.err for secret in SECRETS), ended
    return ended


def test_a_sync_tells_a_webhook_and_a_mail_server_what_changed(told: Told) -> None:
    with webhook() as hook, mail_server() as mail:
        told.write(("hook", hook.url), ("mail", mail.url))
        printed = told.synced.succeeds("--notify", image=HIGHER)
        again = told.synced.succeeds("--notify", image=HIGHER)

    assert (printed.count("\n"), again.count("\n")) == (1, 1)
    [(title, body)], [(subject, text)] = hook.taken, mail.taken
    assert title == subject == "catalog-sync: cost increase (run 2)"
    assert " -> 7 credits (" in body
    assert body.split("\n") == text.replace("\r\n", "\n").rstrip("\n").split("\n")
    assert "Checkpoint: catalog-sync/" in body


def test_a_destination_that_hangs_holds_up_no_other_and_fails_no_sync(
    told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notifications, "SECONDS_AFTER_RUN", 4.0)
    with webhook() as good, webhook(lambda: "hang before") as slow:
        told.write(("good", good.url), ("slow", slow.url))
        began = time.monotonic()
        ended = without_secrets(told.synced.sync("--notify", image=HIGHER))
        took = time.monotonic() - began

    assert (ended.code, ended.out.count("\n")) == (0, 1)
    assert ended.err == (
        "catalog-sync: messages were not sent to slow: it did not respond in time; they are sent again later,"
        " see catalog-sync notify\n"
    )
    assert len(good.taken) == 1
    assert took < 30


def test_a_mistake_in_the_file_fails_no_sync(told: Told) -> None:
    told.file.write_text("[[destination]]\n")
    told.file.chmod(0o600)
    ended = told.synced.sync("--notify", image=HIGHER)

    assert (ended.code, ended.out.count("\n")) == (0, 1)
    assert ended.err.startswith("catalog-sync: messages were not sent: the notify file ")
    assert ended.err.count("\n") == 1


def test_that_a_sync_failed_is_told(told: Told) -> None:
    hook = told.webhook("hook")
    ended = told.shell("sync", "--notify", "--base-url", "http://127.0.0.1:9/api")
    assert ended.code == 2  # another base URL, which is another reason than the next one
    ended = told.shell("sync", "--notify", "--base-url", "http://127.0.0.1:9/api", "--accept-base-url")

    assert error_line(ended, 4).startswith("catalog-sync: ")
    assert [title for title, _ in hook.taken] == [
        "catalog-sync: sync failed (run 2)",
        "catalog-sync: sync failed (run 3)",
    ]


def test_a_sync_whose_tick_is_taken_sends_what_is_left(told: Told) -> None:
    hook = told.webhook("hook")
    told.synced.succeeds("--tick", "1d", image=HIGHER)
    ended = told.shell("sync", "--tick", "1d", "--notify")

    assert (ended.code, ended.out, ended.err) == (0, "", "")
    assert [title for title, _ in hook.taken] == ["catalog-sync: cost increase (run 2)"]


def test_a_sync_that_fails_before_it_begins_sends_what_is_left(told: Told) -> None:
    hook = told.webhook("hook")
    told.synced.succeeds(image=HIGHER)
    told.shell.set(API_KEY=None)

    assert "there is no API key" in error_line(told.shell("sync", "--notify"), 2)
    assert [title for title, _ in hook.taken] == ["catalog-sync: cost increase (run 2)"]


def test_a_run_and_a_message_that_both_fail_are_one_line(told: Told) -> None:
    told.webhook("hook", lambda: "refuse")
    line = error_line(told.shell("sync", "--notify", "--base-url", "http://127.0.0.1:9/api", "--accept-base-url"), 4)

    assert line.startswith("catalog-sync: fetching modes image and video from ")
    assert "; also: messages were not sent to hook: it answered HTTP 500; " in line


@pytest.mark.parametrize(
    ("behaviour", "reason"),
    [
        ("refuse", "it answered HTTP 500"),
        ("says no", "it answered HTTP 200 with an error in its body"),
        ("drop", "the connection failed"),
        ("redirect", "it answered HTTP 301"),
        ("no end", "its response is too long"),
    ],
)
def test_a_failed_delivery_is_exit_4_with_the_name_and_no_url(told: Told, behaviour: Behaviour, reason: str) -> None:
    told.webhook("ops", lambda: behaviour)
    line = error_line(without_secrets(told.shell("notify", "--test", "ops")), 4)

    assert line == f"catalog-sync: the test message to ops failed: {reason}; check its URL in the notify file"


def test_notify_says_what_failed_and_when_it_tries_again(told: Told) -> None:
    behaviours: list[Behaviour] = ["refuse", "ok"]
    hook = told.webhook("ops", lambda: behaviours.pop(0))
    told.synced.succeeds(image=HIGHER)
    line = error_line(without_secrets(told.shell("notify")), 4)
    waits = error_line(without_secrets(told.shell("notify")), 4)

    assert line.startswith("catalog-sync: messages were not sent to ops: it answered HTTP 500 (tried again from 20")
    assert waits == line
    assert output(told.shell("notify", "--now")) == "ops: 1 message with 1 event sent\n"
    assert len(hook.taken) == 1
    assert json.loads(output(told.shell("notify", "--json")))["destinations"][0]["error"] is None


def test_a_dry_run_prints_the_message_and_changes_nothing(told: Told) -> None:
    hook = told.webhook("ops")
    told.synced.succeeds(image=HIGHER)
    before = every_row(told.synced.url)
    printed = output(told.shell("notify", "--dry-run"))
    [destination] = json.loads(output(told.shell("notify", "--dry-run", "--json")))["destinations"]

    assert printed.startswith("ops: catalog-sync: cost increase (run 2)\n\nimage acme/image-0 ")
    assert destination["messages"][0]["title"] == "catalog-sync: cost increase (run 2)"
    assert hook.tries == []
    assert every_row(told.synced.url) == before


def test_a_dry_run_names_what_is_new(told: Told) -> None:
    told.file.write_text('[[destination]]\nname = "ops"\nurl = "json://h"\n')
    told.file.chmod(0o600)

    assert output(told.shell("notify", "--dry-run")).startswith("ops: new; it gets what happens after the first ")


@pytest.mark.parametrize(
    ("content", "mode", "words"),
    [
        (
            '[[destination]]\nname = "a"\nurl = "json://secret-path"\n',
            0o644,
            "can be read by others; run chmod 600 on it",
        ),
        ('[[destination]]\nname = "a"\nurl = "json://secret-path"\nkinds = ["all"]\n', 0o600, 'the kind "all"'),
        ('url = "json://secret-path\n', 0o600, "it is not TOML at line 1"),
        ("", 0o600, "it has no [[destination]]"),
        ("#" * 70_000, 0o600, "it is longer than 65536 characters"),
    ],
)
def test_a_file_that_cannot_be_used_is_exit_2(told: Told, content: str, mode: int, words: str) -> None:
    told.file.write_text(content)
    told.file.chmod(mode)

    assert words in error_line(without_secrets(told.shell("notify")), 2)


def test_a_pipe_is_refused_without_waiting_for_its_writer(told: Told) -> None:
    told.file.unlink(missing_ok=True)
    os.mkfifo(told.file, 0o600)

    assert "is not a regular file" in error_line(told.shell("notify"), 2)


def test_without_a_file_it_is_exit_2_before_anything(told: Told) -> None:
    told.shell.set(NOTIFY_FILE=None)

    for command in (["notify"], ["sync", "--notify"], ["schedule", "--notify", "--every", "1h"]):
        assert "there is no notify file; set CATALOG_SYNC_NOTIFY_FILE" in error_line(told.shell(*command), 2)
    told.shell.set(NOTIFY_FILE="/nowhere/notify.toml")
    assert "/nowhere/notify.toml cannot be read" in error_line(told.shell("notify"), 2)


def test_an_unknown_service_and_an_unknown_name(told: Told) -> None:
    told.write(("ops", "slakc://secret-path"))

    assert "Apprise does not know the service" in error_line(without_secrets(told.shell("notify", "--test", "ops")), 4)
    assert "it has ops" in error_line(told.shell("notify", "--test", "Ops"), 2)


def test_a_url_in_a_file_of_its_own(told: Told) -> None:
    with webhook() as hook:
        told.file.write_text('[[destination]]\nname = "ops"\nurl_file = "ops.url"\n')
        told.file.chmod(0o600)
        url_file = told.file.parent / "ops.url"
        url_file.write_text(hook.url + "\n")
        url_file.chmod(0o644)
        refused = error_line(without_secrets(told.shell("notify", "--test", "ops")), 4)
        url_file.chmod(0o600)
        output(told.shell("notify", "--test", "ops"))

    assert "can be read by others" in refused
    assert len(hook.taken) == 1


def test_the_claim_is_longer_than_any_delivery() -> None:
    assert notifier.CLAIM.total_seconds() > 2 * notifier.LONGEST_SECONDS > 4 * notifications.SECONDS_AFTER_RUN


def test_a_schedule_sends_beside_its_runs() -> None:
    stop, sent, go = threading.Event(), threading.Semaphore(0), threading.Event()
    warned: list[str] = []

    def send() -> str:
        sent.release()
        go.wait(10)
        return "one failed"

    sender = BackgroundSender(send, warned.append, stop)
    sender.wake()
    assert sent.acquire(timeout=10)
    sender.wake()  # while it sends: once more after that, however often
    sender.wake()
    go.set()
    assert sent.acquire(timeout=10)
    stop.set()
    sender.end()
    assert not sent.acquire(timeout=0)
    assert set(warned) == {"one failed"}
