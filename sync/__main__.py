"""``python -m sync`` is ``catalog-sync``."""

from sync.cli import main

main()
