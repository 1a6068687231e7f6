"""The command ``prove``: evidence for the cost of a model at a moment, checked without database and program."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sync.cli import options
from sync.cli.checkpoint_files import read_checkpoints
from sync.cli.composition import database
from sync.cli.param_types import Utf8Text
from sync.cli.which_catalog import read_which
from sync.errors import UsageError

if TYPE_CHECKING:
    from sync.store.database import Connection


@click.command(
    short_help="Write evidence for a model's cost at a time.",
    epilog="Example: catalog-sync prove google/nano-banana --at 2026-03-01T12:00Z --output proof.json",
)
@click.argument("model_id", type=Utf8Text(), metavar="MODEL_ID")
@options.moment("--at", "The model at this time.", required=True)
@options.mode
@click.option(
    "--checkpoint",
    "kept",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Prove it under the newest of the checkpoints in FILE, which were kept elsewhere. Default: that of now.",
)
@options.output_file
@options.database_url
def prove(
    *, model_id: str, at: datetime, mode: str | None, kept: Path | None, output: Path | None, database_url: str
) -> None:
    """Write evidence for a model's text and cost at a time, as one JSON document.

    docs/check_proof.py checks it with Python alone, without the database and without this program. The evidence is
    that of the last successful sync until then whose run is on record. A time at which the model was not
    listed is refused with exit code 2.
    """
    from sync.catalog.proof import BEGIN
    from sync.cli.commands.model import find_models
    from sync.cli.process.whole_file import write_document
    from sync.run.prove import prove_model

    now = options.now()
    if at > now:
        raise UsageError(f"--at is in the future: {at:%Y-%m-%d %H:%M:%S} UTC; give a time that has passed")
    checkpoints = None if kept is None else read_checkpoints(kept).checkpoints
    catalog = database(database_url)

    def work(connection: Connection) -> str:
        models = find_models(connection, read_which(catalog, connection, mode), model_id, mode)
        return prove_model(connection, models, at, checkpoints)

    write_document(output, catalog.read(work), BEGIN)
