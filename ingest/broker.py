"""MQTT 5 by paho: clients that put what comes into the inbox, and nothing more.

paho's traps, and how they are passed (2.2.0): callback version and clean start are given, since
their defaults lose data at a reconnect; nothing is queued inside paho, which keeps it in memory
only; an acknowledgement belongs to its connection, since a packet id of an earlier one means
another message now.
"""

import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import structlog
from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from ingest.event import Publish
from ingest.inbox import Connected, Disconnected, Inbox, Message
from ingest.read_ahead import ReadAheadClient
from schemas.settings import MqttSettings
from schemas.telemetry import TOPIC_PREFIX

log = structlog.get_logger()

_SESSION_EXPIRY_S: Final = 86_400
_RETRY_S: Final = (1, 5)
_LEAVE_WITHIN_S: Final = 5.0


class Link:
    """A paho client that connects, and connects again, by itself until it is closed."""

    def __init__(
        self, name: str, settings: MqttSettings, client: Client, may: Callable[[], bool]
    ) -> None:
        self.connected = False
        self._may = may
        self.client = client
        self._name = name
        self._up: Callable[[], None]
        self._down: Callable[[], None]
        client.reconnect_delay_set(*_RETRY_S)
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        authenticate(client, settings)

    def open(
        self,
        up: Callable[[], None],
        down: Callable[[], None],
        came: Callable[[str, MQTTMessage], None],
    ) -> None:
        """Start the network thread; *up*, *down* and *came* are called on it."""
        self._up, self._down = up, down

        def on_message(_client: Client, _userdata: object, message: MQTTMessage) -> None:
            try:
                topic = message.topic
            except UnicodeDecodeError as error:
                topic = error.object.decode(errors="backslashreplace")
            came(topic, message)

        self.client.on_message = on_message
        self.client.loop_start()

    def permitted(self) -> None:
        """To be called before each attempt to connect.

        Raises
        ------
        ConnectionError
            Not now: paho tries again, as if the broker had refused.
        """
        if not self._may():
            raise ConnectionError("another process may have this client id")

    def close(self) -> None:
        """Disconnect and end the network thread."""
        self.connected = False
        self.client.disconnect()
        self.client.loop_stop()

    def _on_connect(
        self,
        _client: Client,
        _userdata: object,
        _flags: ConnectFlags,
        reason: ReasonCode,
        _properties: Properties | None,
    ) -> None:
        if reason.is_failure:
            log.error("broker refuses the connection", link=self._name, reason=str(reason))
            return
        log.info("connected to the broker", link=self._name)
        self.connected = True
        self._up()

    def _on_disconnect(
        self,
        _client: Client,
        _userdata: object,
        _flags: DisconnectFlags,
        reason: ReasonCode,
        _properties: Properties | None,
    ) -> None:
        if self.connected:
            log.warning("connection to the broker ended", link=self._name, reason=str(reason))
            self.connected = False
            self._down()


class HostLink:
    """The Sparkplug host's connection: clean start, a new will for each attempt.

    It connects only while *may* says so.

    Source: tck-id-message-flow-phid-sparkplug-clean-session-50.
    """

    def __init__(
        self,
        settings: MqttSettings,
        host: str,
        inbox: Inbox,
        will: Callable[[int], Publish],
        *,
        may: Callable[[], bool] = lambda: True,
    ) -> None:
        client = ReadAheadClient(
            CallbackAPIVersion.VERSION2, client_id=f"ertis-host-{host}", protocol=MQTTv5
        )
        client.on_pre_connect = self._leave_will
        client.connect_async(
            settings.host,
            settings.port,
            settings.keep_alive_s,
            clean_start=True,
            properties=_connect_properties(expiry_s=0),
        )
        self._link = Link("sparkplug", settings, client, may)
        self._inbox = inbox
        self._will = will
        self._will_ms = 0

    @property
    def connected(self) -> bool:
        """Whether the broker is there."""
        return self._link.connected

    def open(self) -> None:
        """Connect as soon as the broker is there."""
        self._link.open(
            lambda: self._inbox.put(Connected(self._will_ms)),
            lambda: self._inbox.put(Disconnected()),
            lambda topic, message: self._inbox.put(
                Message(topic, bytes(message.payload), now_ms(), message.retain)
            ),
        )

    def subscribe(self, topic: str, qos: int) -> None:
        """Subscribe to *topic*."""
        self._link.client.subscribe(topic, qos)

    def publish(self, message: Publish) -> None:
        """Send *message* now; without a connection it is lost."""
        self._link.client.publish(
            message.topic, bytes(message.payload), message.qos, message.retain
        )

    def close(self, death: Publish | None) -> None:
        """Leave on purpose: *death* first, if any, then the DISCONNECT that cancels the will."""
        if self.connected and death is not None:
            sent = self._link.client.publish(death.topic, death.payload, death.qos, death.retain)
            with suppress(RuntimeError, ValueError):  # the connection went meanwhile
                sent.wait_for_publish(_LEAVE_WITHIN_S)
        self._link.close()

    def _leave_will(self, client: Client, _userdata: object) -> None:
        self._link.permitted()
        self._will_ms = now_ms()
        will = self._will(self._will_ms)
        client.will_set(will.topic, will.payload, will.qos, will.retain)


