"""The commands."""

import os
import sys

from sync.cli.process.gc_tuning import expect_short_work
from sync.cli.process.signals import Terminated, end_on_sigterm

expect_short_work()


def main() -> None:
    """Run the command line of this process and exit with its code."""
    try:
        end_on_sigterm()
        from sync.cli.entry_point import (
            main as run,  # loading takes a while too: Ctrl-C must end it in one line as well
        )

        run()
    except Terminated:
        os.write(2, b"catalog-sync: told to stop; run it again\n")
        sys.exit(143)
    except KeyboardInterrupt:
        os.write(2, b"catalog-sync: interrupted; run it again\n")
        sys.exit(130)
