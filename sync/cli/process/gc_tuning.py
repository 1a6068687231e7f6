"""How often garbage that hangs together is looked for. Hardly any is made here, and looking takes its time."""

from __future__ import annotations

import gc


def expect_short_work() -> None:
    """Before all else is loaded: looking would be a tenth of a short run's work, and more of a large catalog's."""
    gc.set_threshold(200_000, 20, 20)


def expect_long_work() -> None:
    """Run after run in one process: what one leaves must not add up. What is loaded by now is never garbage."""
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)
