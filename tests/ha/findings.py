"""What campaigns found, and the table of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from tests.ha.cluster import FREEZES, KILLS, Kind

MOST_TIMEOUTS = 3


@dataclass
class Findings:
    """What one or several campaigns found, with commands that had this DATABASE_TIMEOUT."""

    timeout: float
    rounds: Counter[Kind] = field(default_factory=Counter)
    """How often each kind of failure was made."""
    commands: Counter[tuple[str, int]] = field(default_factory=Counter)
    """How many commands of each name ended with each exit code."""
    paths: Counter[str] = field(default_factory=Counter)
    lost: list[int] = field(default_factory=list)
    """The catalogs whose run was acknowledged and is not in the history."""
    untrue: list[str] = field(default_factory=list)
    unknown: int = 0
    """Failed syncs that truly said that they do not know whether they were stored."""
    stale: int = 0
    """Readings that showed an older catalog than was acknowledged before."""
    longest_wait: float = 0
    """The longest time, in seconds, that a command took, without the time that the API took."""
    longest_migration: float = 0
    """That of the commands that make a catalog: a migration has no read timeout, and waits for a frozen server."""
    slowest: str = ""

    @property
    def kills(self) -> int:
        return sum(KILLS.get(kind, 0) * number for kind, number in self.rounds.items())

    @property
    def acknowledged(self) -> int:
        return self.commands["sync", 0]

    @property
    def is_good(self) -> bool:
        return not self.lost and not self.untrue and self.longest_wait <= MOST_TIMEOUTS * self.timeout

    def add(self, other: Findings) -> None:
        """Adds what a further campaign found."""
        self.rounds += other.rounds
        self.commands += other.commands
        self.paths += other.paths
        self.lost += other.lost
        self.untrue += other.untrue
        self.unknown += other.unknown
        self.stale += other.stale
        self.longest_migration = max(self.longest_migration, other.longest_migration)
        if other.longest_wait > self.longest_wait:
            self.longest_wait, self.slowest = other.longest_wait, other.slowest

    def table(self) -> Iterator[str]:
        """The lines of a table in Markdown."""
        yield "|  | number |"
        yield "| --- | ---: |"
        for name, number in self._numbers():
            yield f"| {name} | {number:,} |"
        for name, longest in (("a command", self.longest_wait), ("`migrate (new)`", self.longest_migration)):
            yield f"| longest wait of {name}, in multiples of DATABASE_TIMEOUT | {longest / self.timeout:.2f} |"

    def _numbers(self) -> Iterator[tuple[str, int]]:
        yield "database servers killed", self.kills
        yield "database servers frozen", sum(self.rounds[kind] for kind in FREEZES)
        for kind, number in sorted(self.rounds.items()):
            yield f"rounds: {kind}", number
        for (name, code), number in sorted(self.commands.items()):
            yield f"`{name}` with exit code {code}", number
        for path, number in sorted(self.paths.items()):
            yield f"commands by this path: {path}", number
        yield "failed runs that said that their outcome is unknown", self.unknown
        yield "readings that showed an older catalog than was acknowledged", self.stale
        yield "acknowledged runs lost", len(self.lost)
        yield "lines that were not true", len(self.untrue)
