"""The whole of ingest between a real broker and a real database."""

import http.client
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg
import pytest

from ingest.broker import now_ms
from ingest.counters import Tally
from ingest.frame import Frame
from ingest.service import IngestService
from ingest.settings import IngestSettings
from schemas.errors import ConfigError
from schemas.settings import MqttSettings
from schemas.sparkplug.datatype import DataType
from schemas.sparkplug.payload import metric
from schemas.sparkplug.sparkplug_b_pb2 import Metric, Payload
from tests.fixtures.broker import Broker
from tests.fixtures.ports import free_port
from tests.fixtures.until import until
from tests.ingest.conversation import DEVICE, GROUP, NODE, birth_metric, node_birth
from tests.ingest.edge import Edge
from tests.ingest.plant import UNIT, path, readings, store

DEVICE_SOURCE = f"{GROUP}/{NODE}/{DEVICE}"
VOLTAGE, CURRENT, STRANGER = 1, 2, 3
METRICS = (path("voltage"), path("current"), "stranger")


@dataclass
class Stand:
    """A running ingest with what it runs on."""

    dsn: str
    broker: Broker
    service: IngestService
    health_port: int

    def tally(self, source: str) -> Tally:
        """What is counted for *source*; the identity holds for all."""
        tallies = self.service.counters.ledger.tallies()
        assert all(tally.balanced for tally in tallies.values())
        return tallies.get(source, Tally())

    def letters(self) -> list[tuple[str, str, int]]:
        """Dead letters as (topic, reason, readings)."""
        with psycopg.connect(self.dsn) as connection:
            return connection.execute(
                "SELECT topic, reason, readings FROM dead_letter ORDER BY id"
            ).fetchall()

    def ready(self) -> dict[str, object]:
        """What /health/ready says; nothing while it is not served."""
        try:
            return dict(json.loads(self.get("/health/ready")))
        except ConnectionRefusedError:
            return {}

    def get(self, page: str) -> bytes:
        """A page of the health server, whatever its status."""
        connection = http.client.HTTPConnection("127.0.0.1", self.health_port, timeout=5)
        try:
            connection.request("GET", page)
            return connection.getresponse().read()
        finally:
            connection.close()


@contextmanager
def running(dsn: str, broker: Broker, **settings: object) -> Iterator[Stand]:
    """Ingest on a thread of its own, drained at the end."""
    port = free_port()
    service = IngestService(
        MqttSettings(host=broker.host, port=broker.port),
        dsn,
        IngestSettings.model_validate(
            {
                "batch_ms": 20,
                "ack_ms": 20,
                "rebirth_spacing_ms": 1,
                "metrics_port": port,
                "rollup": False,
            }
            | settings
        ),
    )
    stop = threading.Event()
    thread = threading.Thread(target=service.run, args=(stop,))
    thread.start()
    try:
        yield Stand(dsn, broker, service, port)
    finally:
        stop.set()
        thread.join()


@pytest.fixture
def stand(database: str, broker: Broker) -> Iterator[Stand]:
    """Ingest on a database with the test's plant."""
    store(database)
    with running(database, broker) as made:
        yield made


@pytest.fixture
def edge(stand: Stand) -> Iterator[Edge]:
    """A spooling edge node that was born."""
    made = Edge(stand.broker.host, stand.broker.port, METRICS)
    made.be_born()
    yield made
    made.close()


def value(alias: int, number: float | None, ts_ms: int | None = None) -> Metric:
    """A Double."""
    return metric(number, DataType.DOUBLE, now_ms() if ts_ms is None else ts_ms, alias=alias)


def test_acknowledged_once_it_is_in_the_database(stand: Stand, edge: Edge) -> None:
    """Commit Through n comes only after the rows of frames 1 to n are committed."""
    sent_ms = now_ms() - 100
    for position in range(1, 6):
        edge.send(value(VOLTAGE, float(position), sent_ms + position), position=position)
        edge.acknowledged(position)
        assert len(readings(stand.dsn)) == position

    assert stand.tally(DEVICE_SOURCE) == Tally(received=5, stored=5)
    with psycopg.connect(stand.dsn) as connection:
        row = connection.execute(
            "SELECT online, spool_id, committed::text FROM edge_node"
        ).fetchone()
    assert row == (True, "s1", "{[1,6)}")


def test_hole_in_the_positions_holds_the_acknowledgement(stand: Stand, edge: Edge) -> None:
    """Later frames are stored at once, but not acknowledged past a missing one."""
    edge.send(value(VOLTAGE, 1.0, now_ms()), position=1)
    edge.send(value(CURRENT, 3.0, now_ms()), position=3)
    until(lambda: len(readings(stand.dsn)) == 2, "both readings")
    edge.acknowledged(1)
    assert edge.through == 1

    edge.send(value(VOLTAGE, 2.0, now_ms() + 1), position=2)
    edge.acknowledged(3)


