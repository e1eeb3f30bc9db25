"""The agent with a device that reports by itself, and one that never answers beside it."""

import socket
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from edge.scan import _seen_again
from schemas.instant import to_ms
from schemas.quality import Quality
from schemas.reading import Reading
from tests.edge.host import Host, Ledger
from tests.edge.processes import Process, one_broker
from tests.edge.sources.files import write_source
from tests.edge.sources.opcua_server import OpcUaServer
from tests.fixtures.broker import Broker
from tests.fixtures.until import until

VOLTAGE = "line/pot-1/voltage"
AT = to_ms(datetime(2026, 1, 2, 3, 4, tzinfo=UTC))
SOURCES = """
type = "opcua"
device = "dcs"
url = "{url}"
publish_s = 0.05
timeout_s = 2.0

[[source.tag]]
path = "line/pot-{{1..3}}/voltage"
node = "nsu=urn:plant;s=v{{0..2}}"

[[source]]
type = "s7"
device = "silent"
host = "127.0.0.1"
port = {silent}
scan_s = 0.1
timeout_s = 0.5

[[source.tag]]
path = "line/current"
address = "MD0"
type = "REAL"
"""


@pytest.fixture
def server() -> Iterator[OpcUaServer]:
    """A server that reports."""
    with OpcUaServer() as made:
        yield made


@pytest.fixture
def silent() -> Iterator[int]:
    """The port of a device that takes a connection and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def of_pot(ledger: Ledger) -> list[Reading]:
    """What arrived of the first pot, in order."""
    return [reading for reading in ledger.readings if reading.tag == VOLTAGE]


def wait_last(host: Host, reading: Reading) -> None:
    """Wait until *reading* is the last of the first pot."""
    until(lambda: host.look(lambda ledger: of_pot(ledger)[-1:] == [reading]), f"{reading}")


def wait_quality(host: Host, quality: Quality) -> Reading:
    """Wait until the last reading of the first pot has *quality*."""
    until(lambda: host.look(lambda ledger: of_pot(ledger)[-1].quality == quality), quality.name)
    return of_pot(host.ledger)[-1]


@one_broker
def test_a_device_that_is_lost_and_found_beside_a_silent_one(
    tmp_path: Path, server: OpcUaServer, silent: int, broker: Broker
) -> None:
    """Every report arrives with its time; a value that did not change is good again."""
    config = write_source(tmp_path, SOURCES.format(url=server.url, silent=silent))
    process = Process(tmp_path, config, broker.port)
    with Host(broker.port, "site", "node") as host:
        process.start()
        until(lambda: host.look(of_pot), "the first value")
        for number in range(1, 6):
            server.write(0, float(number), second=number)
            wait_last(host, Reading(VOLTAGE, AT + number * 1000, float(number)))
        alive = host.look(lambda ledger: set(ledger.alive))
        server.hang_up()
        lost = wait_quality(host, Quality.BAD)
        until(lambda: host.look(lambda ledger: "dcs" not in ledger.alive), "a DDEATH")
        server.listen()
        found = wait_quality(host, Quality.GOOD)
        code = process.end()

    assert alive == {"", "dcs"}
    assert (lost.value, found.value) == (5.0, 5.0)
    assert AT + 5000 < lost.ts_ms < found.ts_ms
    assert code == 0


def test_only_the_first_reading_after_a_loss_is_of_now() -> None:
    """And only if it is older than the loss; a device whose clock is ahead keeps its times."""
    gone = {"a": 1000, "b": 1000, "c": 1000}
    first = [Reading("a", 500, 1.0), Reading("b", 1500, 2.0), Reading("a", 600, 3.0)]

    seen = _seen_again(first, gone, 2000)

    assert [(r.tag, r.ts_ms) for r in seen] == [("a", 2000), ("b", 1500), ("a", 600)]
    assert gone == {"c": 1000}
    assert _seen_again([Reading("c", 10, 1.0)], gone, 900)[0].ts_ms == 1001
