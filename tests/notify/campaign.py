"""``make notify-campaign``: are all events delivered, and twice only where a delivery was not confirmed?

In each round a sync stores changed costs and ``catalog-sync notify`` sends them to a webhook that fails half the time,
a mail server that does, and a webhook that often hangs. In every third round the command is killed, together with
the process that sends, at a random moment. Then all servers work, and ``notify`` is run until nothing is left.
"""

from __future__ import annotations

import argparse
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from models_db.engine import open_engine
from models_db.migrate import upgrade
from tests.support.commands import ROOT, environment
from tests.support.made_responses import model
from tests.support.run_driver import Host
from tests.support.told_servers import Behaviour, Receiver, mail_server, webhook

MODELS = 3
_EVENT = re.compile(r"^image (m\d+) .*increase \d+ -> (\d+) ", re.MULTILINE)
_WEIGHTS: dict[str, dict[Behaviour, int]] = {
    "webhook": {"ok": 50, "refuse": 20, "says no": 20, "drop": 10},
    "mail": {"ok": 50, "refuse": 50},
    "slow": {"ok": 60, "hang before": 20, "hang after": 20},
}
_SECONDS = 2  # of a delivery while servers fail, in place of 90
_PROGRAM = (
    "import sys; from sync.notify import notifier; from sync.cli import main;"
    "notifier.LONGEST_SECONDS = float(sys.argv.pop(1)); main()"
)
# Kills come at a random time up to this: from before the claim to after the last move of a cursor.
_LONGEST_LIFE = 6.0
_MOST_DRAINS = 30

Event = tuple[str, str]


@dataclass
class Ledger:
    """What one destination was sent, round by round."""

    receiver: Receiver
    received: Counter[Event] = field(default_factory=Counter)
    confirmed: set[Event] = field(default_factory=set)
    wrong_duplicates: int = 0
    _seen: int = 0

    def after_round(self, *, killed: bool) -> None:
        """Counts what was taken since. A delivery is confirmed if the server said so and nobody was killed."""
        taken, ways = self.receiver.taken[self._seen :], self._ways_taken()[self._seen :]
        self._seen = len(self.receiver.taken)
        for (_, body), way in zip(taken, ways, strict=True):
            for event in _EVENT.findall(body):
                self.wrong_duplicates += event in self.confirmed
                self.received[event] += 1
                if way == "ok" and not killed:
                    self.confirmed.add(event)

    def _ways_taken(self) -> list[Behaviour]:
        return [each for each in self.receiver.tries if each in ("ok", "hang after")]


@dataclass(frozen=True)
class Row:
    """The result of a destination."""

    name: str
    events: int
    tries: int
    failures: int
    duplicates: int
    wrong_duplicates: int
    lost: int


def campaign(
    rounds: int, seed: int, folder: Path, say: Callable[[str], object] = lambda _: None
) -> tuple[list[Row], int]:
    """Runs it; the rows of the table, and the number of kills."""
    rng, url = random.Random(seed), f"sqlite:///{folder / 'catalog.db'}"
    failing = threading.Event()
    failing.set()
    upgrade(url)
    host = Host(engine := open_engine(url))
    host.sync(_models(1))
    with _servers(rng, failing) as receivers:
        ledgers = {name: Ledger(receiver) for name, receiver in receivers.items()}
        environ = environment(folder, DATABASE_URL=url, NOTIFY_FILE=str(_file(folder, receivers)))
        engine.dispose()
        _notify(environ, None)
        kills = 0
        for number in range(rounds):
            host.sync(_models(number + 2))
            engine.dispose()
            life = rng.uniform(0.3, _LONGEST_LIFE) if number % 3 == 2 else None
            killed = _notify(environ, life) is None
            kills += killed
            _end_claims(url)
            for ledger in ledgers.values():
                ledger.after_round(killed=killed)
            say(f"round {number + 1} of {rounds}")
        failing.clear()
        _drain(environ, url, ledgers)
    engine.dispose()
    expected = {(f"m{one}", str(cost)) for one in range(MODELS) for cost in range(2, rounds + 2)}
    return [_row(name, ledger, expected) for name, ledger in ledgers.items()], kills


