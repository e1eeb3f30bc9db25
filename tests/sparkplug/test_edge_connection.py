"""What an edge node's CONNECT, SUBSCRIBE, PUBLISH and DISCONNECT packets have in them."""

import asyncio
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from edge.agent import Agent
from edge.counters import EdgeCounters
from edge.delivery import Limits
from edge.identity import Identity
from edge.spool import Spool
from schemas.reading import Reading
from schemas.settings import MqttSettings
from schemas.sparkplug.datatype import DataType
from schemas.sparkplug.node import BD_SEQ
from schemas.sparkplug.payload import decode
from schemas.sparkplug.state import HostState
from tests.edge.host import commit_through
from tests.sparkplug.recorder import Connect, Disconnect, Published, Recorder, Subscribed
from tests.sparkplug.register import tck

NDEATH, NCMD = "spBv1.0/site/NDEATH/node", "spBv1.0/site/NCMD/node"
MQTT_5, WITH_WILL = 5, 4


async def eventually(condition: Callable[[], object], what: str) -> None:
    """Wait for *condition* without standing in the agent's way."""
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline, f"waited 30 s for {what}"
        await asyncio.sleep(0.01)


def make_agent(folder: Path, port: int) -> Agent:
    """A node with one device and a tag of its own."""
    return Agent(
        Identity("site", "node", "ertis"),
        {"plc": ["line/a"], "": ["node/load"]},
        Spool(folder / "spool.sqlite"),
        limits=Limits(),
        settings=MqttSettings(host="127.0.0.1", port=port),
        counters=EdgeCounters(CollectorRegistry()),
    )


