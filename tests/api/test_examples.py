"""The examples of docs/examples run as they are."""

from __future__ import annotations

import json
import runpy
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from sync.demo import run_demo
from sync.source.emulator.server import EXPIRED_KEY, Emulator
from tests.support.api_catalogs import catalog, model, numbered_models
from tests.support.docs_pages import ROOT
from tests.support.secrets_search import KEY

EXAMPLES = ROOT / "docs" / "examples"
NOTEBOOK: dict[str, Any] = json.loads((EXAMPLES / "catalog.ipynb").read_text())


def cells(kind: str) -> list[dict[str, Any]]:
    return [cell for cell in NOTEBOOK["cells"] if cell["cell_type"] == kind]


def test_the_notebook_is_stored_without_output() -> None:
    assert NOTEBOOK["nbformat"] == 4
    assert [(cell["execution_count"], cell["outputs"], cell["metadata"]) for cell in cells("code")] == [
        (None, [], {})
    ] * len(cells("code"))


def test_the_notebook_runs_on_the_database_of_the_demo(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    run_demo(tmp_path / "demo.db", datetime(2026, 3, 31, 12, tzinfo=UTC), "0", lambda _moment, _run: None)
    names: dict[str, Any] = {"__name__": "__main__"}
    for cell in cells("code"):
        exec("".join(cell["source"]), names)
    printed = capsys.readouterr().out

    assert "did you mean" in printed
    assert names["unsure"].low < names["unsure"].high
    assert not names["unsure"].is_sure
    assert {names["move"].old_cost, names["move"].new_cost} == {names["unsure"].low, names["unsure"].high}
    assert names["findings"] == []


def test_the_script_runs_a_sync_and_says_what_to_do(
    sqlite_url: str, serve: Callable[..., Emulator], capsys: pytest.CaptureFixture[str]
) -> None:
    main = runpy.run_path(str(EXAMPLES / "one_sync.py"))["main"]
    api = serve(catalog(*numbered_models(6)), catalog(*numbered_models(6)[1:], model("acme/image-0", 2)), catalog())

    def run(step: int, **environ: str) -> tuple[int, str]:
        api.step_to(step)
        settings = {"API_KEY": KEY, "BASE_URL": api.base_url, **environ}
        code = main(sqlite_url, environ={f"CATALOG_SYNC_{name}": value for name, value in settings.items()})
        return code, capsys.readouterr().out

    assert run(0)[0] == 0
    code, printed = run(1)
    assert (code, printed.splitlines()[1:]) == (0, ["acme/image-0: 1 -> 2 (+100.0 %)"])
    code, printed = run(2)
    assert code == 7
    assert "a person decides: 6 image models are missing" in printed
    code, printed = run(2, API_KEY=EXPIRED_KEY)
    assert code == 3
    assert "to do: check the API key and the plan" in printed
