"""One sync from a program of your own, which acts on the outcome.

CATALOG_SYNC_API_KEY_FILE=~/.genviral-key python one_sync.py sqlite:///catalog.db
"""

import os
import sys

from sync.api import Outcome, sync_once


def main(database_url, **arguments):
    """Runs one sync and returns the exit code that the command would have."""
    result = sync_once(database_url, trigger="schedule", **arguments)
    print(result.line)
    for change in result.changes:
        if change.change_kind in ("increase", "decrease"):
            print(f"{change.model_id}: {change.old_cost} -> {change.new_cost} ({change.pct_change:+.1f} %)")
    if result.outcome is Outcome.HELD:
        print(f"a person decides: {result.error}")
    elif not result.ok:
        print(f"{result.outcome.label}: {result.error}")
        print("the next sync may succeed" if result.outcome.retry_helps else f"to do: {result.outcome.action}")
    return int(result.outcome)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], environ=os.environ))
