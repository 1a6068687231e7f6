"""Makes ``python -m sync`` the same as ``catalog-sync``."""

from sync.cli import main

main()