async def live(agent: Agent, recorder: Recorder) -> None:
    """Two connections: the first is cut, the second ended on purpose."""

    def state() -> None:
        online = HostState(online=True, timestamp=time.time_ns() // 1_000_000)
        recorder.deliver("spBv1.0/STATE/ertis", online.encode())

    async def subscribed(connection: int) -> None:
        await eventually(
            lambda: (
                len(recorder.connections) > connection
                and sum(isinstance(p, Subscribed) for p in recorder.connections[connection]) == 2
            ),
            "both subscriptions",
        )

    running = asyncio.create_task(agent.run())
    agent.feed("plc", [Reading("line/a", 1_000, 1.0)], link=True)
    agent.feed("", [Reading("node/load", 1_000, 0.5)])
    await subscribed(0)
    state()
    await eventually(lambda: recorder.published("DDATA"), "history")
    recorder.cut()
    await subscribed(1)
    state()
    agent.feed("plc", [Reading("line/a", 2_000, 2.0)])
    agent.feed("", [Reading("node/load", 2_000, 0.75)])
    await eventually(lambda: len(recorder.published("NDATA")) > 2, "data of the node")
    agent.feed("plc", link=False)
    recorder.deliver(NCMD, commit_through(4))
    await eventually(lambda: recorder.published("DDEATH"), "the death of the device")
    agent.leave()
    await running


@pytest.fixture(scope="module")
def wire(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Recorder]:
    """Everything that a whole agent put on the wire."""
    with Recorder() as recorder:
        agent = make_agent(tmp_path_factory.mktemp("node"), recorder.port)
        asyncio.run(live(agent, recorder))
        yield recorder


def connects(wire: Recorder) -> list[Connect]:
    """The CONNECT of each connection."""
    found = [packet for packet in wire.packets if isinstance(packet, Connect)]
    assert len(found) == 2
    return found


def wills(wire: Recorder) -> list[Published]:
    """The will of each connection."""
    return [each.will for each in connects(wire) if each.will is not None]


@tck("principles-persistence-clean-session-50")
def test_every_connect_is_a_clean_start_without_expiry(wire: Recorder) -> None:
    """The second one too, where paho's own default would resume."""
    assert [(each.clean_start, each.expiry_s) for each in connects(wire)] == [(True, 0)] * 2


@tck(
    "principles-persistence-clean-session-311",
    "payloads-ndeath-will-message-publisher-disconnect-mqtt311",
)
def test_mqtt_5_is_spoken(wire: Recorder) -> None:
    """What is said of MQTT 3.1.1 does not apply."""
    assert {each.version for each in connects(wire)} == {MQTT_5}


@tck("message-flow-edge-node-birth-publish-connect")
def test_a_session_begins_with_connect(wire: Recorder) -> None:
    """Nothing goes out on a connection before it, and each has births of its own."""
    for packets in wire.connections:
        assert isinstance(packets[0], Connect)
        topics = [packet.topic for packet in packets if isinstance(packet, Published)]
        assert topics[:2] == ["spBv1.0/site/NBIRTH/node", "spBv1.0/site/DBIRTH/node/plc"]


@tck("message-flow-edge-node-birth-publish-will-message", "payloads-ndeath-will-message")
def test_every_connect_leaves_a_will(wire: Recorder) -> None:
    """It is an NDEATH."""
    assert len(wills(wire)) == len(wire.connections)
    assert all("/NDEATH/" in will.topic for will in wills(wire))


@tck("message-flow-edge-node-birth-publish-will-message-topic", "topics-ndeath-topic")
def test_the_will_has_the_topic_of_the_node_s_death(wire: Recorder) -> None:
    """``spBv1.0/group/NDEATH/node``; the NDEATH that the node publishes has the same."""
    assert {will.topic for will in wills(wire)} == {NDEATH}
    assert {each.topic for each in wire.published("NDEATH")} == {NDEATH}


@tck("message-flow-edge-node-birth-publish-will-message-payload")
def test_the_will_is_a_payload(wire: Recorder) -> None:
    """Protobuf, with the time and bdSeq."""
    for will in wills(wire):
        payload = decode(will.payload)
        assert payload.timestamp > 0
        assert [metric.name for metric in payload.metrics] == [BD_SEQ]


@tck("message-flow-edge-node-birth-publish-will-message-payload-bdSeq")
def test_bd_seq_counts_connects(wire: Recorder) -> None:
    """An Int64, one more for each CONNECT."""
    found = [decode(will.payload).metrics[0] for will in wills(wire)]

    assert [(metric.datatype, metric.long_value) for metric in found] == [
        (DataType.INT64, 0),
        (DataType.INT64, 1),
    ]


@tck("message-flow-edge-node-birth-publish-will-message-payload-bdSeq")
def test_bd_seq_wraps(tmp_path: Path) -> None:
    """0 follows 255, and it is remembered over a restart."""
    spool = Spool(tmp_path / "spool.sqlite")
    found = [spool.next_bd_seq() for _ in range(256)]
    spool.close()
    again = Spool(tmp_path / "spool.sqlite")
    found.append(again.next_bd_seq())
    again.close()

    assert found == [*range(256), 0]


@tck("message-flow-edge-node-birth-publish-will-message-qos", "payloads-ndeath-will-message-qos")
def test_the_will_is_at_qos_1(wire: Recorder) -> None:
    """A death must arrive."""
    assert [will.qos for will in wills(wire)] == [1, 1]


@tck(
    "message-flow-edge-node-birth-publish-will-message-will-retained",
    "payloads-ndeath-will-message-retain",
)
def test_the_will_is_not_retained(wire: Recorder) -> None:
    """A death of long ago is nobody's news."""
    assert [will.retain for will in wills(wire)] == [False, False]


@tck("message-flow-edge-node-ncmd-subscribe")
def test_commands_are_subscribed_first(wire: Recorder) -> None:
    """Own NCMD at QoS 1, before any birth."""
    for packets in wire.connections:
        before = packets[: [isinstance(packet, Published) for packet in packets].index(True)]
        assert Subscribed(NCMD, 1) in before


@tck("operational-behavior-primary-application-state-with-multiple-servers-state-subs")
def test_the_state_of_the_primary_host_is_subscribed(wire: Recorder) -> None:
    """On every connection, at QoS 1."""
    assert all(Subscribed("spBv1.0/STATE/ertis", 1) in packets for packets in wire.connections)


@tck(
    "operational-behavior-primary-application-state-with-multiple-servers-single-server",
    "operational-behavior-primary-application-state-with-multiple-servers-walk",
)
def test_one_connection_at_a_time(wire: Recorder) -> None:
    """The client id is the same, so that a broker would end the first; there is one address."""
    assert len({each.client_id for each in connects(wire)}) == 1
    assert isinstance(wire.connections[-1][-1], Disconnect)


@tck(
    "intro-edge-node-id-uniqueness",
    "topic-structure-namespace-unique-edge-node-descriptor",
    "payloads-nbirth-edge-node-descriptor",
)
def test_the_client_id_is_the_descriptor(wire: Recorder) -> None:
    """A broker admits one client of an id: so of two nodes of one group and name only one lives."""
    assert {each.client_id for each in connects(wire)} == {"ertis-edge-4-site-node"}


@tck("topics-nbirth-mqtt")
def test_nbirth_packets(wire: Recorder) -> None:
    """QoS 0, not retained."""
    assert {(each.qos, each.retain) for each in wire.published("NBIRTH")} == {(0, False)}


@tck("message-flow-edge-node-birth-publish-nbirth-qos", "payloads-nbirth-qos")
def test_nbirth_qos(wire: Recorder) -> None:
    """0."""
    assert {each.qos for each in wire.published("NBIRTH")} == {0}


@tck("message-flow-edge-node-birth-publish-nbirth-retained", "payloads-nbirth-retain")
def test_nbirth_retain(wire: Recorder) -> None:
    """Off."""
    assert {each.retain for each in wire.published("NBIRTH")} == {False}


@tck("topics-dbirth-mqtt")
def test_dbirth_packets(wire: Recorder) -> None:
    """QoS 0, not retained."""
    assert {(each.qos, each.retain) for each in wire.published("DBIRTH")} == {(0, False)}


@tck("message-flow-device-birth-publish-dbirth-qos", "payloads-dbirth-qos")
def test_dbirth_qos(wire: Recorder) -> None:
    """0."""
    assert {each.qos for each in wire.published("DBIRTH")} == {0}


@tck("message-flow-device-birth-publish-dbirth-retained", "payloads-dbirth-retain")
def test_dbirth_retain(wire: Recorder) -> None:
    """Off."""
    assert {each.retain for each in wire.published("DBIRTH")} == {False}


@tck("topics-ndata-mqtt", "payloads-ndata-qos", "payloads-ndata-retain")
def test_ndata_packets(wire: Recorder) -> None:
    """QoS 0, not retained, live and history."""
    assert {(each.qos, each.retain) for each in wire.published("NDATA")} == {(0, False)}


@tck("topics-ddata-mqtt", "payloads-ddata-qos", "payloads-ddata-retain")
def test_ddata_packets(wire: Recorder) -> None:
    """QoS 0, not retained, live and history."""
    assert {(each.qos, each.retain) for each in wire.published("DDATA")} == {(0, False)}


@tck("topics-ddeath-mqtt")
def test_ddeath_packets(wire: Recorder) -> None:
    """QoS 0, not retained."""
    assert {(each.qos, each.retain) for each in wire.published("DDEATH")} == {(0, False)}


@tck(
    "payloads-ndeath-will-message-publisher",
    "operational-behavior-edge-node-intentional-disconnect-ndeath",
    "operational-behavior-edge-node-intentional-disconnect-packet",
)
def test_leaving_says_ndeath_then_disconnect(wire: Recorder) -> None:
    """In this order, with the bdSeq of the session."""
    death, goodbye = wire.connections[-1][-2:]

    assert isinstance(death, Published)
    assert death.topic == NDEATH
    assert decode(death.payload).metrics[0].long_value == 1
    assert isinstance(goodbye, Disconnect)


@tck("payloads-ndeath-will-message-publisher-disconnect-mqtt50")
def test_disconnect_asks_for_the_will(wire: Recorder) -> None:
    """Reason 0x04, Disconnect with Will Message."""
    assert wire.connections[-1][-1] == Disconnect(WITH_WILL)
