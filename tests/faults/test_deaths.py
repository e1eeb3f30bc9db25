"""Death certificates that come twice, or after the birth that followed them."""

from datetime import datetime

import psycopg
import pytest
from paho.mqtt.client import Client, MQTTMessage, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion

from schemas.sparkplug.payload import decode
from tests.faults.load import GROUP, Load, before_the_hour
from tests.faults.scenario import Promise
from tests.faults.stand import PATIENCE_S, Stand
from tests.fixtures.until import until

DEATHS = f"spBv1.0/{GROUP}/NDEATH/edge-1"


class Undertaker:
    """Hears every death of the node and can make one come again."""

    def __init__(self, address: tuple[str, int]) -> None:
        self.heard: list[bytes] = []
        self._client = Client(CallbackAPIVersion.VERSION2, client_id="undertaker", protocol=MQTTv5)
        self._client.on_message = self._on_message
        self._client.connect(*address, clean_start=True)
        self._client.loop_start()
        self._client.subscribe(DEATHS, 1)

    def close(self) -> None:
        """Leave."""
        self._client.disconnect()
        self._client.loop_stop()

    def repeat(self, death: bytes) -> None:
        """Publish *death*, and wait until the broker has passed it on."""
        before = len(self.heard)
        self._client.publish(DEATHS, death, 1)
        until(lambda: len(self.heard) > before, "the death to come back", PATIENCE_S)

    def _on_message(self, _client: Client, _userdata: object, message: MQTTMessage) -> None:
        self.heard.append(bytes(message.payload))


def bd_seq(death: bytes) -> int:
    """The session that it ends."""
    return decode(death).metrics[0].long_value


def standing(stand: Stand) -> tuple[bool, datetime] | None:
    """Whether the node is online, and since when it is what it is."""
    with psycopg.connect(stand.dsn) as connection:
        row = connection.execute("SELECT online, since FROM edge_node").fetchone()
    return None if row is None else (row[0], row[1])


def is_online(stand: Stand) -> bool:
    """Whether the node is there and online."""
    found = standing(stand)
    return found is not None and found[0]


@pytest.mark.fault("A late will, and two NDEATHs of one session", promise=Promise.SESSION)
def test_deaths_late_and_twice(stand: Stand) -> None:
    """A death counts for its own session only, and once: the next session stays online."""
    load = Load("edge-1", before_the_hour(120))
    undertaker = Undertaker(stand.mqtt)
    ingest = stand.start_ingest()
    stand.wait_ready()
    doomed = stand.start_edge(load, fault="edge.commit:4")
    assert doomed.wait(PATIENCE_S) == -9, doomed.tail()
    until(lambda: undertaker.heard, "the will of the first session", PATIENCE_S)
    (will,) = undertaker.heard
    until(lambda: standing(stand) and not is_online(stand), "the node to be offline", PATIENCE_S)

    edge = stand.start_edge(load)
    until(lambda: is_online(stand), "the second session", PATIENCE_S)
    born = standing(stand)
    undertaker.repeat(will)
    stand.wait_rows(stand.count() + 1)
    assert standing(stand) == born

    assert edge.wait(PATIENCE_S) == 0, edge.tail()
    until(lambda: not is_online(stand), "the node to be offline", PATIENCE_S)
    dead = standing(stand)
    until(lambda: len(undertaker.heard) >= 4, "its own NDEATH and its will", PATIENCE_S)
    undertaker.repeat(undertaker.heard[-1])
    undertaker.close()
    stand.end(ingest)

    assert [bd_seq(death) for death in undertaker.heard] == [0, 0, 1, 1, 1]
    assert standing(stand) == dead
    stand.check(load.ledger())