def test_frame_that_comes_again_is_counted_and_told_again(stand: Stand, edge: Edge) -> None:
    """A lost Commit Through: the same frame is a duplicate, and is acknowledged once more."""
    edge.send(value(VOLTAGE, 1.0), value(CURRENT, 2.0), position=1)
    edge.acknowledged(1)
    edge.through, told = 0, edge.commands
    edge.resend()

    until(lambda: edge.commands > told, "another Commit Through")
    assert edge.through == 1
    assert stand.tally(DEVICE_SOURCE) == Tally(received=4, stored=2, duplicate=2)


def test_bad_readings_are_dead_letters_and_their_neighbours_are_stored(
    stand: Stand, edge: Edge
) -> None:
    """Unknown metric, wrong type, NaN, far future, far past: each with its reason."""
    edge.send(
        value(VOLTAGE, 1.0),
        value(STRANGER, 2.0),
        Metric(alias=VOLTAGE, timestamp=now_ms(), string_value="x"),
        value(VOLTAGE, float("nan")),
        value(VOLTAGE, 1.0, now_ms() + 3_600_000),
        value(VOLTAGE, 1.0, 1),
        value(CURRENT, 2.0),
        position=1,
    )
    edge.acknowledged(1)

    assert [row[0] for row in readings(stand.dsn)] == ["voltage", "current"]
    letters = stand.letters()
    assert sorted(reason for _, reason, _ in letters) == [
        "future",
        "not_finite",
        "past",
        "type",
        "unmapped",
    ]
    assert stand.tally(DEVICE_SOURCE) == Tally(received=7, stored=2, dead_letter=5)


def test_alias_that_no_birth_declares(stand: Stand, edge: Edge) -> None:
    """The node is asked; when its births do not know the alias either, it is a dead letter."""
    edge.send(value(VOLTAGE, 1.0), value(77, 2.0), position=1)
    until(lambda: edge.rebirths > 0, "a rebirth request")
    assert edge.through == 0

    def acknowledged() -> bool:
        edge.resend()
        return edge.through == 1

    until(acknowledged, "Commit Through 1")
    assert [(reason, count) for _, reason, count in stand.letters()] == [("alias", 1)]
    assert len(readings(stand.dsn)) == 1


def test_messages_that_cannot_be_read(stand: Stand, edge: Edge) -> None:
    """An undecodable payload and an unknown topic are kept whole; the session goes on."""
    edge.publish("DDATA", b"\xff\xff\xff", DEVICE)
    edge.publish_raw(f"spBv1.0/{GROUP}/HELLO/{NODE}", b"?")
    edge.publish_raw("telemetry/nowhere/at/all", b'{"ts": 1, "values": {"x": 1}}', qos=1)
    edge.publish_raw(f"telemetry/{UNIT}", b"{", qos=1)
    until(lambda: len(stand.letters()) == 4, "four letters")

    assert sorted(reason for _, reason, _ in stand.letters()) == [
        "payload",
        "payload",
        "topic",
        "unmapped",
    ]
    edge.send(value(VOLTAGE, 1.0), position=1)
    edge.acknowledged(1)


