"""The commands."""

import gc

# Before all else is loaded: hardly anything here is garbage that hangs together, and looking for it would be
# a tenth of a short run's work, and more of a large catalog's.
gc.set_threshold(200_000, 20, 20)

from sync.cli.door import main  # noqa: E402  # see above

__all__ = ["main"]
