"""A command that finds nothing says why, with the nearest names."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Shell
from tests.support.api_catalogs import envelope, model
from tests.support.commands import error_line, output

DAYS = (
    ("2026-03-01", [model("acme/a", 4, provider="Acme"), model("acme/b", 5, provider="Gone")]),
    ("2026-03-02", [model("acme/a", 3, provider="Acme")]),
)
VIDEO = [model("cinder/v", 9, mode="video", provider="Cinder")]


@pytest.fixture
def history(shell: Shell, migrated_url: str, tmp_path: Path) -> Shell:
    line = '{"at": "%sT00:00:00Z", "image": %s, "video": %s}'
    lines = (line % (day, envelope(image).decode(), envelope(VIDEO, "video").decode()) for day, image in DAYS)
    (tmp_path / "responses.jsonl").write_text("\n".join(lines))
    shell.set(DATABASE_URL=migrated_url)
    output(shell("import", "--quiet", str(tmp_path / "responses.jsonl")))
    return shell


REASONS = {
    "models --provider acme": "there is no provider 'acme'; did you mean 'Acme'?",
    "models --provider Cindre": "there is no provider 'Cindre'; did you mean 'Cinder'?",
    "models --provider Xyzzy": "there is no provider 'Xyzzy'",
    "models --provider Cinder --mode image": "provider 'Cinder' has no model of mode image, but in mode video",
    "models --provider Gone": "provider 'Gone' lists no model now; --as-of shows the catalog at an earlier time",
    "models --as-of 2020-01-01": "the history begins at 2026-03-01 00:00 UTC; --as-of is 2020-01-01 00:00 UTC",
    "models --as-of 2026-03-02 --provider acme": "there is no provider 'acme'; did you mean 'Acme'?",
    "models --as-of 2026-03-02 --provider Gone": "provider 'Gone' listed no model at that time",
    "changes --since 2026-04-01 --until 2026-03-01": (
        "the period is empty: --since 2026-04-01 00:00 UTC is not before --until 2026-03-01 00:00 UTC"
    ),
    "changes --since 2026-03-01 --until 2026-03-01": (
        "the period is empty: --since 2026-03-01 00:00 UTC is not before --until 2026-03-01 00:00 UTC"
    ),
    "changes --until 2026-03-01": ("the history begins at 2026-03-01 00:00 UTC; --until is 2026-03-01 00:00 UTC"),
    "changes --since 2026-03-03": (
        "the newest change was observed at 2026-03-02 00:00 UTC; --since is 2026-03-03 00:00 UTC"
    ),
    "changes --provider ACME": "there is no provider 'ACME'; did you mean 'Acme'?",
    "changes --model Acme/A": "there is no model 'Acme/A'; did you mean 'acme/a' or 'acme/b'?",
    "changes --model Acme/*": "no model matches 'Acme/*'; did you mean 'acme/a' or 'acme/b'?",
    "changes --model zz*": "no model matches 'zz*'; patterns are case-sensitive",
    "changes --field credits.default_cots": (
        "there is no field 'credits.default_cots'; did you mean 'credits.default_cost'?"
    ),
    "changes --field *.Default_cost": "no field matches '*.Default_cost'; did you mean 'credits.default_cost'?",
    "changes --kind increase --min-pct 5": "no change matches --kind increase and --min-pct 5",
}


def test_i6_each_empty_result_has_its_reason(history: Shell) -> None:
    printed = {line: output(history(*line.split())).splitlines()[0] for line in REASONS}
    assert printed == {line: f"nothing found: {reason}" for line, reason in REASONS.items()}


def test_programs_get_an_empty_document(history: Shell) -> None:
    for line in REASONS:
        assert output(history(*line.split(), "--json")) == "[]\n"
        assert output(history(*line.split(), "--csv")).count("\n") == 1


def test_i6_a_catalog_without_a_sync_says_so(shell: Shell, sqlite_url: str) -> None:
    shell.set(DATABASE_URL=sqlite_url)
    for command in ("models", "changes"):
        assert "this catalog has no successful sync yet; run catalog-sync sync" in output(shell(command))
        assert "mode video has no successful sync yet" in output(shell(command, "--mode", "video"))
    for command in ("show", "costs"):
        line = error_line(shell(command, "acme/a"), 2)
        assert line.endswith(
            "no model 'acme/a' was ever listed: this catalog has no successful sync yet; run catalog-sync sync"
        )
    assert "no runs yet; run catalog-sync sync" in output(shell("status"))
    assert output(shell("ignore", "list")).startswith("nothing found: no field is ignored")


def test_a_model_before_its_first_observation_has_the_date_of_it(history: Shell) -> None:
    line = error_line(history("show", "acme/a", "--as-of", "2026-02-01"), 2)
    words = "was not listed yet at 2026-02-01 00:00:00 UTC; it was first observed at 2026-03-01 00:00:00 UTC in mode"
    assert words in line
