"""Both ways with other people's Sparkplug: pysparkplug, and sparkplug-client and -payload of npm.

Neither is faultless: pysparkplug knows no rebirth and its NDEATH names the next session's bdSeq;
sparkplug-client is of Sparkplug 2.2, its bdSeq is a UInt64 that never changes.
"""

import asyncio
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from edge.agent import Agent
from ingest.monitor import Watch
from schemas.reading import Reading
from schemas.settings import MqttSettings
from schemas.sparkplug.monitor import Violation
from tests.edge.host import Host, rebirth
from tests.fixtures.broker import Broker
from tests.fixtures.until import until
from tests.ingest.plant import readings, store
from tests.ingest.test_service import running
from tests.sparkplug.peers.peer import node_peer, peer, python_peer
from tests.sparkplug.test_edge_connection import make_agent

Command = Callable[[], Sequence[str]]
pytestmark = [
    pytest.mark.mosquitto,  # they speak MQTT 3.1.1, we MQTT 5: one port has to serve both
    pytest.mark.parametrize("broker", ["mosquitto"], indirect=True),
]


def values(dsn: str, measure: str) -> list[float | None]:
    """The good values of one measure, by time."""
    return [value for name, _, value, quality in readings(dsn) if (name, quality) == (measure, 192)]


@pytest.mark.parametrize(
    ("command", "role", "current"),
    [
        (python_peer, "edge", 1.5),
        (node_peer, "edge", 4e9),
        (node_peer, "compressing-edge", 4e9),
    ],
    ids=["pysparkplug", "npm", "npm compressed"],
)
def test_their_edge_node_to_our_ingest(
    database: str, broker: Broker, command: Command, role: str, current: float
) -> None:
    """Births and data are stored: Double, Float or UInt32, negative Int8, Boolean, String."""
    words = command()
    store(database)
    with running(database, broker) as stand, peer(words, role, broker.port) as edge:
        edge.expect(lambda said: said.get("born"))
        until(lambda: values(database, "level"), "the births")
        for _ in range(3):
            edge.tell()
        edge.expect(lambda said: said.get("sent") == 3)
        until(lambda: len(values(database, "level")) >= 4, "the data")
        edge.leave()

        assert values(database, "voltage")[-3:] == [5.25, 6.25, 7.25]
        assert set(values(database, "level")) == {-5, -4, -3, -2}
        assert set(values(database, "current")) == {current}
        assert set(values(database, "flag")) == {1.0}
        assert stand.letters() == []


def test_their_edge_node_is_born_again_at_our_request(database: str, broker: Broker) -> None:
    """Ingest comes after the births: it asks, npm's client answers, and no value is lost."""
    words = node_peer()
    store(database)
    with peer(words, "edge", broker.port) as edge:
        edge.expect(lambda said: said.get("born"))
        with running(database, broker) as stand:
            until(lambda: stand.ready().get("ready"), "ingest")
            edge.tell()
            edge.expect(lambda said: said.get("rebirth"))
            until(lambda: 5.25 in values(database, "voltage"), "the first value of the node")
            until(lambda: -4.0 in values(database, "level"), "that of its device")
            assert stand.letters() == []
        edge.leave()


@contextmanager
def living(agent: Agent) -> Iterator[asyncio.AbstractEventLoop]:
    """An agent on a thread of its own; it leaves at the end."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_until_complete, args=(agent.run(),))
    thread.start()
    yield loop
    loop.call_soon_threadsafe(agent.leave)
    thread.join()
    loop.close()


def told(heard: Sequence[Any], kind: str) -> list[Any]:
    """The metrics of their messages of *kind*, in order."""
    return [metric for each in heard if each.get("type") == kind for metric in each["metrics"]]


@pytest.mark.parametrize("command", [python_peer, node_peer], ids=["pysparkplug", "npm"])
def test_our_edge_node_to_their_decoder(tmp_path: Path, broker: Broker, command: Command) -> None:
    """Names, aliases, times and seq of all, the values of births, and for one those of data.

    npm's decoder reads no value without a datatype, which DATA should not have
    (tck-id-payloads-metric-datatype-not-req); pysparkplug takes it from the birth.
    """
    sent = [Reading("line/a", 1_800_000_000_000 + step, step / 8 - 3) for step in range(100)]
    with (
        peer(command(), "host", broker.port) as listener,
        Host(broker.port, "site", "node") as host,
    ):
        listener.expect(lambda said: said.get("listening"))
        agent = make_agent(tmp_path, broker.port)
        with living(agent) as loop:
            loop.call_soon_threadsafe(lambda: agent.feed("plc", sent[:1], link=True))
            listener.expect(lambda said: said.get("type") == "DBIRTH")
            loop.call_soon_threadsafe(lambda: agent.feed("plc", sent[1:]))
            until(lambda: host.look(lambda ledger: len(ledger.readings) == 100), "all readings")
            host.send(rebirth())
            listener.expect(lambda said: said.get("type") == "DBIRTH")
            loop.call_soon_threadsafe(lambda: agent.feed("plc", link=False))
            listener.expect(lambda said: said.get("type") == "DDEATH")
        listener.leave()

    heard = [each for each in listener.heard if each.get("seq") is not None]
    again = next(place for place in range(1, len(heard)) if heard[place]["type"] == "NBIRTH")
    for session in (heard[:again], heard[again:]):
        assert [each["seq"] for each in session] == list(range(len(session)))
    names = {each["alias"]: each["name"] for each in told(heard, "DBIRTH") if "alias" in each}
    found = [
        (names.get(each.get("alias"), each["name"]), each["ts"], each["value"])
        for each in told(heard, "DDATA")
    ]
    assert {(each.tag, each.ts_ms) for each in sent} <= {each[:2] for each in found}
    if command is python_peer:
        assert {(each.tag, each.ts_ms, each.value) for each in sent} <= set(found)
    newest = [each for each in told(heard, "DBIRTH") if each["name"] == "line/a"][-1]
    assert (newest["ts"], newest["value"]) == (sent[-1].ts_ms, sent[-1].value)


def test_the_monitor_tells_their_faults(broker: Broker) -> None:
    """What the note above says of them is what the monitor finds on the wire."""
    found: list[Violation] = []
    watch = Watch(MqttSettings(host=broker.host, port=broker.port), found.append, complete=True)
    watch.open()
    for command in (python_peer, node_peer):
        before = watch.messages
        with peer(command(), "edge", broker.port) as edge:
            edge.expect(lambda said: said.get("born"))
            until(lambda: watch.messages == before + 2, "both births")  # noqa: B023 - asked at once
            edge.leave()
            until(lambda: watch.messages == before + 3, "the death")  # noqa: B023 - likewise
    watch.close()

    rules = {violation.rule for violation in found}
    assert {
        "payloads-ndeath-will-message-qos",
        "payloads-ndeath-bdseq",
        "topics-nbirth-rebirth-metric",
        "payloads-nbirth-bdseq",
    } <= rules
