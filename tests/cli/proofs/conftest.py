"""A catalog with runs at every hour, and the proofs about it, which the script of the documentation must take."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from models_db.engine import open_engine
from tests.cli.conftest import Shell
from tests.support.commands import error_line, output
from tests.support.made_responses import model
from tests.support.proof_script import check_proof
from tests.support.run_driver import Host

OTHERS = [model(f"other-{number}", cost=number) for number in range(9)]


@dataclass
class ProvenCatalog:
    """A catalog that is synced each hour from 10:00, and what an auditor does with its proofs."""

    shell: Shell
    host: Host
    folder: Path

    @property
    def proof(self) -> Path:
        return self.folder / "proof.json"

    def sync(self, *models: Any, **options: Any) -> None:
        self.host.sync([*OTHERS, *models], [model("both")], **options)

    def prove(self, model_id: str, at: str, *arguments: str) -> dict[str, Any]:
        """The claim of the proof that is written to ``proof``, which the script takes."""
        arguments = (model_id, "--at", at, "--output", str(self.proof), *arguments)
        assert output(self.shell("prove", *arguments)) == ""
        code, line = check_proof(self.proof)
        assert code == 0, line
        claim: dict[str, Any] = json.loads(self.proof.read_text())["claim"]
        assert claim["observed_at"] <= claim["at"]
        return claim

    def cost(self, model_id: str, at: str, *arguments: str) -> tuple[str | None, str]:
        """The cost that is proved, and the hour of the observation."""
        claim = self.prove(model_id, at, *arguments)
        return claim["credit_cost_exact"], claim["observed_at"][11:16]

    def refused(self, model_id: str, at: str, *arguments: str, code: int = 2) -> str:
        return error_line(self.shell("prove", model_id, "--at", at, *arguments), code)


def hour(number: int, minute: int = 30) -> str:
    return f"2026-03-01T{number:02}:{minute:02}Z"


@pytest.fixture
def proven(shell: Shell, migrated_url: str, tmp_path: Path) -> Iterator[ProvenCatalog]:
    """A catalog without a run."""
    engine = open_engine(migrated_url)
    shell.set(DATABASE_URL=migrated_url)
    yield ProvenCatalog(shell, Host(engine), tmp_path)
    engine.dispose()
