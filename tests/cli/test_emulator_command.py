"""The command ``emulator``, for demos and for the tests of other programs."""

from __future__ import annotations

import signal
from pathlib import Path

import requests

from sync.source.emulator.server import Emulator
from tests.cli.conftest import Shell
from tests.support.api_catalogs import catalog, envelope, numbered_models
from tests.support.commands import environment, error_line, finished, output, started
from tests.support.secrets_search import KEY


def test_an_emulator_serves_its_series_step_by_step_and_ends_with_code_0(tmp_path: Path) -> None:
    file = tmp_path / "series.json"
    file.write_text(f"[{envelope(numbered_models(2)).decode()}, {envelope(numbered_models(3)).decode()}]")
    with started("emulator", str(file), environ=environment(tmp_path)) as process:
        assert process.stdout
        url = process.stdout.readline().split()[1].rstrip(";") + "/studio/models"
        key = {"Authorization": f"Bearer {KEY}"}
        first, second, third = (requests.get(f"{url}?mode=image", headers=key, timeout=5) for _ in range(3))
        assert [each.json()["data"]["total"] for each in (first, second, third)] == [2, 3, 3]
        assert requests.get(f"{url}?mode=audio", headers=key, timeout=5).status_code == 422
        assert requests.get(url, timeout=5).json()["error_code"] == "invalid_token"
        process.send_signal(signal.SIGTERM)
        ended = finished(process, within=10)
    assert ended.code == 0
    assert ended.err.count('"GET /api/partner/v1/studio/models') == 5


def test_an_emulator_that_holds_stays_on_its_first_catalog_and_can_be_quiet(tmp_path: Path) -> None:
    file = tmp_path / "series.json"
    file.write_text(f"[{envelope(numbered_models(2)).decode()}, {envelope(numbered_models(3)).decode()}]")
    with started("emulator", "--hold", "--quiet", str(file), environ=environment(tmp_path)) as process:
        assert process.stdout
        url = process.stdout.readline().split()[1].rstrip(";")
        for _ in range(2):
            found = requests.get(f"{url}/studio/models", headers={"Authorization": f"Bearer {KEY}"}, timeout=5)
            assert found.json()["data"]["total"] == 2
        process.send_signal(signal.SIGINT)
        assert output(finished(process, within=10)) == ""


def test_an_emulator_without_a_file_serves_both_modes_of_the_demo(tmp_path: Path) -> None:
    with started("emulator", "--hold", environ=environment(tmp_path)) as process:
        assert process.stdout
        url = process.stdout.readline().split()[1].rstrip(";") + "/studio/models"
        key = {"Authorization": f"Bearer {KEY}"}
        both, named = (requests.get(url + query, headers=key, timeout=5).json() for query in ("", "?mode=all"))
        process.send_signal(signal.SIGTERM)
        finished(process, within=10)
    assert both == named
    assert {model["mode"] for model in both["data"]["models"]} == {"image", "video"}


def test_a_port_in_use_is_reported(shell: Shell, tmp_path: Path) -> None:
    file = tmp_path / "catalog.json"
    file.write_bytes(envelope(numbered_models(2)))
    with Emulator([catalog()]) as other:
        assert "or leave it out for a free one" in error_line(
            shell("emulator", str(file), "--port", str(other.port)), 2
        )
