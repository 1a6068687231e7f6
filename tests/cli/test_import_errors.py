"""Every error of an import is reported, not only the one that stops it."""

from __future__ import annotations

import json
import re
from pathlib import Path

from tests.cli.conftest import Shell
from tests.cli.test_import_command import line, saved
from tests.support.api_catalogs import envelope, model, numbered_models
from tests.support.commands import error_line


def test_every_error_of_an_import_is_reported(shell: Shell, sqlite_url: str, tmp_path: Path) -> None:
    both = {"at": "2026-01-04T00:00:00Z", "image": {"ok": False}, "video": {"ok": True, "code": 200, "data": 5}}
    lines = (
        line("2026-01-01T00:00:00Z", *numbered_models(4), model("acme/bad", "x")),
        line("2026-01-02T00:00:00Z", *numbered_models(4)),
        line("2026-01-03T00:00:00Z", *numbered_models(3), model("acme/worse", True)),  # noqa: FBT003  # a value of JSON
        json.dumps(both),
    )
    file = saved(tmp_path / "saved.jsonl", *lines)
    shell.set(DATABASE_URL=sqlite_url)
    ended = shell("import", "--json", file)
    printed, document = error_line(ended, 5), json.loads(ended.out)

    assert "line 4: " in document["problems"][0]
    assert "an envelope whose ok is not true" in document["problems"][0]
    assert "it has no list data.models" in document["problems"][0]
    assert "line 1: " in document["problems"][1]
    assert "'acme/bad'" in document["problems"][1]
    assert "line 3: " in document["problems"][2]
    assert "'acme/worse'" in document["problems"][2]
    assert len(document["problems"]) == 3
    assert all(problem in printed for problem in document["problems"])


def test_a_line_that_is_held_in_one_mode_and_broken_in_the_other_has_both_errors(
    shell: Shell, sqlite_url: str, tmp_path: Path
) -> None:
    images, videos = ([model(f"acme/{mode}-{n}", 1, mode=mode) for n in range(4)] for mode in ("image", "video"))
    first = {"image": json.loads(envelope(images)), "video": json.loads(envelope(videos, "video"))}
    broken = json.loads(envelope(videos, "video")) | {"has_more": True}
    second = {"image": json.loads(envelope([])), "video": broken}
    lines = [{"at": f"2026-01-0{day}T00:00:00Z", **modes} for day, modes in ((1, first), (2, second))]
    shell.set(DATABASE_URL=sqlite_url)
    printed = error_line(shell("import", saved(tmp_path / "saved.jsonl", *map(json.dumps, lines))), 5)

    assert "has_more says that the list is not whole" in printed
    assert "4 listed models are missing" in printed


def test_a_line_that_is_too_late_in_both_modes_has_both_errors(shell: Shell, sqlite_url: str, tmp_path: Path) -> None:
    both = {"image": json.loads(envelope([model("acme/a", 1)])), "video": json.loads(envelope([], "video"))}
    lines = [{"at": f"2026-01-0{day}T00:00:00Z", **both} for day in (2, 1)]
    shell.set(DATABASE_URL=sqlite_url)
    ended = shell("import", saved(tmp_path / "saved.jsonl", *map(json.dumps, lines)))

    assert "stored for modes image and video" in error_line(ended, 5)


def test_of_very_many_errors_the_line_has_the_first_ones_and_their_number(
    shell: Shell, sqlite_url: str, tmp_path: Path
) -> None:
    lines = [line(f"2026-01-{day:02}T00:00:00Z", model(f"acme/bad-{day}", "x")) for day in range(1, 31)]
    shell.set(DATABASE_URL=sqlite_url)
    ended = shell("import", "--json", saved(tmp_path / "saved.jsonl", *lines))

    assert re.search(r"; also: \d\d more lines, which --json prints$", error_line(ended, 5))
    assert len(json.loads(ended.out)["problems"]) == 30
