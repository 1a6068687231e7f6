"""A database with a catalog on record and the program beside it, to which something is done."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from models_db.engine import open_engine
from tests.cli.conftest import Shell
from tests.support.api_catalogs import envelope, model, numbered_models
from tests.support.commands import CommandResult, environment, error_line, output, started
from tests.support.database_contents import RUN_TABLES, Rows, every_row, query_rows
from tests.support.rude_server import RudeServer, Script, response, says
from tests.support.secrets_search import KEY, require_hidden
from tests.support.stored_rows_checker import assert_consistent

LISTED = numbered_models(4)
VIDEO = [model("acme/video", 9, mode="video")]
STATUS = "SELECT status FROM sync_runs ORDER BY run_id"


def image(models: Any = LISTED, /, *headers: str, **data: object) -> Script:
    """The answer to the question for images."""
    return says(response("200 OK", envelope(models, **data), "Content-Type: application/json", *headers))


def video(models: Any = VIDEO, *headers: str) -> Script:
    return says(response("200 OK", envelope(models, "video"), *headers))


class SyncedDatabase:
    """Four image models and one video model are on record when a test begins, by run 1."""

    def __init__(self, shell: Shell, url: str, home: Path, *, is_new: bool = True) -> None:
        self.shell, self.url, self.home = shell, url, home
        shell.set(DATABASE_URL=url, ATTEMPTS="1", DEADLINE="20")
        if is_new:
            self.succeeds()

    def sync(self, *arguments: str, **scripts: Script) -> CommandResult:
        """One run against a server that answers each mode as told, else as before."""
        by_mode = {"image": image(), "video": video(), **scripts}
        with RudeServer(image=by_mode["image"], video=by_mode["video"]) as api:
            return self.shell("sync", "--base-url", api.url, *arguments)

    def succeeds(self, *arguments: str, **scripts: Script) -> str:
        """What a run prints that goes well, and leaves everything sound."""
        told = output(self.sync(*arguments, **scripts))
        self.verify()
        return told

    def fails(self, code: int, *arguments: str, **scripts: Script) -> str:
        """The line of a run that fails and changes nothing of the catalog."""
        before = self.catalog()
        line = error_line(self.sync(*arguments, **scripts), code)
        self.require_unchanged(before)
        return line

    def fails_in_both_modes(self, code: int, script: Script, *arguments: str) -> str:
        """The line of a run to which both modes give the same bad answer: nothing but its row is written."""
        line = self.fails(code, *arguments, image=script, video=script)
        assert query_rows(self.url, STATUS)[-1] == ("failed",)
        assert query_rows(self.url, "SELECT error_message FROM sync_runs ORDER BY run_id")[-1][0] in line
        return line

    def catalog(self) -> dict[str, Rows]:
        """Every row but those that tell of runs."""
        return {name: rows for name, rows in every_row(self.url).items() if name not in {*RUN_TABLES, "calendar_days"}}

    def require_unchanged(self, before: dict[str, Rows]) -> None:
        """Nothing changed since, and all is sound."""
        assert self.catalog() == before
        self.verify()

    def verify(self) -> None:
        """Both verify and a checker that shares no code with it find the stored data true; no secret is in it."""
        engine = open_engine(self.url)
        try:
            assert_consistent(engine)
        finally:
            engine.dispose()
        output(self.shell("verify"))
        require_hidden(repr(every_row(self.url)))

    def events(self) -> list[str]:
        """The kinds of all changes after the first run, in their order."""
        query = "SELECT change_kind FROM catalog_changes WHERE run_id > 1 ORDER BY change_id"
        return [kind for (kind,) in self.query(query)]

    def costs(self, mode: str = "image") -> dict[str, str]:
        """What each listed model costs."""
        query = f"SELECT model_id, credit_cost_exact FROM v_current_catalog WHERE mode = '{mode}'"
        return {row[0]: row[1] for row in self.query(query)}

    def query(self, query: str) -> Rows:
        return query_rows(self.url, query)

    def environment(self, **settings: str) -> dict[str, str]:
        """For the program as a process of its own."""
        return environment(self.home, DATABASE_URL=self.url, API_KEY=KEY, **{"ATTEMPTS": "1", **settings})

    @contextmanager
    def process(
        self, *arguments: str, api: RudeServer, options: Mapping[str, object] | None = None, **settings: str
    ) -> Iterator[Any]:
        """The program at work as a process of its own; the options are those of Popen."""
        environ = self.environment(BASE_URL=api.url, **settings)
        with started(*arguments, environ=environ, **(options or {})) as process:
            yield process
