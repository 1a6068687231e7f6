"""Fill a migrated database with a long history, as the job would have written it in years.

    python -m benchmarks.seed_history sqlite:////tmp/grown.sqlite --models 1000 --intervals 1000000 --runs 1000000

The rows agree with each other: ``catalog-sync verify`` finds the database sound. The models listed at
the end are those of the made-up catalogs (``benchmarks.catalogs``), so that a sync of the same finds
nothing changed. With ``--migrate`` the database is made first.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime

from benchmarks.bulk import load
from benchmarks.histories import History
from benchmarks.lives import Shape, gaps_of
from models_db.errors import DatabaseSettingError, SchemaError
from models_db.migrate import upgrade


def fill(url: str, shape: Shape) -> str:
    """Fill the database, and give in one line what was made."""
    begun = time.monotonic()
    history = load(url, lambda encoding: History(shape, encoding))
    return (
        f"{len(history.lives)} models, {shape.models} of them listed; {len(history.spans)} intervals with"
        f" {gaps_of(history.spans)} gaps; {shape.runs} runs; {time.monotonic() - begun:.0f} s"
    )


def main(arguments: Sequence[str], now: datetime) -> None:
    options = _parser().parse_args(arguments)
    shape = Shape(options.models, options.intervals, options.runs, options.raw_bytes, options.end or now)
    try:
        if options.migrate:
            upgrade(options.url)
        print(fill(options.url, shape))
    except (DatabaseSettingError, SchemaError, ValueError) as error:
        sys.exit(str(error))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.seed_history", description=__doc__.partition("\n")[0])
    parser.add_argument("url", help="database URL, as catalog-sync takes it")
    parser.add_argument("--models", type=int, default=1_000, help="models listed at the end")
    parser.add_argument("--intervals", type=int, default=1_000_000, help="intervals of costs, as many as versions")
    parser.add_argument("--runs", type=int, default=1_000_000, help="runs, all successful, evenly over three years")
    parser.add_argument("--raw-bytes", type=int, default=300, help="about how long the text of a version is")
    parser.add_argument("--end", type=_moment, help="time of the last run; now, unless given")
    parser.add_argument("--migrate", action="store_true", help="make the tables first")
    return parser


def _moment(text: str) -> datetime:
    found = datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


if __name__ == "__main__":
    main(sys.argv[1:], datetime.now(UTC))
