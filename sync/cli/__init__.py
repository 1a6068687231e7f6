"""The command line: arguments in, lines and an exit code out. ``main`` is the entry point in pyproject.toml."""

import os
import sys

from sync.cli.process import gc_tuning
from sync.cli.process.signals import Terminated, end_on_sigterm

gc_tuning.for_batch()


def main() -> None:
    """Run the command line of this process and exit with its code."""
    # The import is inside: loading takes some tenths of a second, and a signal during it also ends in one line.
    try:
        end_on_sigterm()
        from sync.cli.entry_point import main as run

        run()
    # Exit codes as numbers: sync.errors may not be loaded yet.
    except Terminated:
        os.write(2, b"catalog-sync: stopped by SIGTERM; run it again\n")
        sys.exit(143)
    except KeyboardInterrupt:
        os.write(2, b"catalog-sync: interrupted; run it again\n")
        sys.exit(130)
