"""A host application that stores nothing: it counts what a spooling node sends and acknowledges it.

It stands for ingest where an agent alone is measured. Its account is exact: each position is
counted once, however often its frame comes, and acknowledged when all before it have come.
"""

import threading
import time
from dataclasses import dataclass, field, replace
from typing import Final, Self

from paho.mqtt.client import Client, MQTTMessage, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion

from schemas.sparkplug.datatype import DataType
from schemas.sparkplug.node import COMMIT_THROUGH, REBIRTH, SPOOL_FIRST
from schemas.sparkplug.payload import metric
from schemas.sparkplug.sparkplug_b_pb2 import Payload
from schemas.sparkplug.state import HostState
from schemas.sparkplug.topic import MessageType, Topic, state_topic

NAME: Final = "ertis"
#: Time between two acknowledgements [s], as long as ingest takes.
_ACK_S: Final = 0.2


@dataclass(slots=True)
class Account:
    """What has arrived. Times are those of the steady clock [s]."""

    births: int = 0
    born_s: float = 0.0
    frames: int = 0
    readings: int = 0
    repeated_frames: int = 0
    through: int = 0
    ahead: set[int] = field(default_factory=set)

    def born(self, birth: Payload) -> None:
        """The node was born; what its spool dropped does not come any more."""
        self.births += 1
        self.born_s = self.born_s or time.monotonic()
        first = next((m.long_value for m in birth.metrics if m.name == SPOOL_FIRST), 1)
        self._through(max(self.through, first - 1))

    def frame(self, position: int, readings: int) -> None:
        """A frame arrived, perhaps again."""
        if position <= self.through or position in self.ahead:
            self.repeated_frames += 1
            return
        self.frames += 1
        self.readings += readings
        self.ahead.add(position)
        self._through(self.through)

    def _through(self, through: int) -> None:
        while through + 1 in self.ahead:
            through += 1
            self.ahead.discard(through)
        self.through = through


class Host:
    """The host of node *node* on the broker at *port*, from its start until it is closed.

    It connects again by itself; a node whose birth it missed is asked for it.
    """

    def __init__(self, port: int, group: str, node: str) -> None:
        self._port = port
        self._group = group
        self._command = str(Topic(group, MessageType.NCMD, node))
        self._account = Account()
        self._lock = threading.Lock()
        self._known = False
        self._ending = threading.Event()
        client = Client(CallbackAPIVersion.VERSION2, f"bench-host-{node}", protocol=MQTTv5)
        client.reconnect_delay_set(1, 1)
        client.on_connect = self._on_connect
        client.on_message = self._on_message
        self._client = client
        self._acks = threading.Thread(target=self._keep_acknowledging, daemon=True)

    def __enter__(self) -> Self:
        self._client.connect("127.0.0.1", self._port, clean_start=True)
        self._client.loop_start()
        self._acks.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.set()
        self._acks.join()
        self._client.disconnect()
        self._client.loop_stop()

    def account(self) -> Account:
        """A copy of the account as it is now."""
        with self._lock:
            return replace(self._account, ahead=set(self._account.ahead))

    def _on_connect(self, client: Client, *_: object) -> None:
        self._known = False
        client.subscribe(f"spBv1.0/{self._group}/#", qos=1)
        state = HostState(online=True, timestamp=time.time_ns() // 1_000_000)
        client.publish(state_topic(NAME), state.encode(), qos=1, retain=True)

    def _on_message(self, client: Client, _userdata: object, message: MQTTMessage) -> None:
        kind = Topic.parse(message.topic).type
        if kind in (MessageType.NDATA, MessageType.DDATA):
            if not self._known:
                client.publish(self._command, _asking(REBIRTH))
                return
            metrics = Payload.FromString(bytes(message.payload)).metrics
            with self._lock:  # a frame ends with its position
                self._account.frame(metrics[-1].long_value, len(metrics) - 1)
        elif kind is MessageType.NBIRTH:
            self._known = True
            with self._lock:
                self._account.born(Payload.FromString(bytes(message.payload)))

    def _keep_acknowledging(self) -> None:
        while not self._ending.wait(_ACK_S):
            with self._lock:
                through = self._account.through
            if through:
                self._client.publish(self._command, _asking(COMMIT_THROUGH, through))


def _asking(name: str, value: int = 1) -> bytes:
    """A command: to be born again, or how far everything is committed."""
    now_ms = time.time_ns() // 1_000_000
    kind = DataType.BOOLEAN if name == REBIRTH else DataType.UINT64
    return Payload(
        timestamp=now_ms, metrics=[metric(value, kind, now_ms, name=name)]
    ).SerializeToString()