def test_message_that_shows_a_defect(
    stand: Stand, edge: Edge, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fault of ours costs the message that shows it: others go on, and it may come again."""

    def broken(*_: object) -> Frame:
        raise ZeroDivisionError("a defect")

    with monkeypatch.context() as patch:
        patch.setattr("ingest.intake.decode", broken)
        patch.setattr("ingest.lane.decode", broken)
        edge.send(value(VOLTAGE, 1.0), position=1)
        edge.publish_raw(f"telemetry/{UNIT}", b"{}", qos=1)
        until(lambda: len(stand.letters()) == 2, "two letters")

    assert [reason for _, reason, _ in stand.letters()] == ["defect", "defect"]
    edge.resend()
    edge.acknowledged(1)
    assert stand.tally(DEVICE_SOURCE) == Tally(received=1, stored=1)


def test_foreign_node_by_measure_names(stand: Stand) -> None:
    """A node without a spool, mapped by [[source]]: its births are readings, its names measures."""
    edge = Edge(stand.broker.host, stand.broker.port, ())
    assert edge.host_online.wait(20)
    head = f"spBv1.0/{GROUP}"
    born_ms = now_ms()
    birth = Payload.FromString(node_birth(metrics=[birth_metric("flag", 5, DataType.BOOLEAN)]))
    birth.timestamp = born_ms
    birth.metrics.append(metric(3.0, DataType.DOUBLE, born_ms, name="voltage", alias=6))
    edge.publish_raw(f"{head}/NBIRTH/foreign", birth.SerializeToString())
    flag = Metric(alias=5, timestamp=born_ms + 1, boolean_value=True)
    message = Payload(timestamp=born_ms, seq=1, metrics=[flag]).SerializeToString()
    edge.publish_raw(f"{head}/NDATA/foreign", message)

    until(lambda: ("flag", born_ms + 1, 1.0, 192) in readings(stand.dsn), "the flag")
    assert ("voltage", born_ms, 3.0, 192) in readings(stand.dsn)
    edge.close()


def test_death_is_a_mark_on_the_node_not_a_reading(stand: Stand, edge: Edge) -> None:
    """NDEATH: node and devices are offline in their tables; readings stay as they are."""
    edge.send(value(VOLTAGE, 1.0), position=1)
    edge.acknowledged(1)
    edge.die()

    def offline() -> bool:
        with psycopg.connect(stand.dsn) as connection:
            rows = connection.execute(
                "SELECT online FROM edge_node UNION ALL SELECT online FROM edge_device"
            ).fetchall()
        return rows == [(False,)] * 3

    until(offline, "node and devices to be offline")
    assert len(readings(stand.dsn)) == 1


def test_json_lane(stand: Stand, edge: Edge) -> None:
    """One value or many, ISO or epoch times, quality optional; bad ones leave the good."""
    ts_ms = now_ms() // 1000 * 1000
    document = {
        "readings": [
            {"ts": ts_ms, "values": {"voltage": 4.25, "current": {"value": None, "quality": 0}}},
            {"ts": ts_ms + 1, "values": {"voltage": {"value": 5, "quality": 64}, "odd": 1}},
            {"ts": 1, "values": {"voltage": 1.0}},
        ]
    }
    edge.publish_raw(f"telemetry/{UNIT}", json.dumps(document).encode(), qos=1)
    until(lambda: len(stand.letters()) == 2, "two letters")

    assert readings(stand.dsn) == [
        ("voltage", ts_ms, 4.25, 192),
        ("voltage", ts_ms + 1, 5.0, 64),
        ("current", ts_ms, None, 0),
    ]
    assert sorted(letter[1:] for letter in stand.letters()) == [("past", 1), ("unmapped", 1)]
    assert stand.tally("telemetry") == Tally(received=5, stored=3, dead_letter=2)


def test_readiness_names_the_missing_part(stand: Stand, edge: Edge) -> None:
    """Ready once broker and database answer; metrics tell the counts."""
    edge.send(value(VOLTAGE, 1.0), position=1)
    edge.acknowledged(1)

    assert stand.ready() == {
        "ready": True,
        "lease": "held",
        "broker": "connected",
        "database": "writing",
        "lane": "connected",
    }
    assert stand.get("/health/live") == b'{"live": true}'
    page = stand.get("/metrics").decode()
    assert f'ertis_ingest_readings_stored_total{{source="{DEVICE_SOURCE}"}} 1.0' in page

    stand.broker.stop()
    until(lambda: stand.ready()["broker"] == "not connected", "the broker to be missed")
    assert stand.ready()["ready"] is False
    stand.broker.start()


def test_broker_that_comes_later(database: str, broker: Broker) -> None:
    """Started without a broker, ingest waits for it."""
    store(database)
    broker.stop()
    with running(database, broker) as stand:
        until(lambda: stand.ready().get("broker") == "not connected", "ingest to run")
        broker.start()
        edge = Edge(broker.host, broker.port, METRICS)
        edge.be_born()
        edge.send(value(VOLTAGE, 1.0), position=1)
        edge.acknowledged(1)
        edge.close()


def test_stop_drains_and_says_goodbye(database: str, broker: Broker) -> None:
    """What was taken in is written before the end; STATE says offline."""
    store(database)
    with running(database, broker, batch_ms=60_000) as stand:
        edge = Edge(broker.host, broker.port, METRICS)
        edge.be_born()
        edge.send(value(VOLTAGE, 1.0), position=1)
        until(lambda: stand.tally(DEVICE_SOURCE).in_flight == 1, "the frame to be taken in")

    assert len(readings(database)) == 1
    assert stand.tally(DEVICE_SOURCE).in_flight == 0
    until(lambda: not edge.host_online.is_set(), "STATE offline")
    assert edge.through == 1
    edge.close()


def test_full_buffer_defers_what_comes_again(database: str, broker: Broker) -> None:
    """With the database away memory stays bounded, and nothing that spools is lost."""
    store(database)
    with running(database, broker, buffer_mb=1) as stand:
        edge = Edge(broker.host, broker.port, METRICS)
        edge.be_born()
        edge.send(value(VOLTAGE, 0.0), position=1)
        edge.acknowledged(1)
        start_ms = now_ms() - 3_600_000
        with psycopg.connect(database) as lock:
            lock.execute("LOCK TABLE reading IN ACCESS EXCLUSIVE MODE")
            position = 1
            while stand.tally(DEVICE_SOURCE).deferred == 0:
                position += 1
                first_ms = start_ms + 500 * position
                edge.send(
                    *(value(VOLTAGE, 1.0, first_ms + offset) for offset in range(500)),
                    position=position,
                )
                assert position < 1000, "the buffer has no bound"
            lock.rollback()

        def acknowledged() -> bool:
            edge.resend()
            return edge.through == position

        until(acknowledged, "everything to be acknowledged")
        edge.close()

    assert len(readings(database)) == 1 + 500 * (position - 1)


def test_database_without_our_tables(empty_database: str, broker: Broker) -> None:
    """Waiting would not help: says what to do."""
    service = IngestService(
        MqttSettings(host=broker.host, port=broker.port), empty_database, IngestSettings()
    )

    with pytest.raises(ConfigError, match="ingest migrate"):
        service.run(threading.Event())
