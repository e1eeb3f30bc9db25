"""What a host application makes of deaths, and of messages that come out of order."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime

import psycopg
import pytest

from api.latest import Newest, newest
from api.settings import ApiSettings
from api.store import Store
from ingest.broker import now_ms
from ingest.event import Data, Died, Event, Publish, Source
from ingest.node import NodeState
from ingest.session import SessionPolicy
from ingest.settings import IngestSettings
from schemas.instant import to_ms
from schemas.quality import Quality
from schemas.sparkplug.datatype import DataType
from schemas.sparkplug.payload import decode, metric
from tests.fixtures.broker import Broker
from tests.fixtures.until import until
from tests.ingest.conversation import (
    DEVICE,
    GROUP,
    NODE,
    Conversation,
    birth_metric,
    data,
    death,
    device_birth,
    node_birth,
)
from tests.ingest.edge import Edge
from tests.ingest.plant import path, store
from tests.ingest.test_service import running
from tests.sparkplug.register import tck

NODE_SOURCE = Source(GROUP, NODE)
PLC = Source(GROUP, NODE, DEVICE)
VALUE = metric(4.2, DataType.DOUBLE, 1, alias=1)


def requests(events: list[Event]) -> int:
    """How many of *events* are rebirth requests."""
    found = [event for event in events if isinstance(event, Publish)]
    assert all(decode(each.payload).metrics[0].boolean_value for each in found)
    return len(found)


def ddata(talk: Conversation, seq: int) -> list[Event]:
    """A message of the device."""
    return talk.hear("DDATA", data(VALUE, seq=seq), DEVICE)


@tck("operational-behavior-host-reordering-param")
def test_the_reorder_timeout_is_a_setting() -> None:
    """``INGEST_REORDER_MS``, which sets how long the session waits."""
    assert IngestSettings(reorder_ms=1234).reorder_ms == 1234
    talk = Conversation(SessionPolicy(reorder_ms=1234))
    talk.live()
    ddata(talk, 3)

    assert requests(talk.wait(1233)) == 0
    assert requests(talk.wait(1)) == 1


@tck("operational-behavior-host-reordering-start")
def test_a_gap_starts_the_timeout() -> None:
    """From the message that came too early, not from the one after it."""
    talk = Conversation(SessionPolicy(reorder_ms=2000))
    talk.live()
    ddata(talk, 2)
    assert requests(talk.wait(60_000)) == 0
    ddata(talk, 4)
    assert talk.host.state_of(NODE_SOURCE) is NodeState.GAPPED
    talk.wait(1000)
    ddata(talk, 5)

    assert requests(talk.wait(1000)) == 1


@tck("operational-behavior-host-reordering-rebirth")
def test_a_gap_that_stays_asks_for_a_rebirth() -> None:
    """Once; the node is then taken as it goes on."""
    talk = Conversation(SessionPolicy(reorder_ms=2000))
    talk.live()
    ddata(talk, 3)

    assert requests(talk.wait(2000)) == 1
    assert [type(event) for event in ddata(talk, 4)] == [Data]
    assert requests(talk.wait(2000)) == 0


@tck("operational-behavior-host-reordering-success")
def test_a_gap_that_closes_asks_for_nothing() -> None:
    """The steps of Eclipse's own test: three good ones, one withheld and sent at half time."""
    talk = Conversation(SessionPolicy(reorder_ms=2000))
    talk.live()
    for seq in (2, 3, 4):
        ddata(talk, seq)
        assert talk.wait(1000) == []
    ddata(talk, 6)
    talk.wait(1000)
    ddata(talk, 5)

    assert requests(talk.wait(4000)) == 0
    assert talk.host.state_of(NODE_SOURCE) is NodeState.LIVE


@tck("operational-behavior-edge-node-termination-host-action-ndeath-node-offline")
def test_ndeath_ends_a_node() -> None:
    """With the host's time of receipt, for a will was written long before; once."""
    talk = Conversation()
    talk.live()
    talk.now_ms += 500

    assert talk.hear("NDEATH", death(0)) == [Died(NODE_SOURCE, talk.now_ms)]
    assert talk.host.state_of(NODE_SOURCE) is NodeState.STALE
    assert talk.hear("NDEATH", death(0)) == []


