"""A MariaDB Galera cluster of three nodes, which can be killed and frozen, and can lose their majority."""

from __future__ import annotations

import os
import random
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import pymysql
from sqlalchemy import NullPool, create_engine
from sqlalchemy.exc import DBAPIError

from tests.ha.cluster import Kind
from tests.ha.pgbouncer import free_port
from tests.support.own_database_server import MariaDB

PROVIDER = Path("/usr/lib/galera/libgalera_smm.so")
_NODES = 3
_USER = "mysql"
"""The user of the servers when root runs the campaign."""
_START_SECONDS = 240
_STARTS = 4
_STATE = "SHOW STATUS LIKE 'wsrep_local_state_comment'"


class Node(MariaDB):
    """A node. The first one to start makes the cluster."""

    def __init__(self, folder: Path, members: Sequence[int], number: int) -> None:
        ports = [free_port() for _ in range(2)]
        group = members[number]
        provider = f"gmcast.listen_addr=tcp://127.0.0.1:{group};ist.recv_addr=127.0.0.1:{ports[0]}"
        # A node that is silent is left out after 3 s, so that a round takes seconds.
        provider += ";evs.suspect_timeout=PT3S;evs.inactive_timeout=PT6S;evs.keepalive_period=PT1S"
        options = ["--wsrep-on=ON", f"--wsrep-provider={PROVIDER}", f"--wsrep-node-name=node{number}"]
        options += ["--wsrep-cluster-address=gcomm://" + ",".join(f"127.0.0.1:{port}" for port in members)]
        options += [f"--wsrep-node-address=127.0.0.1:{group}", f"--wsrep-provider-options={provider}"]
        options += ["--wsrep-sst-method=rsync", f"--wsrep-sst-receive-address=127.0.0.1:{ports[1]}"]
        options += ["--binlog-format=ROW", "--innodb-autoinc-lock-mode=2", "--innodb-log-file-size=16M"]
        super().__init__(folder, options)
        self._is_first = number == 0
        self._position: list[str] = []
        if os.geteuid() == 0:
            self._give_to_its_user()

    def _give_to_its_user(self) -> None:
        """The program that copies a database to a new node does not work as root."""
        self.folder.chmod(0o755)
        for path in self.folder.rglob("*"):
            shutil.chown(path, _USER)

    def command(self) -> Sequence[str]:
        command = [f"--user={_USER}" if each == "--user=root" else each for each in super().command()]
        return [*command, *(["--wsrep-new-cluster"] if self._is_first else []), *self._position]

    def start(self) -> None:
        """A node that joins ends when the state transfer fails, which the service manager would start again."""
        for left in range(_STARTS - 1, -1, -1):
            self._position = self._recovered_position()
            try:
                super().start()
                break
            except RuntimeError:
                if self.process.poll() is None:
                    break  # the transfer takes its time
                if not left:
                    raise
        self._is_first = False
        self.wait_until(lambda: self.value(_STATE) == "Synced")

    def _recovered_position(self) -> list[str]:
        """The option with the last transaction that is on disk, as Debian's service gives it to a node.

        With it a node gets what it lacks, and without it everything.
        """
        if self._is_first or not (self.folder / "data" / "grastate.dat").exists():
            return []
        recovery = [*super().command(), "--wsrep-recover"]
        command = [f"--user={_USER}" if each == "--user=root" else each for each in recovery]
        ended = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        found = re.search(r"Recovered position:? ([0-9a-f-]{36}:-?\d+)", ended.stdout + ended.stderr)
        return [f"--wsrep-start-position={found[1]}"] if found else []

    def value(self, query: str) -> str | None:
        with suppress(DBAPIError), self.engine().connect() as connection:
            row = connection.exec_driver_sql(query).first()
            return None if row is None else str(row[-1])
        return None

    def go_on_alone(self) -> None:
        """What an operator does with a node that has lost the majority; it takes no statement but SET and SHOW.

        A node that has not noticed the loss yet would ignore it.
        """
        with pymysql.connect(host="127.0.0.1", port=self.port, user="root") as connection:
            self.wait_until(lambda: _cluster_status(connection) == "non-Primary")
            connection.cursor().execute("SET GLOBAL wsrep_provider_options = 'pc.bootstrap=YES'")
            self.wait_until(lambda: _cluster_status(connection) == "Primary")

    def wait_until(self, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + _START_SECONDS
        while not condition():
            if time.monotonic() > deadline:
                raise RuntimeError((self.folder / "output").read_text(errors="replace")[-2000:])
            time.sleep(0.1)


class Galera:
    """Every node takes writes. Commands name all of them, in one order."""

    kinds: tuple[Kind, ...] = ("kill", "kill", "kill", "freeze", "majority")

    def __init__(self, new_folder: Callable[[str], Path]) -> None:
        members = [free_port() for _ in range(_NODES)]
        self.nodes = [Node(new_folder(f"node{number}"), members, number) for number in range(_NODES)]
        for node in self.nodes:
            node.start()
        self.make_database("catalog")

    def urls(self, database: str = "catalog") -> dict[str, str]:
        hosts = ",".join(f"127.0.0.1:{node.port}" for node in self.nodes)
        return {"direct": f"mariadb://root@{hosts}/{database}"}

    def urls_to_check(self, database: str = "catalog") -> list[str]:
        return [f"mariadb+pymysql://root@127.0.0.1:{node.port}/{database}" for node in self.nodes]

    def make_database(self, name: str) -> None:
        self._at_any_node(f"CREATE DATABASE IF NOT EXISTS {name}")

    def drop_database(self, name: str) -> None:
        self._at_any_node(f"DROP DATABASE IF EXISTS {name}")

    def _at_any_node(self, statement: str) -> None:
        error: DBAPIError | None = None
        for node in self.nodes:
            limits = {"connect_timeout": 3, "read_timeout": 10}
            engine = create_engine(node.url, isolation_level="AUTOCOMMIT", poolclass=NullPool, connect_args=limits)
            try:
                with engine.connect() as connection:
                    connection.exec_driver_sql(statement)
            except DBAPIError as failure:
                error = failure
            else:
                return
        assert error is not None
        raise error

    def disturb(self, kind: Kind, chance: random.Random) -> None:
        victim, *others = chance.sample(self.nodes, _NODES)
        if kind == "freeze":
            with victim.frozen():
                time.sleep(chance.choice((1, 5, 10, 30)))
        elif kind == "kill":
            victim.kill()
            time.sleep(chance.choice((0, 2, 5)))
            victim.start()
        else:
            self._lose_majority(victim, others, chance.choice((5, 10, 30)))
        for node in self.nodes:
            node.wait_until(lambda node=node: node.value(_STATE) == "Synced")  # type: ignore[misc]

    def _lose_majority(self, survivor: Node, others: Sequence[Node], seconds: float) -> None:
        for node in others:
            node.kill()
        time.sleep(seconds)
        survivor.go_on_alone()
        for node in others:
            node.start()

    def stop(self) -> None:
        with ExitStack() as stack:
            for node in self.nodes:
                stack.callback(node.kill)


def _cluster_status(connection: pymysql.Connection[Any]) -> str:
    with connection.cursor() as cursor:
        cursor.execute("SHOW STATUS LIKE 'wsrep_cluster_status'")
        row = cursor.fetchone()
    return str(row[1]) if row else ""
