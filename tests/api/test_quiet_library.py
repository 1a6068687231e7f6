"""The library leaves the process as it is: no click, no print, no signal handler, no reading of the environment."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path

import pytest

from sync.api import Limits, Outcome, open_catalog, sync_once
from sync.cli import options
from sync.cli.commands import cli
from sync.composition.sync_parts import ApiSettings, Surroundings, sync_dependencies
from sync.errors import Interrupted
from sync.source.emulator.server import Emulator
from sync.source.http.results import FetchSettings
from tests.api.conftest import sync_from
from tests.support.api_catalogs import catalog, model
from tests.support.secrets_search import KEY

Serve = Callable[..., Emulator]
PROGRAM = """
import logging, os, signal, sys, threading
handlers = [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)]
environ, excepthook = dict(os.environ), sys.excepthook
import sync.api
assert not {"click", "rich", "jinja2", "requests", "sqlalchemy"} & sys.modules.keys(), "imported early"
url, base_url = sys.argv[1:]
result = sync.api.sync_once(url, api_key="gva_live_any.0000000000", base_url=base_url)
assert result.ok, result
with sync.api.open_catalog(url) as catalog:
    assert len(catalog.models()) == len(list(catalog.changes())) == 1
assert not {"click", "rich", "jinja2"} & sys.modules.keys(), "imported late"
assert [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)] == handlers
assert (dict(os.environ), sys.excepthook, logging.getLogger().handlers) == (environ, excepthook, [])
"""


def test_the_library_imports_no_click_prints_nothing_and_handles_no_signal(sqlite_url: str, serve: Serve) -> None:
    api = serve(catalog(model()))
    command = [sys.executable, "-c", PROGRAM, sqlite_url, api.base_url]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=Path(__file__).parents[2])

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_the_environment_is_read_only_where_it_is_given(
    sqlite_url: str, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    api = serve(catalog(model()))
    for name in ("API_KEY", "BASE_URL", "CATALOG_ID", "ATTEMPTS", "ARCHIVE"):
        monkeypatch.setenv(f"CATALOG_SYNC_{name}", "not right")

    assert sync_from(api, sqlite_url).outcome is Outcome.DONE
    assert sync_once(sqlite_url, environ=os.environ).outcome is Outcome.USAGE
    settings = {"CATALOG_SYNC_API_KEY": KEY, "CATALOG_SYNC_BASE_URL": api.base_url, "CATALOG_SYNC_ARCHIVE": ""}
    assert sync_once(sqlite_url, environ=settings).outcome is Outcome.DONE


@pytest.mark.parametrize("trusts", [False, True])
def test_proxies_of_the_environment_are_used_only_where_it_is_given(
    monkeypatch: pytest.MonkeyPatch, *, trusts: bool
) -> None:
    seen: list[bool] = []

    def fetch(_modes: object, used: FetchSettings, *_: object, **__: object) -> None:
        seen.append(used.trusts_environment)
        raise Interrupted("seen")

    monkeypatch.setattr("sync.source.http.fetch.fetch_modes", fetch)
    values = ApiSettings(base_url="https://example.org")
    call = {"stop": threading.Event(), "host": "h", "clock": lambda: None, "key": KEY, "mask": str, "pause": None}
    with pytest.raises(Interrupted):
        sync_dependencies(values, Surroundings(**call, trusts_environment=trusts)).fetch(["image"])  # type: ignore[arg-type]
    assert seen == [trusts]


def test_a_key_that_is_given_stands_for_the_file_of_the_environment(sqlite_url: str, serve: Serve) -> None:
    environ = {"CATALOG_SYNC_API_KEY_FILE": "/dev/null/none"}

    assert sync_from(serve(catalog(model())), sqlite_url, environ=environ).outcome is Outcome.DONE


def test_no_value_shows_a_secret(sqlite_url: str, serve: Serve) -> None:
    api, url = serve(catalog(model())), "postgresql://user:pass-7Gk2@127.0.0.1:9/none"
    limits = Limits(database_timeout=1, attempts=1, deadline=2)
    results = [
        sync_from(api, sqlite_url),
        sync_once(sqlite_url, api_key=KEY, base_url=f"http://127.0.0.1:9/{KEY}"),
        sync_once(url, api_key=KEY, base_url=api.base_url, limits=limits),
    ]

    assert [result.outcome for result in results] == [Outcome.DONE, Outcome.USAGE, Outcome.DATABASE]
    for result in results:
        assert [text for text in ("pass-7Gk2", KEY) if text in f"{result!r}{result.as_dict()}"] == []
    with open_catalog(sqlite_url) as opened:
        opened._database = type(opened._database)(url)
        assert repr(opened) == "Catalog('postgresql://user:***@127.0.0.1:9/none')"


def test_the_limits_are_the_options_of_the_command_with_the_same_defaults() -> None:
    defaults = {option.name: option.default for option in cli.commands["sync"].params}
    names = {each.name for each in fields(Limits)} - {"database_timeout"}

    assert {name: getattr(Limits(), name) for name in names} == {name: defaults[name] for name in names}
    assert options.database_timeout() is None
