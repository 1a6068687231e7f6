"""``make pictures``: the pictures of the README, from the demo and from what commands print about it."""

from __future__ import annotations

import tempfile
from datetime import datetime
from pathlib import Path

from sync import __version__
from sync.cli.commands.report import report_period, write_report
from sync.cli.doc_questions import UNTIL
from sync.cli.process.messages import print_line
from sync.demo import run_demo
from sync.run import RunResult
from sync.show.report.page import ReportHead
from sync.store.database import Database
from sync.store.report import ReportFilter
from tests.pictures.report_pictures import draw_report
from tests.pictures.terminal_picture import terminal_picture

FOLDER = Path(__file__).parents[2] / "docs" / "pictures"


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        database, page = Path(name) / "demo.db", Path(name) / "demo.html"
        run_demo(database, UNTIL, __version__, _no_line)
        (FOLDER / "terminal.svg").write_text(terminal_picture(database), encoding="utf-8")
        wanted = ReportFilter(report_period(None, UNTIL, UNTIL))
        head = ReportHead("Demo of catalog-sync", UNTIL, __version__)
        write_report(Database(f"sqlite:///{database}"), wanted, head, page)
        draw_report(page, FOLDER)
    for file in sorted(FOLDER.iterdir()):
        print_line(f"{file.stat().st_size:7} bytes  {file.name}")


def _no_line(_moment: datetime, _run: RunResult) -> None:
    """The pictures have no lines of the runs."""


if __name__ == "__main__":
    main()
