"""deploy/mosquitto.conf in a real Mosquitto."""

import subprocess
from collections.abc import Iterator
from pathlib import Path
from threading import Event

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.reasoncodes import ReasonCode

from tests.fixtures.broker import MOSQUITTO, listens
from tests.fixtures.ports import free_port
from tests.fixtures.until import until

CONFIG = Path(__file__).parents[2] / "deploy" / "mosquitto.conf"

pytestmark = pytest.mark.mosquitto


@pytest.fixture
def port(tmp_path: Path) -> Iterator[int]:
    """The port of a Mosquitto that runs the file as it is, but for the port and the folder."""
    if MOSQUITTO is None:
        pytest.skip("Mosquitto is not installed (apt install mosquitto)")
    found = free_port()
    config = tmp_path / "mosquitto.conf"
    config.write_text(
        CONFIG.read_text()
        .replace("listener 1883", f"listener {found} 127.0.0.1")
        .replace("/mosquitto/data/", f"{tmp_path}/")
        + "\nuser root\n"
    )
    passwords = ["mosquitto_passwd", "-b", "-c", str(tmp_path / "passwords"), "ertis", "secret"]
    subprocess.run(passwords, check=True)
    with (tmp_path / "log").open("wb") as log:
        broker = subprocess.Popen([MOSQUITTO, "-c", str(config)], stdout=log, stderr=log)
    until(lambda: listens("127.0.0.1", found), "mosquitto to listen")
    yield found
    broker.terminate()
    broker.wait()


def answer(port: int, password: str | None) -> ReasonCode:
    """What the broker says to a client with this *password*."""
    said: list[ReasonCode] = []
    heard = Event()
    client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5)
    if password is not None:
        client.username_pw_set("ertis", password)

    def on_connect(
        _client: mqtt.Client, _data: object, _flags: object, code: ReasonCode, _properties: object
    ) -> None:
        said.append(code)
        heard.set()

    client.on_connect = on_connect
    client.connect("127.0.0.1", port)
    client.loop_start()
    assert heard.wait(20)
    client.disconnect()
    client.loop_stop()
    return said[0]


@pytest.mark.parametrize(
    ("password", "accepted"), [("secret", True), ("wrong", False), (None, False)]
)
def test_password_is_asked_for(port: int, password: str | None, accepted: bool) -> None:
    """The file is valid, and lets in who knows the password alone."""
    assert answer(port, password).is_failure is not accepted
