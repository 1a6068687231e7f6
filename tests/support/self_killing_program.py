"""A program that runs ``catalog-sync`` and kills itself at a chosen moment."""

from __future__ import annotations

DOOMED = """
import os, signal, sys
from sqlalchemy import Engine, event
left = [int(sys.argv.pop(1))]
def die(*_):
    left[0] -= 1
    if left[0] == 0:
        os.kill(os.getpid(), signal.SIGKILL)
event.listen(Engine, sys.argv.pop(1), die)
from sync.cli import main
main()
"""
"""Takes two arguments before those of the program: a number N and an event of SQLAlchemy, such as
``commit``. The process dies by SIGKILL when the event happens for the Nth time."""
