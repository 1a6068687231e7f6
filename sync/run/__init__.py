"""The job: the only place where fetching, deciding and storing meet."""

from sync.run.result import RunResult as RunResult
from sync.run.sync import SyncDependencies as SyncDependencies
from sync.run.sync import run_sync as run_sync
