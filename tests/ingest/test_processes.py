"""Ingest as a process: killed, restarted, and its commands."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from ingest.broker import now_ms
from schemas.sparkplug.datatype import DataType
from schemas.sparkplug.payload import metric
from schemas.sparkplug.sparkplug_b_pb2 import Metric
from standalone import leash
from tests.fixtures.broker import Broker, make_broker
from tests.fixtures.until import until
from tests.ingest.edge import Edge
from tests.ingest.plant import path, readings, store

METRICS = (path("voltage"), path("current"), path("extra"))


def command(*arguments: str) -> list[str]:
    """``python -m ingest`` as a child that ends with this process."""
    return [
        sys.executable,
        leash.__file__,
        str(os.getpid()),
        sys.executable,
        "-m",
        "ingest",
        *arguments,
    ]


def environment(dsn: str, broker: Broker | None = None, **more: str) -> dict[str, str]:
    """What a child needs to know."""
    where = {} if broker is None else {"MQTT_HOST": broker.host, "MQTT_PORT": str(broker.port)}
    quick = {"INGEST_BATCH_MS": "20", "INGEST_ACK_MS": "20", "INGEST_REBIRTH_SPACING_MS": "1"}
    return {**os.environ, "ERTIS_DSN": dsn, **where, **quick, **more}


@contextmanager
def started(dsn: str, broker: Broker, fault: str = "") -> Iterator[subprocess.Popen[bytes]]:
    """A running ingest, killed at the end if it still runs."""
    with subprocess.Popen(
        command("run"), env=environment(dsn, broker, ERTIS_FAULT=fault), stderr=subprocess.DEVNULL
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def run(dsn: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return subprocess.run(
        command(*arguments), env=environment(dsn), capture_output=True, text=True, check=False
    )


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    """The embedded broker: the faults here are those of ingest."""
    made = make_broker("embedded", tmp_path)
    made.start()
    yield made
    made.stop()


def value(alias: int, number: float, ts_ms: int) -> Metric:
    """A Double."""
    return metric(number, DataType.DOUBLE, ts_ms, alias=alias)


@pytest.mark.parametrize(
    "fault", ["ingest.receive:9", "ingest.copy:3", "ingest.commit:3", "ingest.acknowledge:3"]
)
def test_killed_at_any_step(database: str, broker: Broker, fault: str) -> None:
    """SIGKILL at receive, COPY, commit or acknowledge: after a restart nothing lost or twice."""
    store(database)
    edge = Edge(broker.host, broker.port, METRICS)
    start_ms = now_ms() - 60_000
    sent = 0

    def send_some() -> None:
        nonlocal sent
        sent += 1
        ts_ms = start_ms + 10 * sent
        edge.send(value(1, float(sent), ts_ms), value(2, -float(sent), ts_ms), position=sent)

    with started(database, broker, fault) as process:
        edge.be_born()

        def dead() -> bool:
            if edge.host_online.is_set():
                send_some()
            return process.poll() is not None

        until(dead, f"ingest to die at {fault}")
        assert process.returncode == -9
    until(lambda: not edge.host_online.is_set(), "the will")
    with started(database, broker) as process:
        edge.be_born()

        def acknowledged() -> bool:
            edge.resend()
            return edge.through == sent

        until(acknowledged, "everything to be acknowledged")
        process.terminate()
        assert process.wait(20) == 0
    edge.close()

    expected = [("voltage", start_ms + 10 * n, float(n), 192) for n in range(1, sent + 1)]
    expected += [("current", start_ms + 10 * n, -float(n), 192) for n in range(1, sent + 1)]
    assert readings(database) == expected
    with psycopg.connect(database) as connection:
        row = connection.execute("SELECT committed::text FROM edge_node").fetchone()
    assert row == (f"{{[1,{sent + 1})}}",)


def test_dead_letters_and_replay(database: str, broker: Broker) -> None:
    """A metric without a tag: listed, and stored by a replay once the plant has the tag."""
    store(database)
    ts_ms = now_ms() - 1000
    with started(database, broker):
        edge = Edge(broker.host, broker.port, METRICS)
        edge.be_born()
        edge.send(value(1, 1.0, ts_ms), value(3, 7.5, ts_ms), position=1)
        edge.publish_raw("telemetry/line/pot-1", b'{"ts": 1, "values": {"voltage": 1}}', qos=1)
        edge.acknowledged(1)
        until(lambda: "past" in run(database, "dead-letters").stdout, "the letters")
        edge.close()

    listed = run(database, "dead-letters")
    assert "unmapped" in listed.stdout
    assert "pot-1/extra" in listed.stdout
    nothing = run(database, "replay")
    assert "0 letters replayed" in nothing.stdout, nothing.stderr
    assert "2 letters are still unusable" in nothing.stdout

    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(
            "UPDATE tag SET path = 'line/pot-1/extra', measure = 'extra' WHERE measure = 'level'"
        )
    done = run(database, "replay")

    assert "1 letters replayed: 1 readings stored" in done.stdout, done.stderr
    assert ("extra", ts_ms, 7.5, 192) in readings(database)
    assert "unmapped" not in run(database, "dead-letters").stdout
    again = run(database, "replay", "--reason", "unmapped")
    assert "0 letters replayed" in again.stdout


def test_migrate_makes_tables_and_plant(empty_database: str) -> None:
    """Twice is as good as once."""
    for _ in range(2):
        done = run(empty_database, "migrate", "--plant", "plants/pavlodar.toml")
        assert done.returncode == 0, done.stderr

    with psycopg.connect(empty_database) as connection:
        assert connection.execute("SELECT name FROM plant").fetchone() == ("pavlodar",)


@pytest.mark.parametrize(
    ("variable", "wrong"), [("INGEST_BATCH_ROWS", "many"), ("MQTT_PORT", "0"), ("ERTIS_DSN", "a b")]
)
def test_wrong_settings_end_with_2(variable: str, wrong: str) -> None:
    """Exit code 2 and one line with the variable."""
    done = subprocess.run(
        command("run"),
        env={**environment(""), variable: wrong},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 2
    assert variable in done.stderr
    assert "Traceback" not in done.stderr
