"""Several ingest processes of one shard: one leads, the next takes over, the last one keeps out."""

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import pytest

from ingest.broker import now_ms
from tests.faults.metrics import fetch
from tests.fixtures.broker import Broker, make_broker
from tests.fixtures.ports import free_port
from tests.fixtures.until import until
from tests.ingest.edge import Edge
from tests.ingest.plant import path, readings, store
from tests.ingest.test_processes import command, environment, value

METRICS = (path("voltage"), path("current"))
LEASE_S = 2
#: Frames that may wait for an acknowledgement: without a bound a slow machine drowns in them.
WINDOW = 256


@dataclass
class Member:
    """One process of the shard; `standalone.leash` has become ingest, with the same pid."""

    process: subprocess.Popen[bytes]
    port: int
    log: Path

    @property
    def ready(self) -> dict[str, object]:
        """What it says of its parts; nothing while it does not answer."""
        try:
            return dict(json.loads(fetch(self.port, "/health/ready")))
        except OSError:
            return {}

    def leads(self) -> bool:
        """Whether it is the leader and has all its parts."""
        return self.ready.get("ready") is True

    def stands_by(self) -> bool:
        """Whether it says that another leads."""
        return self.ready.get("lease") == "standby"


@dataclass
class Sender:
    """A spooling edge and what it sent; resends what nobody acknowledged."""

    edge: Edge
    start_ms: int = field(default_factory=lambda: now_ms() - 60_000)
    sent: int = 0
    _resent_ms: int = 0

    def some(self, count: int = 5) -> bool:
        """New frames while a host is there, and the old ones again; False: `or` a condition."""
        if self.edge.host_online.is_set() and self.sent - self.edge.through < WINDOW:
            for _ in range(count):
                self.sent += 1
                ts_ms, number = self.start_ms + self.sent, float(self.sent)
                self.edge.send(
                    value(1, number, ts_ms), value(2, -number, ts_ms), position=self.sent
                )
        self._resend()
        return False

    def all_acknowledged(self) -> bool:
        """Whether nothing waits any more."""
        self._resend()
        return self.edge.through == self.sent

    def _resend(self) -> None:
        """What waits, once in a while: more often would only fill the wire."""
        if now_ms() - self._resent_ms > 300:
            self._resent_ms = now_ms()
            self.edge.resend()

    def expected(self) -> list[tuple[str, int, float, int]]:
        """The rows of everything that was sent."""
        numbers = range(1, self.sent + 1)
        return [
            (name, self.start_ms + number, sign * number, 192)
            for name, sign in (("voltage", 1.0), ("current", -1.0))
            for number in numbers
        ]


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    """The embedded broker: the faults here are those of ingest."""
    made = make_broker("embedded", tmp_path)
    made.start()
    yield made
    made.stop()


@contextmanager
def member(dsn: str, broker: Broker, log: Path) -> Iterator[Member]:
    """A running ingest of the shard; killed at the end if it still runs."""
    port = free_port()
    env = environment(
        dsn,
        broker,
        INGEST_LEASE_S=str(LEASE_S),
        INGEST_METRICS_PORT=str(port),
        INGEST_ROLLUP="false",
    )
    with (
        log.open("wb") as stderr,
        subprocess.Popen(command("run"), env=env, stderr=stderr) as process,
    ):
        try:
            yield Member(process, port, log)
        finally:
            process.kill()


@contextmanager
def shard(dsn: str, broker: Broker, folder: Path) -> Iterator[tuple[Member, Member, Sender]]:
    """A leader, its standby, and an edge that was born to the leader."""
    store(dsn)
    with member(dsn, broker, folder / "leader.log") as leader:
        until(leader.leads, "the first to lead")
        with member(dsn, broker, folder / "standby.log") as standby:
            until(standby.stands_by, "the second to stand by")
            edge = Edge(broker.host, broker.port, METRICS)
            sender = Sender(edge)
            try:
                edge.be_born()
                yield leader, standby, sender
            finally:
                edge.close()


def epoch(dsn: str) -> int:
    """How often somebody began to lead."""
    with psycopg.connect(dsn) as connection:
        row = connection.execute("SELECT epoch FROM shard WHERE host_id = 'ertis'").fetchone()
    return 0 if row is None else int(row[0])


def test_standby_keeps_out_and_says_so(database: str, broker: Broker, tmp_path: Path) -> None:
    """Live but not ready, one line in the log, nothing at the broker and in the database."""
    with shard(database, broker, tmp_path) as (leader, standby, sender):
        sender.some()
        until(sender.all_acknowledged, "everything to be acknowledged")

        assert leader.leads()
        assert fetch(standby.port, "/health/live") == '{"live": true}'
        said = standby.ready
        assert (said["ready"], said["lease"], said["database"]) == (False, "standby", "answering")
        assert isinstance(said["since"], dict)
        assert said["since"].keys() == {"lease"}
        log = standby.log.read_text()
        assert log.count("standing by") == 1
        assert "connected to the broker" not in log
        assert epoch(database) == 1


def test_standby_takes_over_from_a_killed_leader(
    database: str, broker: Broker, tmp_path: Path
) -> None:
    """SIGKILL under load: the standby leads, asks for the births, nothing is lost or twice."""
    with shard(database, broker, tmp_path) as (leader, standby, sender):
        until(lambda: sender.some() or sender.edge.through > 100, "the load to flow")
        leader.process.kill()

        until(lambda: sender.some() or standby.leads(), "the standby to lead")
        sender.some()
        until(sender.all_acknowledged, "everything to be acknowledged")
        assert sender.edge.rebirths > 0

    assert readings(database) == sender.expected()
    assert epoch(database) == 2


def test_leader_that_slept_keeps_out(database: str, broker: Broker, tmp_path: Path) -> None:
    """SIGSTOP under load, SIGCONT after the takeover: it ends without a write or a word."""
    with shard(database, broker, tmp_path) as (leader, standby, sender):
        until(lambda: sender.some() or sender.edge.through > 100, "the load to flow")
        os.kill(leader.process.pid, signal.SIGSTOP)
        sender.some(200)  # for the sleeper to wake up with

        until(lambda: sender.some() or standby.leads(), "the standby to lead", 30)
        until(sender.all_acknowledged, "everything to be acknowledged")
        assert epoch(database) == 2
        os.kill(leader.process.pid, signal.SIGCONT)
        assert leader.process.wait(20) == 69
        sender.some()
        until(sender.all_acknowledged, "the new leader to go on")

        assert sender.edge.host_online.is_set()
        assert standby.leads()
    assert readings(database) == sender.expected()
    assert "LeaseLost" in leader.log.read_text()


def test_leader_goes_on_after_the_database_dropped_its_lock(
    database: str, broker: Broker, tmp_path: Path
) -> None:
    """A broken connection is no reason to lose what is in memory: the same epoch goes on."""
    store(database)
    with member(database, broker, tmp_path / "leader.log") as leader:
        until(leader.leads, "it to lead")
        with psycopg.connect(database, autocommit=True) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        until(lambda: "database does not answer" in leader.log.read_text(), "the loss to be seen")
        until(leader.leads, "it to lead again")
        assert leader.process.poll() is None
    assert epoch(database) == 1
