"""Fault G1: another API, another key or another database than the one that belongs to the history."""

from __future__ import annotations

import getpass
import hashlib
import json
import socket
import uuid
from collections.abc import Iterator

import pytest

from tests.faults.conftest import on_sqlite
from tests.support.api_address import emulator
from tests.support.api_catalogs import catalog, model, numbered_models
from tests.support.commands import error_line, output
from tests.support.database_contents import changed_tables, every_row
from tests.support.rude_server import RudeServer
from tests.support.secrets_search import KEY
from tests.support.synced_database import LISTED, STATUS, SyncedDatabase, image, video

FOREIGN = [model("other/a", 9), model("other/b", 8)]
ACCEPTED = "SELECT accepted FROM sync_runs WHERE accepted IS NOT NULL ORDER BY run_id"
BASE_URLS = "SELECT DISTINCT base_url FROM sync_state"


@pytest.fixture
def staging() -> Iterator[RudeServer]:
    """Another API than that of the first run, with other models."""
    with RudeServer(image=image()), RudeServer(image=image(FOREIGN), video=video()) as api:
        yield api


@pytest.mark.parametrize("options", [[], ["--mode", "video"], ["--dry-run"], ["--accept-removals", "all"]])
def test_g1_another_base_url_is_exit_2_before_any_request_and_names_both(
    synced: SyncedDatabase, staging: RudeServer, options: list[str]
) -> None:
    (first,) = synced.query(BASE_URLS)[0]
    before = synced.catalog()
    line = error_line(synced.shell("sync", "--base-url", staging.url, *options), 2)

    assert first in line
    assert staging.url in line
    assert "--accept-base-url" in line
    assert staging.requests == []
    synced.require_unchanged(before)
    assert synced.query(STATUS)[1:] == ([] if "--dry-run" in options else [("failed",)])


def test_g1_an_accepted_base_url_is_recorded_with_who_and_why_and_is_then_the_one(
    synced: SyncedDatabase, staging: RudeServer
) -> None:
    (first,) = synced.query(BASE_URLS)[0]
    arguments = ["--accept-base-url", "--by", "Ada", "--why", "the API moved", "--accept-removals", "all"]
    output(synced.shell("sync", "--base-url", staging.url, *arguments))
    output(synced.shell("sync", "--base-url", staging.url))

    assert synced.query(BASE_URLS) == [(staging.url,)]
    ((accepted,),) = synced.query(ACCEPTED)
    replaced = {"image": first, "video": first}
    assert json.loads(accepted) == {
        "base_url": {"to": staging.url, "from": replaced},
        "removals": {"image": 4},
        "by": "Ada",
        "why": "the API moved",
    }
    assert synced.costs() == {"other/a": "9", "other/b": "8"}
    shown = output(synced.shell("status"))
    assert (
        f"run 2: Ada accepted the base URL {staging.url} in place of {first} and 4 removals of image (the API moved)"
        in shown
    )
    assert first in error_line(synced.shell("sync", "--base-url", first), 2)
    synced.verify()


def test_g1_without_a_name_the_account_and_the_host_accepted(synced: SyncedDatabase, staging: RudeServer) -> None:
    output(synced.shell("sync", "--base-url", staging.url, "--accept-base-url", "--mode", "video"))

    ((accepted,),) = synced.query(ACCEPTED)
    assert json.loads(accepted)["by"] == f"{getpass.getuser()}@{socket.gethostname()}"
    assert json.loads(accepted)["why"] is None


def test_g1_modes_have_base_urls_of_their_own(synced: SyncedDatabase, staging: RudeServer) -> None:
    (first,) = synced.query(BASE_URLS)[0]
    output(synced.shell("sync", "--base-url", staging.url, "--accept-base-url", "--mode", "video"))

    assert synced.query("SELECT mode, base_url FROM sync_state ORDER BY mode") == [
        ("image", first),
        ("video", staging.url),
    ]
    line = error_line(synced.shell("sync", "--base-url", staging.url), 2)
    assert "the last sync of mode image used" in line
    assert "mode video" not in line
    printed = json.loads(output(synced.shell("status", "--json")))
    assert printed["base_urls"] == {"image": first, "video": staging.url}


def test_g1_the_line_of_a_response_that_is_held_back_names_the_option_for_the_base_url_too(
    synced: SyncedDatabase, staging: RudeServer
) -> None:
    ended = synced.shell("sync", "--base-url", staging.url, "--accept-base-url")

    assert error_line(ended, 7).endswith("run catalog-sync sync once with --accept-base-url --accept-removals 4")


def test_g1_an_acceptance_that_was_not_needed_is_not_recorded(synced: SyncedDatabase) -> None:
    synced.succeeds("--accept-base-url", "--why", "to be sure")

    assert synced.query(ACCEPTED) == []


def test_g1_a_failed_run_leaves_the_base_url(synced: SyncedDatabase, staging: RudeServer) -> None:
    before = synced.query(BASE_URLS)
    with RudeServer() as nothing:
        url = nothing.url
    error_line(synced.shell("sync", "--base-url", url, "--accept-base-url"), 4)

    assert synced.query(BASE_URLS) == before
    assert synced.query(ACCEPTED) == []


@on_sqlite
@pytest.mark.parametrize("spelling", ["http://127.0.0.1:{}/api/partner/v1/", "HTTP://127.0.0.1:{}/api/partner/v1"])
def test_g1_another_spelling_of_the_address_is_the_same(synced: SyncedDatabase, spelling: str) -> None:
    with RudeServer(image=image(), video=video()) as api:
        output(synced.shell("sync", "--base-url", spelling.format(api.port)))


