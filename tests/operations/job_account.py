"""The two accounts of docs/operations.md on a database of a test."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from sqlalchemy import NullPool, create_engine, make_url
from sqlalchemy.exc import DBAPIError

from models_db import migrate
from models_db.engine import normalise_url
from models_db.engine.permissions import is_denied
from tests.operations.documented_commands import run_statements
from tests.support.docs_pages import blocks, page, section

HEADINGS = {"postgresql": "### Accounts on PostgreSQL", "mariadb": "### Accounts on MariaDB"}
_DROP = {"postgresql": "DROP OWNED BY {name} CASCADE; DROP ROLE {name};", "mariadb": "DROP USER {name};"}

AFTER_THE_END = (
    "UPDATE model_versions SET valid_to = NULL, closed_run_id = NULL WHERE valid_to IS NOT NULL",
    "UPDATE model_versions SET valid_to = '2030-01-01 00:00:00.000000' WHERE valid_to IS NOT NULL",
    "UPDATE credit_history SET valid_to = '2030-01-01 00:00:00.000000' WHERE valid_to IS NOT NULL",
    "UPDATE rejected_models SET valid_to = NULL, closed_run_id = NULL WHERE valid_to IS NOT NULL",
    "UPDATE ignored_fields SET valid_to = NULL WHERE valid_to IS NOT NULL",
    "UPDATE sync_runs SET status = 'failed' WHERE run_id = 1",
    "UPDATE sync_runs SET finished_at = '2030-01-01 00:00:00.000000' WHERE run_id = 1",
    """UPDATE sync_runs SET accepted = '{}' WHERE accepted IS NOT NULL""",
)
"""Changes of what has ended: the grants permit them, the triggers refuse them, ``verify`` finds them."""
REMARKS = (
    "UPDATE sync_runs SET note = 'x' WHERE run_id = 1",
    "UPDATE sync_runs SET error_type = 'x', error_message = 'x' WHERE error_type IS NOT NULL",
    "UPDATE ignored_fields SET reason = 'x' WHERE valid_to IS NOT NULL",
)
"""The same for texts from which nothing follows: ``verify`` does not find them."""
WITHOUT_A_SEAL = (
    "UPDATE sync_runs SET status = 'superseded' WHERE status = 'failed'",
    "UPDATE sync_runs SET finished_at = '2030-01-01 00:00:00.000000' WHERE status = 'failed'",
)
"""The same for runs that stored nothing: ``verify`` finds what contradicts the rest of the run."""


@dataclass(frozen=True)
class Accounts:
    """The URLs of the accounts, and the optional triggers."""

    owner: str
    job: str
    folder: Path
    administrator: str
    triggers: str

    def add_triggers(self) -> None:
        run_statements(make_url(self.administrator), self.folder, self.triggers)

    def refused(self, statement: str) -> bool:
        """Whether the job may not execute the statement. It is executed for good otherwise."""
        try:
            self.execute(statement)
        except DBAPIError as error:
            if is_denied(error) or "must be owner" in str(error.orig):
                return True
            raise
        return False

    def permitted(self, statements: Iterable[str]) -> list[str]:
        """Those of the statements that the job may execute."""
        return [statement for statement in statements if not self.refused(statement)]

    def execute(self, *statements: str) -> None:
        """Executes statements as the job, in one transaction."""
        engine = create_engine(normalise_url(self.job), poolclass=NullPool)
        with engine.begin() as connection:
            for statement in statements:
                connection.exec_driver_sql(statement.replace("%", "%%"))


@contextmanager
def accounts_on(kind: str, url: str, folder: Path) -> Iterator[Accounts]:
    """The accounts as the page makes them, without the triggers, and a catalog of the owner."""
    database = make_url(url)
    owner, job = (f"{name}_{uuid4().hex[:8]}" for name in ("owner", "job"))  # other tests use the same server
    make, grant, triggers = (
        block.replace("catalog_owner", owner).replace("catalog_job", job).replace("catalog.*", f"{database.database}.*")
        for block in blocks(section(page("docs/operations.md"), HEADINGS[kind]), "sql")
    )
    run_statements(database, folder, make)
    owner_url, job_url = (
        database.set(username=name, password="change me").render_as_string(hide_password=False) for name in (owner, job)
    )
    migrate.upgrade(owner_url)
    run_statements(database, folder, grant)
    run_statements(database, folder, grant)  # as after an upgrade
    yield Accounts(owner_url, job_url, folder, url, triggers)
    for name in (job, owner):
        run_statements(database, folder, _DROP[kind].format(name=name))
