"""MQTT over TLS with client certificates, on a real Mosquitto; no secret is ever in the log."""

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from paho.mqtt.client import Client, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion

from ingest.broker import authenticate
from schemas.errors import ConfigError
from schemas.settings import MqttSettings, read_environment
from tests.edge.files import write_agent
from tests.edge.host import Host
from tests.edge.plc import Plc
from tests.edge.processes import Clock, Process, wait_values
from tests.fixtures.broker import MOSQUITTO, listens
from tests.fixtures.certificates import Authority
from tests.fixtures.ports import free_port
from tests.fixtures.until import until

PASSWORD = "open-sesame"  # noqa: S105 - of this test alone


@dataclass(frozen=True, slots=True)
class Secured:
    """A broker: a plain port for the host of the test, one with TLS that wants certificates."""

    plain: int
    port: int
    environment: dict[str, str]
    folder: Path


@pytest.fixture
def secured(tmp_path: Path) -> Iterator[Secured]:
    """A running Mosquitto, and the environment of a client that it lets in."""
    if MOSQUITTO is None:
        pytest.skip("Mosquitto is not installed (apt install mosquitto)")
    authority = Authority(tmp_path)
    server, client = authority.sign("broker"), authority.sign("potline-1")
    ca = authority.pair.certificate
    plain, port = free_port(), free_port()
    passwords, secret = tmp_path / "passwords", tmp_path / "mqtt-password"
    command = ["mosquitto_passwd", "-b", "-c", str(passwords), "edge", PASSWORD]
    subprocess.run(command, check=True)
    secret.write_text(f"{PASSWORD}\n")
    config = tmp_path / "tls.conf"
    config.write_text(
        f"per_listener_settings true\nuser root\n"
        f"listener {plain} 127.0.0.1\nallow_anonymous true\n"
        f"listener {port} 127.0.0.1\nallow_anonymous false\npassword_file {passwords}\n"
        f"cafile {ca}\ncertfile {server.certificate}\nkeyfile {server.key}\n"
        "require_certificate true\ntls_version tlsv1.2\n"
    )
    with (tmp_path / "mosquitto.log").open("wb") as log:
        broker = subprocess.Popen([MOSQUITTO, "-c", str(config)], stdout=log, stderr=log)
    until(lambda: listens("127.0.0.1", port), "mosquitto to listen")
    environment = {
        "MQTT_HOST": "127.0.0.1",
        "MQTT_PORT": str(port),
        "MQTT_USERNAME": "edge",
        "MQTT_PASSWORD_FILE": str(secret),
        "MQTT_CA_FILE": str(ca),
        "MQTT_CERT_FILE": str(client.certificate),
        "MQTT_KEY_FILE": str(client.key),
    }
    yield Secured(plain, port, environment, tmp_path)
    broker.terminate()
    broker.wait()


@pytest.mark.mosquitto
def test_readings_go_over_tls_with_a_client_certificate(
    tmp_path: Path, plc: Plc, secured: Secured
) -> None:
    """Certificate, name and password of a file let the agent in; its log holds none of them."""
    path = write_agent(tmp_path, plc.port)
    process = Process(tmp_path, path, secured.port, "--verbose", **secured.environment)
    with Host(secured.plain, "site", "node") as host:
        process.start()
        try:
            wait_values(host, {float(Clock(plc).scan())})
        finally:
            process.close()

    key = Path(secured.environment["MQTT_KEY_FILE"]).read_text().splitlines()[1]
    assert '"state": "born"' in process.log
    assert PASSWORD not in process.log
    assert key not in process.log


@pytest.mark.mosquitto
@pytest.mark.parametrize(
    "wrong",
    ["no certificate", "another authority", "wrong password"],
)
def test_who_is_not_known_stays_out(tmp_path: Path, plc: Plc, secured: Secured, wrong: str) -> None:
    """The agent says so once and tries on; nothing of its secrets is said."""
    environment = dict(secured.environment)
    match wrong:
        case "no certificate":
            del environment["MQTT_CERT_FILE"], environment["MQTT_KEY_FILE"]
        case "another authority":  # whoever is at that address, it is not our broker
            (tmp_path / "other").mkdir()
            other = Authority(tmp_path / "other", "other")
            environment["MQTT_CA_FILE"] = str(other.pair.certificate)
        case _:
            del environment["MQTT_PASSWORD_FILE"]
            environment["MQTT_PASSWORD"] = "sesame-closed"  # noqa: S105 - likewise
    process = Process(tmp_path, write_agent(tmp_path, plc.port), secured.port, **environment)
    process.start()
    try:
        until(lambda: "broker: down" in process.log, "a word on the broker")
        until(lambda: "device found" in process.log, "scans to go on")
    finally:
        process.close()

    assert process.log.count("broker: down") == 1
    assert "born" not in process.log
    assert "sesame" not in process.log


@pytest.mark.mosquitto
def test_ingest_speaks_tls_by_the_same_settings(
    secured: Secured, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the agent reads from the environment lets ingest in as well."""
    for name, value in secured.environment.items():
        monkeypatch.setenv(name, value)
    settings = read_environment(MqttSettings)
    client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTv5)
    authenticate(client, settings)
    client.connect(settings.host, settings.port)
    client.loop_start()
    try:
        until(client.is_connected, "a connection")
    finally:
        client.disconnect()
        client.loop_stop()


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({"MQTT_CERT_FILE": "a"}, "MQTT_CERT_FILE.*goes with its key"),
        ({"MQTT_KEY_FILE": "a"}, "MQTT_CERT_FILE.*goes with its key"),
        ({"MQTT_CERT_FILE": "a", "MQTT_KEY_FILE": "a"}, "no TLS without MQTT_CA_FILE"),
        ({"MQTT_CA_FILE": "missing"}, "MQTT_CA_FILE: found 'missing'"),
        ({"MQTT_PASSWORD": PASSWORD, "MQTT_PASSWORD_FILE": "a"}, "MQTT_PASSWORD is set too"),
    ],
)
def test_settings_that_do_not_go_together_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], message: str
) -> None:
    """The variable is named; the password is not in the message, nor where settings are shown."""
    monkeypatch.chdir(tmp_path)
    Path("a").write_text("x")
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    with pytest.raises(ConfigError, match=message) as refused:
        read_environment(MqttSettings)
    assert PASSWORD not in str(refused.value)


def test_a_password_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither by repr nor in a traceback that prints the settings."""
    monkeypatch.setenv("MQTT_PASSWORD", PASSWORD)

    settings = read_environment(MqttSettings)

    assert settings.secret() == PASSWORD
    assert PASSWORD not in repr(settings)
