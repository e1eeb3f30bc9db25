"""Listens to all of Sparkplug on a broker and tells what breaks the specification.

It only listens (but for one probe outside the namespace): no STATE, no commands, a clean session
and a client id of its own, so it may run beside anything. The rules are those of
`schemas.sparkplug.monitor`.
"""

import os
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from ingest.broker import authenticate
from schemas.errors import BrokerDown
from schemas.settings import MqttSettings
from schemas.sparkplug.monitor import Monitor, Violation
from schemas.sparkplug.topic import NAMESPACE

_SUBSCRIBED_WITHIN_S: Final = 10.0


class Watch:
    """A monitor on a broker; *tell* is called on the network thread.

    It subscribes at QoS 1, so that what arrives at QoS 0 was sent so. Some brokers raise it to that
    of the subscription (the embedded one does, 2026-11-22): a message of our own at QoS 0 shows
    what this one does, and until it has come back no QoS is judged.

    ``complete`` says that no node has been born yet: then data without a birth is a fault from the
    first message on.
    """

    def __init__(
        self,
        settings: MqttSettings,
        tell: Callable[[Violation], None],
        *,
        complete: bool = False,
    ) -> None:
        self.messages = 0
        self._settings = settings
        self._tell = tell
        self._monitor = Monitor(complete=complete)
        self._subscribed = threading.Event()
        self._passes_qos = False
        self._probe = f"ertis/monitor/{os.getpid()}"
        client = Client(
            CallbackAPIVersion.VERSION2, client_id=f"ertis-monitor-{os.getpid()}", protocol=MQTTv5
        )
        authenticate(client, settings)
        client.reconnect_delay_set(1, 5)
        client.on_connect = self._on_connect
        client.on_subscribe = self._on_subscribe
        client.on_disconnect = self._on_disconnect
        client.on_message = self._on_message
        self._client = client

    def open(self) -> None:
        """Connect and subscribe; lost connections are made again.

        Raises
        ------
        BrokerDown
            There is no broker, or it does not let us listen.
        """
        where = f"{self._settings.host}:{self._settings.port}"
        try:
            self._client.connect(
                self._settings.host,
                self._settings.port,
                self._settings.keep_alive_s,
                clean_start=True,
            )
        except OSError as error:
            raise BrokerDown(f"MQTT broker at {where}: {error}") from error
        self._client.loop_start()
        if not self._subscribed.wait(_SUBSCRIBED_WITHIN_S):
            self.close()
            raise BrokerDown(f"MQTT broker at {where}: no subscription to {NAMESPACE}/#")

    def close(self) -> None:
        """Leave."""
        self._client.disconnect()
        self._client.loop_stop()

    def _on_connect(
        self,
        client: Client,
        _userdata: object,
        _flags: ConnectFlags,
        reason: ReasonCode,
        _properties: Properties | None,
    ) -> None:
        if not reason.is_failure:
            client.subscribe([(self._probe, 1), (f"{NAMESPACE}/#", 1)])

    def _on_subscribe(self, client: Client, *_: object) -> None:
        client.publish(self._probe)
        self._subscribed.set()

    def _on_disconnect(
        self,
        _client: Client,
        _userdata: object,
        _flags: DisconnectFlags,
        _reason: ReasonCode,
        _properties: Properties | None,
    ) -> None:
        self._monitor.interrupted()

    def _on_message(self, _client: Client, _userdata: object, message: MQTTMessage) -> None:
        with suppress(UnicodeDecodeError):  # a topic that is no text cannot be named either
            if message.topic == self._probe:
                self._passes_qos = message.qos == 0
                return
            self.messages += 1
            qos = message.qos if self._passes_qos else None
            for violation in self._monitor.see(
                message.topic, bytes(message.payload), qos, retained=message.retain
            ):
                self._tell(violation)
