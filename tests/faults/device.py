"""A device that speaks no Sparkplug: JSON at QoS 1, sent again until the broker has it."""

import json
import threading
from collections.abc import Iterator
from typing import Final, Self

from paho.mqtt.client import MQTT_CLEAN_START_FIRST_ONLY, Client, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion

from tests.faults.load import Load
from tests.faults.stand import PATIENCE_S

_WINDOW: Final = 50


def messages(load: Load) -> Iterator[tuple[str, bytes]]:
    """Topic and payload of each step of each device of *load*."""
    for step in range(load.steps):
        for _, readings in load.step(step):
            asset = readings[0].tag.rpartition("/")[0]
            values = {
                reading.tag.rpartition("/")[2]: {"value": reading.value, "quality": reading.quality}
                for reading in readings
            }
            body = {"ts": load.ts_ms(step), "values": values}
            yield f"telemetry/{asset}", json.dumps(body).encode()


class Device:
    """Publishes messages in order, a window of them unacknowledged at the most.

    paho sends again what was not acknowledged on the connection before.
    """

    def __init__(self, address: tuple[str, int]) -> None:
        self._room = threading.Semaphore(_WINDOW)
        self._client = Client(CallbackAPIVersion.VERSION2, client_id="device", protocol=MQTTv5)
        self._client.on_publish = lambda *_: self._room.release()
        self._client.reconnect_delay_set(1, 1)
        self._client.connect(*address, clean_start=MQTT_CLEAN_START_FIRST_ONLY)
        self._client.loop_start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def send(self, topic: str, payload: bytes) -> None:
        """Publish a message at QoS 1, as soon as the window has room."""
        assert self._room.acquire(timeout=PATIENCE_S), "the broker acknowledges nothing"
        self._client.publish(topic, payload, 1)

    def settle(self) -> None:
        """Wait until the broker has everything."""
        for _ in range(_WINDOW):
            assert self._room.acquire(timeout=PATIENCE_S), "the broker does not have everything"
