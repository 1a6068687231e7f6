"""The program at the time of the demo: ``python -m tests.pictures.program_at ARGUMENTS``."""

from __future__ import annotations

import sys

from sync.cli import options
from sync.cli.commands import cli
from sync.cli.doc_questions import UNTIL

if __name__ == "__main__":
    options.now = lambda: UNTIL
    cli(sys.argv[1:], prog_name="catalog-sync")
