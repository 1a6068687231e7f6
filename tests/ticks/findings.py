"""What a campaign found, and the table of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

REQUESTS_PER_RUN = 2  # one for each mode


@dataclass
class Findings:
    """What three schedules of one database did while they were killed."""

    ticks: int
    """The ticks that passed."""
    runs: Sequence[tuple[str | None, str]]
    """The tick and the status of each run."""
    killed: int
    codes: set[int]
    """The exit codes of the schedules that were not killed."""
    requests: int
    lines: Sequence[str]
    """What the schedules wrote on stderr."""
    failovers: Mapping[str, int] = field(default_factory=dict)
    """How often each kind of failure of a database server was made."""

    @property
    def stored(self) -> Counter[str | None]:
        """The number of syncs that were stored of each tick."""
        return Counter(tick for tick, status in self.runs if status == "success")

    @property
    def lost(self) -> int:
        """Ticks whose run died or failed."""
        return len(self.runs) - self.stored.total()

    @property
    def unclaimed(self) -> int:
        return max(0, self.ticks - len(self.runs))

    def problems(self) -> Iterator[str]:
        """What must never be, however slow the machine is."""
        yield from (
            f"{number} syncs were stored of the tick {tick}" for tick, number in self.stored.items() if number > 1
        )
        if None in {tick for tick, _ in self.runs}:
            yield "a run has no tick"
        if self.requests > REQUESTS_PER_RUN * len(self.runs):
            yield f"{self.requests} requests were sent for {len(self.runs)} ticks"
        if self.codes - {0}:
            yield f"a schedule ended with {self.codes}"
        if not self.failovers:
            yield from (f"on stderr: {line}" for line in self.lines if not _is_of_a_long_run(line))

    def rows(self) -> dict[str, int]:
        """The figures by name, for a table."""
        long_runs = sum(map(_is_of_a_long_run, self.lines))
        return {
            "ticks": self.ticks,
            "schedules killed": self.killed,
            **{f"database servers: {kind}": number for kind, number in self.failovers.items()},
            "ticks with one stored sync": sum(number == 1 for number in self.stored.values()),
            "ticks with more than one": sum(number > 1 for number in self.stored.values()),
            "ticks whose run died, failed or was superseded": self.lost,
            "ticks that nobody claimed": self.unclaimed,
            "requests": self.requests,
            "most that are allowed: two for each claimed tick": REQUESTS_PER_RUN * len(self.runs),
            "lines on stderr about runs that took longer than the time between two ticks": long_runs,
            "other lines on stderr": len(self.lines) - long_runs,
        }


def _is_of_a_long_run(line: str) -> bool:
    """Of a tick that came while the run of the one before was active, as on a busy machine."""
    return "a run was skipped" in line or "another run stored a response" in line
