from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from sync.cli import options
from sync.source.emulator.server import Emulator, load_catalogs
from tests.cli.conftest import Shell
from tests.support.api_catalogs import catalog, envelope, model, numbered_models
from tests.support.commands import ROOT, environment, error_line, output, run_process, without_seal
from tests.support.database_contents import RUN_TABLES, changed_tables, counts_of_changes, every_row, query_rows
from tests.support.rude_server import RudeServer, response, says

EXAMPLE = ROOT / "tests/data/documented-example.json"


@pytest.fixture
def synced(shell: Shell, migrated_url: str) -> Shell:
    shell.set(DATABASE_URL=migrated_url)
    return shell


def test_the_documented_example_syncs_unchanged(synced: Shell, migrated_url: str) -> None:
    with Emulator(load_catalogs(EXAMPLE)) as api:
        printed = output(synced("sync", "--base-url", api.base_url))
    note = "the first response for mode video was empty"
    assert (
        without_seal(printed)
        == f"run 1 success: image 1 model: 1 added; video 0 models: nothing changed; note: {note}\n"
    )
    assert query_rows(migrated_url, "SELECT status, note, error_message FROM sync_runs") == [("success", note, None)]
    assert query_rows(
        migrated_url, "SELECT mode, model_id, model_name, provider, credit_cost_exact FROM v_current_catalog"
    ) == [("image", "google/nano-banana", "Nano Banana", "Google", "1")]


