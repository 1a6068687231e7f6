"""The commands."""

import gc
import os
import sys

# Before all else is loaded: hardly anything here is garbage that hangs together, and looking for it would be
# a tenth of a short run's work, and more of a large catalog's.
gc.set_threshold(200_000, 20, 20)


def main() -> None:
    """Run the command line of this process and exit with its code."""
    try:
        from sync.cli.door import main as run  # loading takes a while too: Ctrl-C must end it in one line as well

        run()
    except KeyboardInterrupt:
        os.write(2, b"catalog-sync: interrupted; run it again\n")
        sys.exit(130)