def test_g1_an_import_neither_checks_nor_changes_the_base_url(synced: SyncedDatabase, staging: RudeServer) -> None:
    before = synced.query(BASE_URLS)
    synced.shell.set(BASE_URL=staging.url)
    line = {"at": "2999-01-01T00:00:00Z", "image": {"ok": False}}
    (synced.home / "lines.jsonl").write_text(json.dumps(line))
    error_line(synced.shell("import", str(synced.home / "lines.jsonl")), 2)

    assert synced.query(BASE_URLS) == before


def test_g1_a_run_with_acceptance_is_not_pruned(synced: SyncedDatabase, staging: RudeServer) -> None:
    arguments = ["sync", "--base-url", staging.url, "--mode", "video", "--accept-base-url"]
    output(synced.shell(*arguments))
    output(synced.shell(*arguments))
    output(synced.shell("prune", "--before", "0s"))

    assert synced.query("SELECT run_id FROM sync_runs ORDER BY run_id") == [(1,), (2,), (3,)]


def test_g1_another_key_is_noted_with_the_fingerprints_of_both_public_parts(synced: SyncedDatabase) -> None:
    other = f"gva_live_other.{KEY.partition('.')[2]}"
    synced.shell.set(API_KEY=other)
    printed = synced.succeeds()
    synced.succeeds()

    old, new = (hashlib.sha256(key.partition(".")[0].encode()).hexdigest()[:12] for key in (KEY, other))
    assert f"note: the API key {new} is another one than {old} of run 1" in printed
    assert synced.query("SELECT key_fingerprint, host FROM sync_runs ORDER BY run_id") == [
        (fingerprint, socket.gethostname()) for fingerprint in (old, new, new)
    ]
    assert synced.query("SELECT note FROM sync_runs WHERE run_id = 3") == [(None,)]
    assert json.loads(output(synced.shell("status", "--json")))["key_fingerprint"] == new
    assert f"API key: fingerprint {new}, used last by run 3" in output(synced.shell("status"))


@on_sqlite
def test_g1_nothing_is_stored_of_a_key_without_a_public_part(synced: SyncedDatabase) -> None:
    synced.shell.set(API_KEY="q7w8e9r0zvk")
    with RudeServer(image=image(), video=video()) as api:
        output(synced.shell("sync", "--base-url", api.url))

    assert synced.query("SELECT key_fingerprint, note FROM sync_runs WHERE run_id = 2") == [(None, None)]


COMMANDS = [
    *(["sync"], ["sync", "--migrate"], ["sync", "--dry-run"], ["status"], ["models"], ["changes"], ["verify"]),
    *(["show", "acme/image-0"], ["costs", "acme/image-0"], ["prune", "--before", "1d"], ["migrate"]),
    *(["migrate", "--check"], ["schedule", "--every", "1h"], ["import", "nothing.jsonl"]),
]


def test_g1_every_command_refuses_a_database_with_another_catalog(synced: SyncedDatabase) -> None:
    ((catalog_id,),) = synced.query("SELECT catalog_id FROM catalog_identity")
    other = str(uuid.uuid4())
    before = every_row(synced.url)
    synced.shell.set(CATALOG_ID=other, BASE_URL="http://127.0.0.1:1/api")
    for command in COMMANDS:
        line = error_line(synced.shell(*command), 2)
        assert catalog_id in line
        assert other in line

    assert changed_tables(before, every_row(synced.url)) == set()


@pytest.mark.parametrize("spelling", ["{}", " {} ", "urn:uuid:{}"])
def test_g1_the_catalog_that_is_named_is_accepted_and_status_prints_it(synced: SyncedDatabase, spelling: str) -> None:
    ((catalog_id,),) = synced.query("SELECT catalog_id FROM catalog_identity")
    synced.shell.set(
        CATALOG_ID=spelling.format(catalog_id.upper()) if "urn" not in spelling else spelling.format(catalog_id)
    )
    synced.succeeds()

    assert f"catalog: {catalog_id}" in output(synced.shell("status"))
    assert json.loads(output(synced.shell("status", "--json")))["catalog_id"] == catalog_id


@on_sqlite
def test_g1_no_catalog_is_made_while_another_one_is_named(synced: SyncedDatabase) -> None:
    url = f"sqlite:///{synced.home / 'not-mounted.db'}"
    synced.shell.set(CATALOG_ID=str(uuid.uuid4()), DATABASE_URL=url)
    for command in (["sync", "--migrate"], ["migrate"], ["status"]):
        assert "there is no database at" in error_line(synced.shell(*command), 2)

    assert not (synced.home / "not-mounted.db").exists()


@on_sqlite
def test_g1_an_id_that_is_none_is_refused_and_an_empty_one_is_not_set(synced: SyncedDatabase) -> None:
    synced.shell.set(CATALOG_ID="production")
    assert "CATALOG_SYNC_CATALOG_ID is not the id of a catalog" in error_line(synced.shell("status"), 2)
    synced.shell.set(CATALOG_ID=" ")
    output(synced.shell("status"))


@on_sqlite
def test_g1_the_demo_ignores_the_named_catalog(synced: SyncedDatabase) -> None:
    synced.shell.set(CATALOG_ID=str(uuid.uuid4()))
    assert "acme/" in output(synced.shell("demo", "--directory", str(synced.home / "demo")))


@on_sqlite
def test_g1_the_first_sync_into_a_database_takes_any_base_url(synced: SyncedDatabase) -> None:
    synced.shell.set(DATABASE_URL=f"sqlite:///{synced.home / 'second.db'}")
    output(synced.shell("migrate"))
    with emulator([catalog(*numbered_models(2))]) as api:
        output(synced.shell("sync", "--base-url", api.base_url))
    assert LISTED
