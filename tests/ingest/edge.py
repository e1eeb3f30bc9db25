"""A spooling edge node, reduced to what ingest sees of it."""

import threading
from collections.abc import Sequence

from paho.mqtt.client import Client, MQTTMessage, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion

from ingest.broker import now_ms
from schemas.sparkplug.node import COMMIT_THROUGH, REBIRTH
from schemas.sparkplug.sparkplug_b_pb2 import Metric, Payload
from schemas.sparkplug.state import HostState
from tests.fixtures.until import until
from tests.ingest.conversation import (
    DEVICE,
    GROUP,
    NODE,
    birth_metric,
    data,
    death,
    device_birth,
    node_birth,
    topic,
)

STATE = "spBv1.0/STATE/ertis"


class Edge:
    """Publishes what a test tells it to, and remembers what the host said.

    Like a real node it waits for the host and answers a rebirth request. ``metrics`` are declared
    by its device, aliases from 1.
    """

    def __init__(self, host: str, port: int, metrics: Sequence[str]) -> None:
        self.metrics = metrics
        self.through = 0
        self.commands = 0
        self.rebirths = 0
        self.host_online = threading.Event()
        self.frames: dict[int, bytes] = {}
        self._seq = 0
        self._lock = threading.RLock()
        self._client = Client(
            CallbackAPIVersion.VERSION2, client_id=f"edge-{NODE}", protocol=MQTTv5
        )
        self._client.on_connect = lambda *_: self._subscribe()
        self._client.on_message = self._on_message
        self._client.reconnect_delay_set(1, 1)
        self._client.connect(host, port, clean_start=True)
        self._client.loop_start()

    def close(self) -> None:
        """Leave without a word."""
        self._client.disconnect()
        self._client.loop_stop()

    def be_born(self) -> None:
        """NBIRTH and DBIRTH, once the host is online."""
        assert self.host_online.wait(20), "the host did not come online"
        with self._lock:
            self._seq = 0
            self.publish("NBIRTH", node_birth(spool="s1"))
            declared = [birth_metric(name, alias) for alias, name in enumerate(self.metrics, 1)]
            self._seq = 1
            self.publish("DBIRTH", device_birth(*declared, seq=1), DEVICE)

    def send(self, *metrics: Metric, position: int | None = None) -> None:
        """A DDATA."""
        with self._lock:
            self._seq += 1
            payload = data(*metrics, seq=self._seq % 256, position=position, ts_ms=now_ms())
            if position is not None:
                self.frames[position] = payload
            self.publish("DDATA", payload, DEVICE)

    def resend(self) -> None:
        """Everything that is not acknowledged, again."""
        for position, payload in sorted(self.frames.items()):
            if position > self.through:
                self.publish("DDATA", payload, DEVICE)

    def die(self) -> None:
        """NDEATH."""
        self.publish("NDEATH", death(0))

    def publish(self, kind: str, payload: bytes, device: str | None = None) -> None:
        """Any message of the node."""
        self.publish_raw(topic(kind, device), payload)

    def publish_raw(self, where: str, payload: bytes, qos: int = 0) -> None:
        """Any message."""
        self._client.publish(where, payload, qos)

    def acknowledged(self, position: int) -> None:
        """Wait for Commit Through *position*."""
        until(lambda: self.through >= position, f"Commit Through {position}")

    def _subscribe(self) -> None:
        self._client.subscribe([(STATE, 1), (f"spBv1.0/{GROUP}/NCMD/{NODE}", 1)])

    def _on_message(self, _client: Client, _userdata: object, message: MQTTMessage) -> None:
        if message.topic == STATE:
            online = HostState.decode(bytes(message.payload)).online
            (self.host_online.set if online else self.host_online.clear)()
            return
        for metric in Payload.FromString(bytes(message.payload)).metrics:
            if metric.name == COMMIT_THROUGH:
                self.commands += 1
                self.through = max(self.through, metric.long_value)
            elif metric.name == REBIRTH:
                self.rebirths += 1
                self.be_born()
