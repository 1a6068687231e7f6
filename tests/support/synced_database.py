"""A database with a stored catalog, and the program that syncs it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.cli.conftest import Shell
from tests.support.api_catalogs import envelope, model, numbered_models
from tests.support.commands import CommandResult, environment, error_line, output, started
from tests.support.database_contents import DAY_TABLES, RUN_TABLES, SEAL_TABLES, Rows, every_row, query_rows
from tests.support.rude_server import RudeServer, Script, response, says
from tests.support.secrets_search import KEY
from tests.support.verified_contents import require_consistent

LISTED = numbered_models(4)
VIDEO = [model("acme/video", 9, mode="video")]
STATUS = "SELECT status FROM sync_runs ORDER BY run_id"


def image(models: Any = LISTED, /, *headers: str, **data: object) -> Script:
    """The script that sends these models for mode image."""
    return says(response("200 OK", envelope(models, **data), "Content-Type: application/json", *headers))


def video(models: Any = VIDEO, *headers: str) -> Script:
    return says(response("200 OK", envelope(models, "video"), *headers))


class SyncedDatabase:
    """A database in which run 1 stored four image models and one video model, or an empty one without run 1."""

    def __init__(self, shell: Shell, url: str, home: Path, *, is_synced: bool = False) -> None:
        """With ``is_synced``, run 1 has been there already, or the test does without it."""
        self.shell, self.url, self.home = shell, url, home
        shell.set(DATABASE_URL=url, ATTEMPTS="1", DEADLINE="20")
        if not is_synced:
            self.succeeds()

    def sync(self, *arguments: str, **scripts: Script) -> CommandResult:
        """One run against a server that runs the given script of a mode, or sends the models of run 1."""
        by_mode = {"image": image(), "video": video(), **scripts}
        with RudeServer(image=by_mode["image"], video=by_mode["video"]) as api:
            return self.shell("sync", "--base-url", api.url, *arguments)

    def succeeds(self, *arguments: str, **scripts: Script) -> str:
        """The output of a run that must succeed and leave consistent data."""
        printed = output(self.sync(*arguments, **scripts))
        self.verify()
        return printed

    def fails(self, code: int, *arguments: str, **scripts: Script) -> str:
        """The error line of a run that must fail and change nothing of the catalog."""
        before = self.catalog()
        line = error_line(self.sync(*arguments, **scripts), code)
        self.require_unchanged(before)
        return line

    def fails_in_both_modes(self, code: int, script: Script, *arguments: str) -> str:
        """The error line of a run that gets the same bad response for both modes: only its own row is written."""
        line = self.fails(code, *arguments, image=script, video=script)
        assert query_rows(self.url, STATUS)[-1] == ("failed",)
        assert query_rows(self.url, "SELECT error_message FROM sync_runs ORDER BY run_id")[-1][0] in line
        return line

    def catalog(self) -> dict[str, Rows]:
        """All rows but those of runs, their seals and their days."""
        return {
            name: rows
            for name, rows in every_row(self.url).items()
            if name not in {*RUN_TABLES, *DAY_TABLES, *SEAL_TABLES}
        }

    def require_unchanged(self, before: dict[str, Rows]) -> None:
        """The catalog has not changed since, and the data is consistent."""
        assert self.catalog() == before
        self.verify()

    def verify(self) -> None:
        require_consistent(self.url)

    def events(self) -> list[str]:
        """The kinds of all changes after run 1, in order."""
        query = "SELECT change_kind FROM catalog_changes WHERE run_id > 1 ORDER BY change_id"
        return [kind for (kind,) in self.query(query)]

    def costs(self, mode: str = "image") -> dict[str, str]:
        """The exact cost of each listed model."""
        query = f"SELECT model_id, credit_cost_exact FROM v_current_catalog WHERE mode = '{mode}'"
        return {row[0]: row[1] for row in self.query(query)}

    def query(self, query: str) -> Rows:
        return query_rows(self.url, query)

    def environment(self, **settings: str) -> dict[str, str]:
        """The environment for the program as a separate process."""
        return environment(self.home, DATABASE_URL=self.url, API_KEY=KEY, **{"ATTEMPTS": "1", **settings})

    @contextmanager
    def process(
        self, *arguments: str, api: RudeServer, options: Mapping[str, Any] | None = None, **settings: str
    ) -> Iterator[Any]:
        """The program running as a separate process; ``options`` are those of Popen."""
        environ = self.environment(BASE_URL=api.url, **settings)
        with started(*arguments, environ=environ, **(options or {})) as process:
            yield process
