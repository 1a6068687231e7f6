"""How often Python's collector of reference cycles runs. The program makes hardly any cycles."""

from __future__ import annotations

import gc


def for_batch() -> None:
    """Makes collections rare, for a process that ends soon. To be called before anything large is loaded.

    With Python's default threshold the collector takes a tenth of a short run, and more with a large
    catalog, since each collection visits every object.
    """
    gc.set_threshold(200_000, 20, 20)


def for_many_runs() -> None:
    """Collects more often again, so that the cycles of many runs in one process do not add up.

    Modules loaded by now are exempt: they stay until the end.
    """
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)
