"""The MQTT broker, as the agent sees it: one object for each connection, over paho.

One paho client serves one connection and is then thrown away. So nothing that paho would queue for
later survives a broken connection (the spool is the queue), every CONNECT is a clean start, and the
will is that of this CONNECT and no other. Reconnecting is the agent's task.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from socket import SHUT_RDWR
from typing import Final, TypeVar

from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from schemas.errors import BrokerDown
from schemas.settings import MqttSettings

#: How long a broker may take to answer a CONNECT [s].
_CONNACK_TIMEOUT_S: Final = 10.0
News = TypeVar("News")
_WITH_WILL: Final = ReasonCode(PacketTypes.DISCONNECT, "Disconnect with will message")


class Connection:
    """One MQTT 5 connection; *will_topic* and *will* are published at QoS 1 if it breaks."""

    def __init__(
        self, settings: MqttSettings, client_id: str, will_topic: str, will: bytes
    ) -> None:
        self._settings = settings
        self._loop = asyncio.get_running_loop()
        self._accepted: asyncio.Future[None] = self._loop.create_future()
        self._arrived: asyncio.Queue[tuple[str, bytes] | None] = asyncio.Queue()
        client = Client(
            CallbackAPIVersion.VERSION2,
            client_id,
            protocol=MQTTProtocolVersion.MQTTv5,
            reconnect_on_failure=False,
        )
        client.will_set(will_topic, will, qos=1, retain=False)
        if settings.username is not None:
            client.username_pw_set(settings.username, settings.secret())
        if settings.ca_file is not None:
            client.tls_set(
                str(settings.ca_file),
                None if settings.cert_file is None else str(settings.cert_file),
                None if settings.key_file is None else str(settings.key_file),
            )
        client.on_connect = self._on_connect
        client.on_message = self._on_message
        client.on_disconnect = self._on_disconnect
        self._client = client

    async def open(self) -> None:
        """Reach the broker and send CONNECT.

        Raises
        ------
        BrokerDown
            Nothing was sent: there is no broker at that address.
        """
        session = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]  # paho's own
        session.SessionExpiryInterval = 0
        where = f"{self._settings.host}:{self._settings.port}"
        try:
            await asyncio.to_thread(
                self._client.connect,
                self._settings.host,
                self._settings.port,
                self._settings.keep_alive_s,
                clean_start=True,
                properties=session,
            )
        except OSError as error:
            raise BrokerDown(f"MQTT broker at {where}: {error}") from error
        self._client.loop_start()

    async def accepted(self) -> None:
        """Wait for the broker's answer to CONNECT.

        Raises
        ------
        BrokerDown
            It refused, hung up or did not answer in time.
        """
        try:
            await asyncio.wait_for(self._accepted, _CONNACK_TIMEOUT_S)
        except TimeoutError as error:
            raise BrokerDown("MQTT broker: no answer to CONNECT") from error

    async def messages(self) -> AsyncIterator[tuple[str, bytes]]:
        """Topic and payload of what arrives, until the connection ends."""
        while (message := await self._arrived.get()) is not None:
            yield message

    def publish(self, topic: str, payload: bytes, qos: int) -> bool:
        """Hand a message to the network; whether it was taken. Not retained."""
        return self._client.publish(topic, payload, qos).rc is MQTTErrorCode.MQTT_ERR_SUCCESS

    def subscribe(self, topic: str) -> None:
        """Listen to *topic* at QoS 1."""
        self._client.subscribe(topic, qos=1)

    def disconnect(self) -> None:
        """Leave, and have the will published as well.

        So asks tck-id-payloads-ndeath-will-message-publisher-disconnect-mqtt50: reason 0x04.
        """
        self._client.disconnect(_WITH_WILL)

    async def close(self) -> None:
        """End the connection, if it has not ended, and its thread."""
        if (socket := self._client.socket()) is not None:
            # With bytes still to be written to a stalled peer paho's thread would not end.
            with suppress(OSError):
                socket.shutdown(SHUT_RDWR)  # type: ignore[attr-defined]  # a real socket has it
        await asyncio.to_thread(self._client.loop_stop)

    def _on_connect(
        self,
        _client: Client,
        _userdata: object,
        _flags: ConnectFlags,
        reason: ReasonCode,
        _properties: Properties | None,
    ) -> None:
        self._tell(
            self._settle, BrokerDown(f"MQTT broker: {reason}") if reason.is_failure else None
        )

    def _on_message(self, _client: Client, _userdata: object, message: MQTTMessage) -> None:
        self._tell(self._arrived.put_nowait, (message.topic, bytes(message.payload)))

    def _on_disconnect(
        self,
        _client: Client,
        _userdata: object,
        _flags: DisconnectFlags,
        reason: ReasonCode,
        _properties: Properties | None,
    ) -> None:
        self._tell(self._settle, BrokerDown(f"MQTT broker: {reason}"))
        self._tell(self._arrived.put_nowait, None)

    def _settle(self, refusal: BrokerDown | None) -> None:
        if self._accepted.done():
            return
        if refusal is None:
            self._accepted.set_result(None)
        else:
            self._accepted.set_exception(refusal)

    def _tell(self, what: Callable[[News], None], about: News) -> None:
        """From paho's thread to the agent's loop; a loop that has ended needs to know nothing."""
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(what, about)
