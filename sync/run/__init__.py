"""The job: the only place where fetching, deciding and storing meet."""

from sync.run.job import Job as Job
from sync.run.job import run_sync as run_sync
from sync.run.outcome import RunResult as RunResult
