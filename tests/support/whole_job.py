"""Everything that the job does with a database, one after the other: each end of a run, and each command.

What only the owner of the tables does is left out: ``migrate``, ``prune`` and ``import`` of what ``export`` wrote.
"""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from msgspec.structs import replace
from sqlalchemy import Engine, insert

from models_db.engine import open_engine
from models_db.tables import sync_runs
from sync.catalog.guards import GuardSettings
from sync.errors import ApiUnreachable, UsageError
from sync.run import run_sync
from sync.run.source_check import Acceptance
from tests.cli.conftest import Shell
from tests.support import eventful_history
from tests.support.api_catalogs import envelope
from tests.support.api_catalogs import model as sent_model
from tests.support.commands import output
from tests.support.made_responses import Model, model
from tests.support.run_driver import Host
from tests.support.synced_database import LISTED, SyncedDatabase, image, video

STATUSES = {"success", "partial", "held", "failed", "superseded", "abandoned"}
"""The statuses of the runs afterwards."""

CHECKPOINTS = "checkpoints.txt"
"""The file in the folder with the checkpoint of the last run."""

_DOWN = ApiUnreachable("no response")
_PEOPLE = Acceptance(base_url=True, by="somebody", why="it is right")
_READING = (
    *(("status",), ("models",), ("changes",), ("costs", "acme/image-0"), ("show", "acme/image-0"), ("ask",)),
    *(("migrate", "--check"), ("ignore", "list"), ("report", "-"), ("verify",)),
)


def do_everything(shell: Shell, url: str, folder: Path) -> SyncedDatabase:
    """Imports, syncs with every result, accepts, ignores and reads, in an empty database at head."""
    shell.set(DATABASE_URL=url)
    _import(shell, folder)
    engine = open_engine(url)
    _run(Host(engine, now=datetime(2024, 3, 1, 10, tzinfo=UTC)))
    engine.dispose()
    return _use_commands(SyncedDatabase(shell, url, folder, is_synced=True))


def _import(shell: Shell, folder: Path) -> None:
    file = folder / "responses.jsonl"
    costs = {"2024-01-01T00:00:00Z": 1, "2024-01-02T00:00:00Z": 2}
    lines = [{"at": at, "image": json.loads(envelope([sent_model("a", cost)]))} for at, cost in costs.items()]
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    output(shell("import", str(file)))


def _run(host: Host) -> None:
    eventful_history.make_history(host)
    many = [model(f"m{number}", cost=number + 1) for number in range(6)]
    host.sync([*many, _with_parts(1)], [], accept="all", accept_costs="all", acceptance=_PEOPLE)
    host.sync([*many, _with_parts(2)], [])
    dear = [model(f"m{number}", cost=1000) for number in range(6)]
    host.sync([*dear, _with_parts(2)], [])
    host.sync([*dear, _with_parts(2)], [], accept_costs="all", acceptance=_PEOPLE)
    host.sync([model(f"foreign-{number}") for number in range(9)], [])
    host.sync(_DOWN, _DOWN)
    _sync_with_a_wrong_clock(host)
    _leave_a_run_without_an_end(host.engine)
    other = Host(host.engine, now=host.now)
    host.meanwhile = lambda: other.sync([*dear, _with_parts(2)], [])
    host.sync(many, [])


def _sync_with_a_wrong_clock(host: Host) -> None:
    """The run gives its tick back."""
    wrong = Host(host.engine, now=host.now, server_is_behind=timedelta(hours=2))
    with suppress(UsageError):
        run_sync(host.engine, replace(wrong.dependencies({"image": []}, ["image"], GuardSettings()), tick="any image"))


def _with_parts(number: int) -> Model:
    """A model with a row in every table; another number gives each of the rows other values."""
    params = {"seed": {"type": "integer", "default": number, "enum": [number, 9]}}
    inputs = {"required": ["prompt", f"one_of:prompt,b{number}"]}
    return model("parts", number, params=params, inputs=inputs, capabilities={"size": number}) | {
        "credits": {"default_cost": number, "notes": f"note {number}", "hd": number}
    }


def _leave_a_run_without_an_end(engine: Engine) -> None:
    start = {"started_at": datetime(2024, 5, 1, tzinfo=UTC), "status": "running", "trigger_kind": "cli"}
    with engine.begin() as connection:
        connection.execute(insert(sync_runs).values(**start, app_version="0"))


def _use_commands(catalog: SyncedDatabase) -> SyncedDatabase:
    shell, accepted = catalog.shell, ("--accept-removals", "all", "--accept-costs", "all")
    catalog.succeeds("--accept-base-url", *accepted, "--by", "somebody", "--why", "moved")
    output(shell("ignore", "add", "models.latency_ms", "--why", "noise"))
    rejected = [sent_model("acme/image-0", -1), *LISTED[1:]]
    assert catalog.sync(image=image(rejected)).code == 5
    output(shell("ignore", "remove", "models.latency_ms"))
    catalog.succeeds("--migrate", image=image(), video=video())
    assert catalog.sync("--dry-run", image=image(LISTED[:2])).code == 0
    kept = str(catalog.home / CHECKPOINTS)
    catalog.succeeds("--mode", "image", "--checkpoint-file", kept, image=image([*LISTED[:3], _with_parts(1)]))
    proving = (("checkpoint",), ("verify", "--checkpoint", kept), ("prove", "acme/image-0", "--at", "0s"))
    for command in (*_READING, *proving):
        output(shell(*command))
    output(shell("export", str(catalog.home / "exported.jsonl")))
    return catalog
