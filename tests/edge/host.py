"""A host application in a few lines: it announces itself, keeps what arrives, acknowledges it."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Self

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from schemas.reading import Reading
from schemas.sparkplug.datatype import DataType, read_value
from schemas.sparkplug.node import COMMIT_THROUGH, REBIRTH, SPOOL_FIRST, SPOOL_POSITION
from schemas.sparkplug.payload import decode, metric, read_quality
from schemas.sparkplug.sparkplug_b_pb2 import Metric, Payload
from schemas.sparkplug.state import HostState
from schemas.sparkplug.topic import MessageType, Topic, state_topic


@dataclass
class Seen:
    """One message as it arrived."""

    topic: Topic
    payload: Payload
    qos: int
    retain: bool


@dataclass
class Ledger:
    """What a host knows of one node: readings in the order of arrival, positions, births.

    It understands messages only through the births before them, as any host has to.
    """

    messages: list[Seen] = field(default_factory=list)
    readings: list[Reading] = field(default_factory=list)
    history: list[Reading] = field(default_factory=list)
    positions: set[int] = field(default_factory=set)
    names: dict[int, str] = field(default_factory=dict)
    alive: set[str] = field(default_factory=set)
    first: int = 1
    spool_ids: list[str] = field(default_factory=list)

    def take(self, message: Seen) -> None:
        """Follow one message."""
        self.messages.append(message)
        device = message.topic.device or ""
        match message.topic.type:
            case MessageType.NBIRTH:
                self.names.clear()
                self.alive = {""}
                self._learn(message.payload)
            case MessageType.DBIRTH:
                self.alive.add(device)
                self._learn(message.payload)
            case MessageType.DDEATH:
                self.alive.discard(device)
            case MessageType.NDEATH:
                self.alive.clear()
            case MessageType.NDATA | MessageType.DDATA:
                assert device in self.alive, f"{message.topic} while it is not alive"
                for each in message.payload.metrics:
                    self._reading(each)
            case _:
                raise AssertionError(f"unexpected {message.topic}")

    def _learn(self, birth: Payload) -> None:
        for each in birth.metrics:
            if each.HasField("alias"):
                self.names[each.alias] = each.name
            if each.name == SPOOL_FIRST:
                self.first = each.long_value

    def _reading(self, each: Metric) -> None:
        name = self.names[each.alias]
        if name == SPOOL_POSITION:
            self.positions.add(each.long_value)
            return
        value = read_value(each, DataType.DOUBLE)
        assert not isinstance(value, str)
        made = Reading(name, each.timestamp, value, read_quality(each))
        self.readings.append(made)
        if each.is_historical:
            self.history.append(made)

    @property
    def through(self) -> int:
        """The end of the range of positions that begins at the spool's first."""
        through = self.first - 1
        while through + 1 in self.positions:
            through += 1
        return through

    def of(self, kind: MessageType) -> list[Seen]:
        """The messages of one type."""
        return [message for message in self.messages if message.topic.type is kind]


def commit_through(position: int) -> bytes:
    """The payload of an acknowledgement."""
    return Payload(
        timestamp=1, metrics=[metric(position, DataType.UINT64, 1, name=COMMIT_THROUGH)]
    ).SerializeToString()


def rebirth() -> bytes:
    """The payload of a rebirth request."""
    return Payload(
        timestamp=1, metrics=[metric(1, DataType.BOOLEAN, 1, name=REBIRTH)]
    ).SerializeToString()


class Host:
    """A host on a real broker; ``acknowledges`` may be switched off and on.

    As any host does, it asks for a rebirth where it misses one: after its own connection broke.
    """

    def __init__(self, port: int, group: str, node: str, name: str = "ertis") -> None:
        self.ledger = Ledger()
        self.acknowledges = True
        self.fault: BaseException | None = None
        self._port = port
        self._command = f"spBv1.0/{group}/NCMD/{node}"
        self._state = state_topic(name)
        self._told = 0
        self._lock = threading.Lock()
        client = Client(
            CallbackAPIVersion.VERSION2, f"host-{name}", protocol=MQTTProtocolVersion.MQTTv5
        )
        client.reconnect_delay_set(1, 1)
        client.on_message = self._on_message
        client.on_connect = self._on_connect
        self._client = client
        self._topic = f"spBv1.0/{group}/#"

    def __enter__(self) -> Self:
        self._client.connect("127.0.0.1", self._port, clean_start=True)
        self._client.loop_start()
        return self

    def __exit__(self, *_: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()
        if self.fault is not None:
            raise self.fault

    def say(self, *, online: bool) -> None:
        """Publish the STATE."""
        state = HostState(online=online, timestamp=time.time_ns() // 1_000_000)
        self._client.publish(self._state, state.encode(), qos=1, retain=True)

    def send(self, payload: bytes) -> None:
        """Send a command to the node."""
        self._client.publish(self._command, payload)

    def send_to(self, device: str, payload: bytes) -> None:
        """Send a command to one of its devices."""
        topic = self._command.replace("NCMD", "DCMD")
        self._client.publish(f"{topic}/{device}", payload)

    def look(self, question: Callable[[Ledger], object]) -> object:
        """The answer to *question* about the ledger, while nothing changes it."""
        with self._lock:
            return question(self.ledger)

    def _missed_birth(self, topic: Topic) -> bool:
        with self._lock:
            return (topic.device or "") not in self.ledger.alive

    def _on_connect(self, client: Client, *_: object) -> None:
        with self._lock:
            self.ledger.alive.clear()
        client.subscribe(self._topic, qos=1)
        self.say(online=True)

    def _on_message(self, _client: Client, _userdata: object, message: MQTTMessage) -> None:
        topic = Topic.parse(message.topic)
        if topic.type in (MessageType.NCMD, MessageType.DCMD):
            return
        if topic.type in (MessageType.NDATA, MessageType.DDATA) and self._missed_birth(topic):
            self.send(rebirth())
            return
        try:
            with self._lock:
                self.ledger.take(
                    Seen(topic, decode(bytes(message.payload)), message.qos, message.retain)
                )
                through = self.ledger.through
        except BaseException as fault:  # noqa: BLE001 - paho would swallow it
            self.fault = self.fault or fault
            return
        if self.acknowledges and topic.type is not MessageType.NDEATH:
            self.send(commit_through(through))
