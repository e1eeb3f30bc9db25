"""The ledger of gaps, between a real broker and a real database."""

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import psycopg
import pytest

from ingest.broker import now_ms
from ingest.ledger import GapRow, gaps, nodes
from schemas.db.catalogue import load_catalogue, store_plant
from schemas.db.engine import make_engine
from schemas.instant import to_ms
from schemas.sparkplug.datatype import DataType
from schemas.sparkplug.node import SPOOL_POSITION
from schemas.sparkplug.payload import metric
from schemas.sparkplug.sparkplug_b_pb2 import Metric, Payload
from tests.fixtures.broker import Broker, make_broker
from tests.fixtures.until import until
from tests.ingest.conversation import GROUP, NODE, birth_metric, death, node_birth
from tests.ingest.edge import Edge
from tests.ingest.plant import path, store
from tests.ingest.test_processes import run
from tests.ingest.test_service import Stand, running

METRICS = (path("voltage"), path("current"))
SOURCE = f"{GROUP}/{NODE}"


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    """The embedded broker: nothing here depends on which it is."""
    made = make_broker("embedded", tmp_path)
    made.start()
    yield made
    made.stop()


@pytest.fixture
def stand(database: str, broker: Broker) -> Iterator[Stand]:
    """Ingest that enters a hole when it is 300 ms old."""
    store(database)
    with running(database, broker, gap_ms=300) as made:
        yield made


@pytest.fixture
def edge(stand: Stand) -> Iterator[Edge]:
    """A spooling edge node that was born."""
    made = Edge(stand.broker.host, stand.broker.port, METRICS)
    made.be_born()
    yield made
    made.close()


def ledger(dsn: str, *, only_open: bool = False) -> list[GapRow]:
    """The ledger, oldest first."""
    with psycopg.connect(dsn) as connection:
        return list(reversed(gaps(connection, only_open=only_open, limit=100)))


def value(ts_ms: int) -> Metric:
    """A voltage."""
    return metric(1.0, DataType.DOUBLE, ts_ms, alias=1)


def birth(last: int, *, first: int = 1, spool: str = "s1") -> bytes:
    """An NBIRTH that announces its highest position."""
    announced = metric(last, DataType.UINT64, 1, name=SPOOL_POSITION, alias=901)
    payload = Payload.FromString(node_birth(spool=spool, first=first, metrics=[announced]))
    payload.timestamp = now_ms()
    return payload.SerializeToString()


def test_hole_is_entered_and_closed_by_its_backfill(stand: Stand, edge: Edge) -> None:
    """With the times of its neighbours; closed when the last missing frame is committed."""
    start_ms = now_ms() - 1000
    for position in (1, 5):
        edge.send(value(start_ms + position), position=position)
    [gap] = until(lambda: ledger(stand.dsn, only_open=True), "the gap")

    assert (gap.source, gap.cause, gap.first_position, gap.last_position) == (
        SOURCE,
        "delivery",
        2,
        4,
    )
    assert [to_ms(time) for time in (gap.from_ts, gap.to_ts) if time] == [
        start_ms + 1,
        start_ms + 5,
    ]

    edge.send(value(start_ms + 2), position=2)
    edge.acknowledged(2)
    assert len(ledger(stand.dsn, only_open=True)) == 1
    for position in (3, 4):
        edge.send(value(start_ms + position), position=position)
    edge.acknowledged(5)
    assert ledger(stand.dsn, only_open=True) == []
    assert isinstance(ledger(stand.dsn)[0].closed_at, datetime)


def test_frames_that_overtake_each_other_are_no_gap(stand: Stand, edge: Edge) -> None:
    """A hole that is filled within the time of grace writes nothing."""
    for position in (1, 3, 2, 6, 5, 4):
        edge.send(value(now_ms()), position=position)
    edge.acknowledged(6)
    edge.send(value(now_ms()), position=9)
    until(lambda: ledger(stand.dsn), "the later hole to be entered")

    assert [gap.first_position for gap in ledger(stand.dsn)] == [7]


def test_absence_is_entered_with_its_cause(stand: Stand, edge: Edge) -> None:
    """A node that died and comes back announces what is missing; the backfill closes it."""
    edge.send(value(now_ms()), position=1)
    edge.acknowledged(1)
    edge.die()
    edge.publish("NBIRTH", birth(last=3))

    [gap] = until(lambda: ledger(stand.dsn), "the gap")
    assert (gap.cause, gap.first_position, gap.last_position) == ("node_offline", 2, 3)
    edge.be_born()
    for position in (2, 3):
        edge.send(value(now_ms()), position=position)
    until(lambda: not ledger(stand.dsn, only_open=True), "the gap to close")