def test_the_same_catalog_again_leaves_only_the_run_and_the_days_since(
    synced: Shell, migrated_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    models, clocks = [*numbered_models(30), *numbered_models(20, "video")], [three_days_ago]
    with Emulator([catalog(*models)], clock=lambda: clocks[-1]()) as api:  # noqa: PLW0108  # the last one changes
        synced.set(BASE_URL=api.base_url)
        with monkeypatch.context() as patch:
            patch.setattr("sync.cli.composition.now", three_days_ago)
            output(synced("sync"))
        clocks.append(options.now)
        before = every_row(migrated_url)
        printed = output(synced("sync"))
    assert (
        without_seal(printed) == "run 2 success: image 30 models: nothing changed; video 20 models: nothing changed\n"
    )
    assert counts_of_changes(before, every_row(migrated_url)) == {
        "sync_runs": (0, 1),
        "sync_run_modes": (0, 2),
        "seals": (0, 1),
        "catalog_identity": (1, 1),
        "sync_state": (2, 2),
        "calendar_days": (0, 3),
        "watch_days": (0, 2),
    }
    assert query_rows(migrated_url, "SELECT version, run_id FROM sync_state") == [(2, 2), (2, 2)]


def three_days_ago() -> datetime:
    return options.now() - timedelta(days=3)


def test_a_cost_that_falls_from_3_to_1_5_is_one_decrease(synced: Shell, migrated_url: str) -> None:
    others = [*numbered_models(10), *numbered_models(10, "video")]
    with Emulator([catalog(model("acme/it", 3), *others), catalog(model("acme/it", 1.5), *others)]) as api:
        synced.set(BASE_URL=api.base_url)
        output(synced("sync"))
        before = every_row(migrated_url)
        printed = output(synced("sync"))
    assert without_seal(printed) == "run 2 success: image 11 models: 1 changed; video 10 models: nothing changed\n"
    changes = counts_of_changes(before, every_row(migrated_url))
    assert changes.pop("calendar_days", (0, 1)) == (0, 1)  # at midnight
    assert changes.pop("watch_days") in {(2, 2), (0, 2)}
    assert changes == {
        "catalog_changes": (0, 1),
        "credit_history": (1, 2),
        "model_versions": (1, 2),
        "credits": (1, 1),
        "models": (1, 1),  # its fingerprint
        "sync_runs": (0, 1),
        "sync_run_modes": (0, 2),
        "seals": (0, 1),
        "catalog_identity": (1, 1),
        "sync_state": (2, 2),
    }
    event = "SELECT model_id, old_cost_exact, new_cost_exact, delta_cost, pct_change, run_id FROM v_credit_cost_changes"
    assert query_rows(migrated_url, f"{event} WHERE change_kind = 'decrease'") == [
        ("acme/it", "3", "1.5", -1.5, -50, 2)
    ]
    history = "SELECT credit_cost_exact, is_current, opened_run_id, closed_run_id FROM v_credit_cost_history"
    intervals = query_rows(migrated_url, f"{history} WHERE model_id = 'acme/it' ORDER BY valid_from")
    assert intervals == [("3", 0, 1, 2), ("1.5", 1, 2, None)]
    assert query_rows(migrated_url, "SELECT credit_cost FROM v_current_catalog WHERE model_id = 'acme/it'") == [(1.5,)]


@pytest.mark.parametrize("key", ["gva_live_expired.0000000000", "gva_live_good.0000000000"])
def test_a_dry_run_writes_nothing_and_has_the_same_exit_code(synced: Shell, migrated_url: str, key: str) -> None:
    with Emulator([catalog(*numbered_models(3))], stepping="manual") as api:
        synced.set(BASE_URL=api.base_url, API_KEY=key)
        before = every_row(migrated_url)
        dry = synced("sync", "--dry-run")
        assert every_row(migrated_url) == before
        wet = synced("sync")
        assert (dry.code, dry.err) == (wet.code, wet.err)
        after = every_row(migrated_url)
        again = synced("sync", "--dry-run", "--json")
        assert every_row(migrated_url) == after
    assert again.code == dry.code
    assert json.loads(again.out)["run_id"] is None


def test_a_dry_run_prints_every_change_it_would_make(synced: Shell) -> None:
    with Emulator(
        [catalog(model("acme/it", 3)), catalog(model("acme/it", 1.5), model("acme/new", 2), model("acme/open", None))]
    ) as api:
        synced.set(BASE_URL=api.base_url)
        output(synced("sync"))
        printed = output(synced("sync", "--dry-run"))
    assert printed.splitlines() == [
        "image acme/it decrease: 3 -> 1.5 (-50 %)",
        "image acme/new added: none -> 2",
        "image acme/open added: no cost",
        "dry run, nothing written: image 3 models: 2 added, 1 changed; video 0 models: nothing changed",
    ]


def test_a_dry_run_does_not_migrate_and_makes_no_file(shell: Shell, tmp_path: Path) -> None:
    shell.set(DATABASE_URL=f"sqlite:///{tmp_path}/none.db")
    assert "catalog-sync migrate" in error_line(shell("sync", "--dry-run"), 2)
    assert "give one of them" in error_line(shell("sync", "--dry-run", "--migrate"), 2)
    assert list(tmp_path.iterdir()) == []


def test_mode_image_does_not_change_video(synced: Shell, migrated_url: str) -> None:
    first = catalog(*numbered_models(2), *numbered_models(2, "video"))
    with Emulator([first, catalog(model("acme/image-0", 9), model("acme/video-0", 9, mode="video"))]) as api:
        synced.set(BASE_URL=api.base_url)
        output(synced("sync"))
        of_video = every_row_of_video(migrated_url)
        printed = output(synced("sync", "--mode", "image"))
    assert without_seal(printed) == "run 2 success: image 1 model: 1 changed, 1 removed\n"
    assert every_row_of_video(migrated_url) == of_video


def every_row_of_video(url: str) -> list[object]:
    views = ("v_current_catalog", "v_catalog_changes", "v_credit_cost_history", "v_sync_runs", "sync_state")
    return [sorted(query_rows(url, f"SELECT * FROM {view} WHERE mode = 'video'"), key=repr) for view in views]


def test_quiet_prints_nothing_when_all_is_well(synced: Shell) -> None:
    with Emulator([catalog(*numbered_models(3))]) as api:
        assert output(synced("sync", "--quiet", "--base-url", api.base_url)) == ""


def test_a_new_process_does_the_same(tmp_path: Path, sqlite_url: str) -> None:
    with Emulator([catalog(*numbered_models(3))]) as api:
        settings = {"DATABASE_URL": sqlite_url, "BASE_URL": api.base_url, "API_KEY": "gva_live_good.0000000000"}
        ended = run_process("sync", environ=environment(tmp_path, **settings))
    assert output(ended).startswith("run 1 success: image 3 models: 3 added; video 0 models: nothing changed")


def test_the_response_of_one_mode_is_stored_when_the_other_fails(synced: Shell, migrated_url: str) -> None:
    image = says(response("200 OK", envelope(numbered_models(2))))
    with RudeServer(image=image, video=says(response("500 Internal Server Error"))) as api:
        ended = synced("sync", "--base-url", api.url, "--attempts", "1")
    line = error_line(ended, 4)
    assert "500 for mode video" in line
    assert without_seal(ended.out) == "run 1 partial: image 2 models: 2 added; video failed\n"
    rows = "SELECT mode, status, models_added, http_status FROM sync_run_modes ORDER BY mode"
    assert query_rows(migrated_url, rows) == [("image", "success", 2, 200), ("video", "failed", None, 500)]
    assert query_rows(migrated_url, "SELECT mode, version FROM sync_state ORDER BY mode") == [
        ("image", 1),
        ("video", 0),
    ]


def test_only_run_rows_are_written_when_the_api_refuses(synced: Shell, migrated_url: str) -> None:
    with Emulator([catalog(*numbered_models(3))]) as api:
        synced.set(BASE_URL=api.base_url)
        output(synced("sync"))
        before = every_row(migrated_url)
        synced.set(API_KEY="gva_live_noplan.0000000000")
        error_line(synced("sync"), 3)
    assert changed_tables(before, every_row(migrated_url)) == RUN_TABLES
