"""An MQTT broker of our own: rumqttd out of the ``iotcore`` wheel, for one machine.

rumqttd speaks MQTT 5 and 3.1.1 on ports of their own. The services of Ertis speak MQTT 5; a second
port lets older devices in.
"""

import time
from pathlib import Path
from typing import Final, Self

from iotcore import Broker
from paho.mqtt.client import Client, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode

from schemas.errors import BrokerDown, ConfigError

HOST: Final = "127.0.0.1"
_ANSWER_WITHIN_S: Final = 2.0
#: rumqttd keeps each topic filter's messages in up to 10 segments of 100 MB before it lets go of
#: the oldest; a payload beyond 1 MiB closes its sender's connection.
_ROUTER: Final = """\
id = 0

[router]
id = 0
max_connections = 1000
max_outgoing_packet_count = 2000
max_segment_size = 104857600
max_segment_count = 10
"""
_LISTENER: Final = """
[{version}.1]
name = "{version}"
listen = "{host}:{port}"
next_connection_delay_ms = 1

[{version}.1.connections]
connection_timeout_ms = 60000
max_payload_size = 1048576
max_inflight_count = 500
dynamic_filters = true
"""


class EmbeddedBroker:
    """A broker in a child process that ends with this one.

    Its memory is its only store: sessions and retained messages end with it.

    Raises
    ------
    ConfigError
        A port is in use: says which and the option that chooses another.
    BrokerDown
        The broker does not come up.
    """

    def __init__(self, port: int, v3_port: int | None = None, *, config_dir: Path) -> None:
        self.port = port
        self.v3_port = v3_port
        self._config = config_dir / "broker.toml"
        self._broker: Broker | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def pid(self) -> int | None:
        """Process id of the broker; None while there is none."""
        process = self._broker._process if self._broker else None  # noqa: SLF001 - no public way
        return process.pid if process else None

    def start(self) -> None:
        """Start the broker; returns when it accepts connections."""
        if self._broker is not None:
            return
        self._config.parent.mkdir(parents=True, exist_ok=True)
        self._config.write_text(self._document())
        broker = Broker(config_path=str(self._config))
        try:
            broker.start()
        except OSError as error:
            ports = f"{self.port}" if self.v3_port is None else f"{self.port} or {self.v3_port}"
            raise ConfigError(
                "--mqtt-port", ports, f"name a free port of {HOST} ({error})"
            ) from error
        except RuntimeError as error:
            raise BrokerDown(f"the embedded broker does not start: {error}") from error
        self._broker = broker

    def stop(self) -> None:
        """End the broker: its clients are cut off."""
        if self._broker is not None:
            self._broker.stop()
            self._broker = None

    def answers(self) -> bool:
        """Whether a client is let in: after a panic, rumqttd listens and says nothing."""
        client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTv5, reconnect_on_failure=False)
        client.connect_timeout = _ANSWER_WITHIN_S
        deadline = time.monotonic() + _ANSWER_WITHIN_S
        try:
            client.connect(HOST, self.port)
            while not client.is_connected() and time.monotonic() < deadline:
                if client.loop(_ANSWER_WITHIN_S) is not MQTTErrorCode.MQTT_ERR_SUCCESS:
                    return False
            return client.is_connected()
        except OSError:
            return False
        finally:
            client.disconnect()

    def _document(self) -> str:
        listeners = [("v5", self.port), ("v4", self.v3_port)]
        return _ROUTER + "".join(
            _LISTENER.format(version=version, host=HOST, port=port)
            for version, port in listeners
            if port is not None
        )
