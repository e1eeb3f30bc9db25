"""The embedded MQTT broker: MQTT 5 and 3.1.1, its ports, its end."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from queue import Queue

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from schemas.errors import ConfigError
from standalone.broker import HOST, EmbeddedBroker
from tests.fixtures.broker import listens
from tests.fixtures.pids import runs
from tests.fixtures.ports import free_port
from tests.fixtures.until import until


def exchange(port: int, version: MQTTProtocolVersion, payload: bytes) -> bytes:
    """Publish *payload* to oneself at QoS 1 and return what comes back."""
    got: Queue[bytes] = Queue()

    def subscribe(client: paho.Client, *_: object) -> None:
        client.subscribe("here/#", qos=1)

    def publish(client: paho.Client, *_: object) -> None:
        client.publish("here/there", payload, qos=1)

    def receive(_: paho.Client, __: object, message: paho.MQTTMessage) -> None:
        got.put(bytes(message.payload))

    client = paho.Client(CallbackAPIVersion.VERSION2, protocol=version)
    client.on_connect, client.on_subscribe, client.on_message = subscribe, publish, receive
    client.connect(HOST, port)
    client.loop_start()
    try:
        return got.get(timeout=20)
    finally:
        client.disconnect()
        client.loop_stop()


@pytest.mark.parametrize("size", [1, 1_000_000])
def test_both_versions_of_mqtt(tmp_path: Path, size: int) -> None:
    """Each on its own port, with payloads up to a megabyte."""
    payload = b"x" * size
    with EmbeddedBroker(free_port(), free_port(), config_dir=tmp_path) as broker:
        assert broker.v3_port is not None
        assert exchange(broker.port, MQTTProtocolVersion.MQTTv5, payload) == payload
        assert exchange(broker.v3_port, MQTTProtocolVersion.MQTTv311, payload) == payload


def test_stop_frees_the_port_and_start_takes_it_again(tmp_path: Path) -> None:
    """A restart on the same port, as the fault tests need it."""
    broker = EmbeddedBroker(free_port(), config_dir=tmp_path)
    for _ in range(2):
        with broker:
            assert exchange(broker.port, MQTTProtocolVersion.MQTTv5, b"x") == b"x"
        assert not listens(HOST, broker.port)
        assert broker.pid is None


def test_a_busy_port_is_the_operators_error(tmp_path: Path) -> None:
    """The message says which port and which option chooses another."""
    with (
        EmbeddedBroker(free_port(), config_dir=tmp_path / "a") as first,
        pytest.raises(ConfigError, match=f"--mqtt-port.*{first.port}"),
    ):
        EmbeddedBroker(first.port, config_dir=tmp_path / "b").start()


OWNER = """
import sys, time
from pathlib import Path
from standalone.broker import EmbeddedBroker
broker = EmbeddedBroker(int(sys.argv[1]), config_dir=Path(sys.argv[2]))
broker.start()
print(broker.pid, flush=True)
time.sleep(600)
"""


def test_the_broker_ends_with_a_killed_owner(tmp_path: Path) -> None:
    """SIGKILL of the owning process leaves no broker behind."""
    with subprocess.Popen(
        [sys.executable, "-c", OWNER, str(free_port()), str(tmp_path)],
        stdout=subprocess.PIPE,
        text=True,
    ) as owner:
        assert owner.stdout is not None
        pid = int(owner.stdout.readline())
        owner.kill()
    until(lambda: not runs(pid), "the broker to follow its owner")


def test_ctrl_c_is_left_to_the_owner(tmp_path: Path) -> None:
    """The terminal sends SIGINT to all; the broker stays for the services that are draining."""
    with EmbeddedBroker(free_port(), config_dir=tmp_path) as broker:
        assert broker.pid is not None
        os.kill(broker.pid, signal.SIGINT)
        assert exchange(broker.port, MQTTProtocolVersion.MQTTv5, b"x") == b"x"


def test_a_broker_that_lets_nobody_in_is_known(tmp_path: Path) -> None:
    """A client id with a slash makes rumqttd 0.20 panic, and then every other does."""
    with EmbeddedBroker(free_port(), config_dir=tmp_path) as broker:
        assert broker.answers()
        fatal = paho.Client(CallbackAPIVersion.VERSION2, "a/b", protocol=MQTTProtocolVersion.MQTTv5)
        fatal.connect(HOST, broker.port)
        fatal.loop_start()
        try:
            until(lambda: not broker.answers(), "the broker to let nobody in")
        finally:
            fatal.disconnect()
            fatal.loop_stop()
    with broker:
        assert broker.answers()