def test_host_that_was_away(database: str, broker: Broker) -> None:
    """What a node spooled while ingest did not run is a gap of its own cause, until it came."""
    store(database)
    edge = Edge(broker.host, broker.port, METRICS)
    with running(database, broker):
        edge.be_born()
        edge.send(value(now_ms()), position=1)
        edge.acknowledged(1)
    until(lambda: not edge.host_online.is_set(), "the host to leave")
    with running(database, broker) as stand:
        assert edge.host_online.wait(20)
        edge.publish("NBIRTH", birth(last=4))
        [gap] = until(lambda: ledger(stand.dsn), "the gap")

        assert (gap.cause, gap.first_position, gap.last_position) == ("host_away", 2, 4)
        assert gap.from_ts is not None
    edge.close()


def test_what_was_dropped_or_lost_never_closes(stand: Stand, edge: Edge) -> None:
    """A gap is cut down to what may still come; dropped frames and a lost spool stay missing."""
    for position in (1, 8):
        edge.send(value(now_ms()), position=position)
    until(lambda: ledger(stand.dsn), "the gap")
    edge.publish("NBIRTH", birth(last=8, first=4))

    def dropped() -> list[tuple[str, int | None, int | None]]:
        found = [(gap.cause, gap.first_position, gap.last_position) for gap in ledger(stand.dsn)]
        return found if len(found) == 2 else []

    assert sorted(until(dropped, "both gaps")) == [("delivery", 4, 7), ("dropped", 2, 3)]
    edge.publish("NBIRTH", birth(last=0, spool="s2"))
    until(lambda: "lost" in [gap.cause for gap in ledger(stand.dsn)], "the spool to be lost")
    assert {gap.cause for gap in ledger(stand.dsn, only_open=True)} == {"dropped", "lost"}


def test_foreign_node_that_was_offline(stand: Stand) -> None:
    """From its last reading to its next birth; it stays open, for nobody can tell otherwise."""
    edge = Edge(stand.broker.host, stand.broker.port, ())
    assert edge.host_online.wait(20)
    head = f"spBv1.0/{GROUP}"
    payload = Payload.FromString(node_birth(metrics=[birth_metric("flag", 5, DataType.BOOLEAN)]))
    payload.timestamp = now_ms() - 5000
    for kind, raw in (
        ("NBIRTH", payload.SerializeToString()),
        ("NDEATH", death(0)),
        ("NBIRTH", payload.SerializeToString()),
    ):
        edge.publish_raw(f"{head}/{kind}/foreign", raw)

    [gap] = until(lambda: ledger(stand.dsn, only_open=True), "the gap")
    assert (gap.source, gap.cause, gap.first_position) == (f"{GROUP}/foreign", "node_offline", None)
    assert gap.from_ts is not None
    assert gap.to_ts is not None
    assert gap.from_ts <= gap.to_ts
    edge.close()


def test_nodes_and_gaps_as_commands(
    stand: Stand, edge: Edge, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is committed, what waits, the skew; as a table and as JSON lines."""
    edge.send(value(now_ms()), position=1)
    edge.send(value(now_ms()), position=4)
    until(lambda: ledger(stand.dsn), "the gap")

    def skew() -> int | None:
        with psycopg.connect(stand.dsn) as connection:
            return nodes(connection)[0].skew_ms

    until(lambda: skew() is not None, "the skew")

    listed = json.loads(run(stand.dsn, "nodes", "--json").stdout)
    assert (listed["source"], listed["online"], listed["committed"]) == (SOURCE, True, 1)
    assert listed["backlog"] == 2
    assert abs(listed["skew_ms"]) < 60_000
    found = json.loads(run(stand.dsn, "gaps", "--open", "--json").stdout)
    assert (found["first_position"], found["last_position"], found["closed_at"]) == (2, 3, None)
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    monkeypatch.setenv("COLUMNS", "200")
    assert "delivery" in run(stand.dsn, "gaps").stdout
    assert SOURCE in run(stand.dsn, "nodes").stdout


def test_tag_added_while_ingest_runs(stand: Stand, edge: Edge) -> None:
    """The plant is stored again with another tag: its readings are known without a restart."""
    edge.send(value(now_ms()), position=1)
    edge.acknowledged(1)
    engine = make_engine(stand.dsn, pool_size=1)
    with engine.begin() as connection:
        catalogue = load_catalogue(connection)
        model = next(tag for tag in catalogue.plant.tags.values() if tag.measure == "level")
        added = {
            **catalogue.plant.tags,
            path("added"): type(model)(
                **{name: getattr(model, name) for name in model.__dataclass_fields__}
                | {"path": path("added"), "measure": "added"}
            ),
        }
        store_plant(
            connection,
            type(catalogue.plant)(
                catalogue.plant.name,
                catalogue.plant.title,
                catalogue.plant.time_zone,
                catalogue.plant.assets,
                added,
                catalogue.plant.sources,
            ),
        )
    engine.dispose()

    def stored() -> bool:
        body = {"ts": now_ms(), "values": {"added": 1.0}}
        edge.publish_raw("telemetry/line/pot-1", json.dumps(body).encode(), qos=1)
        with psycopg.connect(stand.dsn) as connection:
            row = connection.execute(
                "SELECT count(*) FROM reading JOIN tag ON tag.id = tag_id WHERE measure = 'added'"
            ).fetchone()
        return row is not None and row[0] > 0

    until(stored, "a reading of the new tag")
