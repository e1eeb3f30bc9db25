"""``python -m ingest monitor`` beside real clients."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from paho.mqtt.client import Client, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion

from ingest.monitor import Watch
from schemas.errors import BrokerDown
from schemas.settings import MqttSettings
from schemas.sparkplug.monitor import Violation
from tests.fixtures.broker import Broker, Mosquitto
from tests.fixtures.ports import free_port
from tests.fixtures.until import until
from tests.ingest.conversation import data, node_birth, topic


def publish(broker: Broker, *messages: tuple[str, bytes, int]) -> None:
    """Topic, payload and QoS of some messages, one behind the other."""
    client = Client(CallbackAPIVersion.VERSION2, "sloppy", protocol=MQTTv5)
    client.connect(broker.host, broker.port, clean_start=True)
    client.loop_start()
    for where, payload, qos in messages:
        client.publish(where, payload, qos).wait_for_publish(10)
    client.disconnect()
    client.loop_stop()


def test_the_command_tells_each_fault_once(broker: Broker, tmp_path: Path) -> None:
    """With its topic and statement; the exit code says that there were some."""
    env = os.environ | {"MQTT_HOST": broker.host, "MQTT_PORT": str(broker.port)}
    out = tmp_path / "out"
    with (
        out.open("w") as log,
        subprocess.Popen(
            [sys.executable, "-u", "-m", "ingest", "monitor"], env=env, stdout=log
        ) as command,
    ):

        def told() -> bool:
            # Until the command listens, what is sent is lost on it.
            publish(broker, (topic("NBIRTH"), node_birth(), 0), (topic("NDATA"), data(seq=9), 0))
            return "seq 9 after 0" in out.read_text()

        until(told, "the command to tell a fault")
        told()
        command.terminate()
        assert command.wait(20) == 1
    *faults, summary = out.read_text().splitlines()

    assert faults == [
        f"{topic('NDATA')}: seq 9 after 0 (tck-id-payloads-sequence-num-incrementing)"
    ]
    assert re.fullmatch(r"\d+ messages, \d+ violations", summary)


@pytest.mark.mosquitto
def test_a_watch_begins_anew_after_an_interruption(mosquitto: Mosquitto) -> None:
    """What it missed while the broker was away is nobody's fault."""
    told: list[Violation] = []
    watch = Watch(MqttSettings(host=mosquitto.host, port=mosquitto.port), told.append)
    watch.open()
    publish(mosquitto, (topic("NBIRTH"), node_birth(), 0))
    until(lambda: watch.messages == 1, "the birth")
    mosquitto.stop()
    mosquitto.start()

    def heard() -> bool:
        publish(mosquitto, (topic("NDATA"), data(seq=9), 0))
        return watch.messages > 1

    until(heard, "data after the restart")
    watch.close()

    assert told == []


def test_without_a_broker() -> None:
    """It says where it looked."""
    port = free_port()

    with pytest.raises(BrokerDown, match=str(port)):
        Watch(MqttSettings(host="127.0.0.1", port=port), lambda _violation: None).open()