@tck("operational-behavior-edge-node-termination-host-action-ndeath-devices-offline")
def test_ndeath_ends_its_devices() -> None:
    """Their values mean nothing until they are born again, the node's birth notwithstanding."""
    talk = Conversation()
    talk.live()
    talk.hear("NDEATH", death(0))
    assert ddata(talk, 2) == []
    talk.hear("NBIRTH", node_birth(bd_seq=1))

    assert [type(event) for event in ddata(talk, 1)] == []
    talk.hear("DBIRTH", device_birth(birth_metric("voltage", 1), seq=2), DEVICE)
    assert [type(event) for event in ddata(talk, 3)] == [Data]


def test_the_late_will_of_an_old_session_ends_nothing() -> None:
    """Chapter 5 says so without an id: a death counts for the birth of its bdSeq alone."""
    talk = Conversation()
    talk.hear("NBIRTH", node_birth(bd_seq=8))

    assert talk.hear("NDEATH", death(7)) == []
    assert talk.host.state_of(NODE_SOURCE) is NodeState.LIVE


@tck("operational-behavior-edge-node-termination-host-action-ddeath-devices-offline")
def test_ddeath_ends_a_device() -> None:
    """With the payload's time; the node lives on."""
    talk = Conversation()
    talk.live()

    assert talk.hear("DDEATH", data(seq=2, ts_ms=777), DEVICE) == [Died(PLC, 777)]
    assert talk.host.state_of(NODE_SOURCE) is NodeState.LIVE
    assert ddata(talk, 3) == []


VOLTAGE, CURRENT = path("voltage"), path("current")


@contextmanager
def judged(database: str, broker: Broker) -> Iterator[tuple[Edge, Callable[[], dict[str, Newest]]]]:
    """A node with a tag of its own and a device with another, both fresh; and how they stand."""
    store(database)
    with running(database, broker):
        edge = Edge(broker.host, broker.port, [VOLTAGE])
        assert edge.host_online.wait(20)
        own = metric(480.0, DataType.DOUBLE, now_ms(), name=CURRENT, alias=50)
        value = metric(4.2, DataType.DOUBLE, now_ms(), name=VOLTAGE, alias=1)
        edge.publish("NBIRTH", node_birth(metrics=[own]))
        edge.publish("DBIRTH", device_birth(value), DEVICE)
        api = Store(database, ApiSettings())

        def stand() -> dict[str, Newest]:
            catalogue = api.catalogue()
            tags = [catalogue.plant.tag(name) for name in (VOLTAGE, CURRENT)]
            return {each.tag: each for each in newest(api, catalogue, tags, api.now())}

        until(lambda: {each.quality for each in stand().values()} == {192}, "fresh values")
        yield edge, stand
        api.close()
        edge.close()


def since_ms(database: str, device: str) -> int:
    """Since when a device (empty: the node itself) is what it is."""
    query = "SELECT since FROM edge_device WHERE device_id = %s"
    with psycopg.connect(database) as connection:
        row = connection.execute(query, (device,)).fetchone()
    assert row is not None
    assert isinstance(row[0], datetime)
    return to_ms(row[0])


one_broker = pytest.mark.parametrize("broker", ["embedded"], indirect=True)


@tck(
    "operational-behavior-edge-node-termination-host-action-ndeath-node-tags-stale",
    "operational-behavior-edge-node-termination-host-action-ndeath-devices-tags-stale",
)
@one_broker
def test_ndeath_makes_all_tags_stale(database: str, broker: Broker, tck_id: str) -> None:
    """The node's own and its devices', as the API shows them, since the host received it."""
    tag = CURRENT if tck_id.endswith("node-tags-stale") else VOLTAGE
    with judged(database, broker) as (edge, stand):
        before_ms = now_ms()
        edge.publish("NDEATH", death(0))
        until(lambda: stand()[tag].quality == Quality.STALE, f"{tag} to be stale")
        after_ms = now_ms()

        assert "offline" in str(stand()[tag].reason)
        assert before_ms <= since_ms(database, "") <= after_ms


@tck("operational-behavior-edge-node-termination-host-action-ddeath-devices-tags-stale")
@one_broker
def test_ddeath_makes_the_tags_of_a_device_stale(database: str, broker: Broker) -> None:
    """Since the payload's time; the node's own stay good."""
    with judged(database, broker) as (edge, stand):
        died_ms = now_ms() - 5_000
        edge.publish("DDEATH", data(seq=2, ts_ms=died_ms), DEVICE)
        until(lambda: stand()[VOLTAGE].quality == Quality.STALE, f"{VOLTAGE} to be stale")

        assert stand()[CURRENT].quality == Quality.GOOD
        assert since_ms(database, DEVICE) == died_ms