@dataclass(slots=True)
class _Receipt:
    connection: int
    packet_id: int
    due: bool = False


class LaneLink:
    """The JSON lane's connection: a session that the broker keeps while we are away.

    Messages are acknowledged in the order of their arrival (MQTT-4.6.0-2), each once its readings
    are in the database. It connects only while *may* says so.
    """

    def __init__(
        self,
        settings: MqttSettings,
        host: str,
        inbox: Inbox,
        *,
        unacknowledged: int,
        may: Callable[[], bool] = lambda: True,
    ) -> None:
        client = ReadAheadClient(
            CallbackAPIVersion.VERSION2,
            client_id=f"ertis-lane-{host}",
            protocol=MQTTv5,
            manual_ack=True,
        )
        client.connect_async(
            settings.host,
            settings.port,
            settings.keep_alive_s,
            clean_start=False,
            properties=_connect_properties(_SESSION_EXPIRY_S, unacknowledged),
        )
        self._link = Link("telemetry", settings, client, may)
        client.on_pre_connect = lambda *_: self._link.permitted()
        self._inbox = inbox
        self._lock = threading.Lock()
        self._connection = 0
        self._receipts: deque[_Receipt] = deque()

    @property
    def connected(self) -> bool:
        """Whether the broker is there."""
        return self._link.connected

    def open(self) -> None:
        """Connect as soon as the broker is there."""
        self._link.open(self._subscribe, self._forget, self._came)

    def close(self) -> None:
        """Leave; the broker keeps the session with what was not acknowledged."""
        self._link.close()

    def _subscribe(self) -> None:
        self._link.client.subscribe(f"{TOPIC_PREFIX}#", 1)

    def _came(self, topic: str, message: MQTTMessage) -> None:
        receipt = _Receipt(self._connection, message.mid)
        if message.qos:
            self._receipts.append(receipt)
        self._inbox.put(
            Message(
                topic,
                bytes(message.payload),
                now_ms(),
                receipt=(lambda: self._acknowledge(receipt)) if message.qos else None,
            )
        )

    def _acknowledge(self, receipt: _Receipt) -> None:
        receipt.due = True
        with self._lock:
            while self._receipts and self._receipts[0].due:
                first = self._receipts.popleft()
                if first.connection == self._connection:
                    self._link.client.ack(first.packet_id, 1)

    def _forget(self) -> None:
        """The connection is gone: the broker sends again what it was not acknowledged for.

        paho drops queued acknowledgements when it reconnects, after this call; one made later must
        not go out on the next connection.
        """
        with self._lock:
            self._connection += 1
            self._receipts.clear()


def authenticate(client: Client, settings: MqttSettings) -> None:
    """Give *client* the name, password and certificates of the settings."""
    if settings.username is not None:
        client.username_pw_set(settings.username, settings.secret())
    if settings.ca_file is not None:
        client.tls_set(
            ca_certs=_text(settings.ca_file),
            certfile=_text(settings.cert_file),
            keyfile=_text(settings.key_file),
        )


def now_ms() -> int:
    """UTC [ms]."""
    return time.time_ns() // 1_000_000


def _text(path: Path | None) -> str | None:
    return None if path is None else str(path)


def _connect_properties(expiry_s: int, receive_maximum: int | None = None) -> Properties:
    properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
    properties.SessionExpiryInterval = expiry_s
    if receive_maximum is not None:
        properties.ReceiveMaximum = receive_maximum
    return properties