def _drain(environ: dict[str, str], url: str, ledgers: dict[str, Ledger]) -> None:
    """Sends until nothing is left: until the command delivers nothing and says that nothing failed."""
    for _ in range(_MOST_DRAINS):
        before = [len(each.receiver.taken) for each in ledgers.values()]
        code = _notify(environ, None, seconds=60)
        _end_claims(url)
        for ledger in ledgers.values():
            ledger.after_round(killed=False)
        if code == 0 and before == [len(each.receiver.taken) for each in ledgers.values()]:
            return


def _row(name: str, ledger: Ledger, expected: set[Event]) -> Row:
    tries = ledger.receiver.tries
    return Row(
        name,
        len(expected),
        len(tries),
        sum(each != "ok" for each in tries),
        sum(ledger.received.values()) - len(ledger.received),
        ledger.wrong_duplicates,
        len(expected - set(ledger.received)),
    )


@contextmanager
def _servers(rng: random.Random, failing: threading.Event) -> Iterator[dict[str, Receiver]]:
    lock = threading.Lock()

    def behaves(name: str) -> Callable[[], Behaviour]:
        weights = _WEIGHTS[name]

        def behave() -> Behaviour:
            with lock:
                chosen = rng.choices(list(weights), list(weights.values()))[0]
            return chosen if failing.is_set() else "ok"

        return behave

    with webhook(behaves("webhook")) as hook, mail_server(behaves("mail")) as mail, webhook(behaves("slow")) as slow:
        yield {"webhook": hook, "mail": mail, "slow": slow}


def _file(folder: Path, receivers: dict[str, Receiver]) -> Path:
    path = folder / "notify.toml"
    each = {"webhook": "event"}
    path.write_text(
        "".join(
            f'[[destination]]\nname = "{name}"\nurl = "{receiver.url}"\neach = "{each.get(name, "run")}"\n'
            for name, receiver in receivers.items()
        )
    )
    path.chmod(0o600)
    return path


def _models(cost: int) -> list[dict[str, object]]:
    return [model(f"m{number}", cost) for number in range(MODELS)]


def _notify(environ: dict[str, str], life: float | None, seconds: float = _SECONDS) -> int | None:
    """Runs the command, and kills it after its ``life`` in seconds; its exit code, None if it was killed."""
    command = [sys.executable, "-c", _PROGRAM, str(seconds), "notify", "--now"]
    process = subprocess.Popen(
        command, cwd=ROOT, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    try:
        return process.wait(life)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        time.sleep(0.1)  # what the sender had written is on its way to the server
        return None


def _end_claims(url: str) -> None:
    """Five minutes pass."""
    engine = open_engine(url)
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE notify_cursors SET claimed_until = NULL")
    engine.dispose()


def table(rows: Sequence[Row]) -> str:
    """The table in Markdown."""
    heads = "destination", "events", "tries", "failures", "duplicates", "of them of confirmed deliveries", "lost"
    lines = [f"| {' | '.join(heads)} |", f"| --- |{' ---: |' * (len(heads) - 1)}"]
    for row in rows:
        numbers = (row.events, row.tries, row.failures, row.duplicates, row.wrong_duplicates, row.lost)
        lines.append(f"| {row.name} | {' | '.join(f'{each:,}' for each in numbers)} |")
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(prog="make notify-campaign")
    parser.add_argument("--rounds", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        rows, kills = campaign(arguments.rounds, arguments.seed, Path(folder), lambda line: print(line, flush=True))  # noqa: T201  # a script
    print(f"\n{table(rows)}\n\n{arguments.rounds} rounds, {kills} kills, seed {arguments.seed}")  # noqa: T201  # as above
    return 1 if any(row.lost or row.wrong_duplicates for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
