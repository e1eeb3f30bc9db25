"""SIGHUP: the file changes while the agent runs, and no reading is lost for it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from schemas.sparkplug.topic import MessageType
from tests.edge.host import Host, Ledger
from tests.edge.plc import INPUT, Plc, words
from tests.edge.processes import CURRENT, Clock, Process, one_broker, tap, wait_values
from tests.fixtures.broker import Broker
from tests.fixtures.until import until

pytestmark = one_broker
TAPPED = "line/pot-1/tapped"
METER = """
[[source]]
type = "modbus"
device = "meter"
host = "127.0.0.1"
port = {port}
scan_s = 0.05

[[source.tag]]
path = "line/temperature"
table = "input"
address = 0
type = "float32"
"""


@pytest.fixture
def meter() -> Iterator[Plc]:
    """A second device, at 955 degC."""
    with Plc() as made:
        made.set(INPUT, 0, words("f", 955.0))
        yield made


def births(ledger: Ledger, device: str) -> int:
    """DBIRTHs of a device so far."""
    return sum(m.topic.device == device for m in ledger.of(MessageType.DBIRTH))


def wait_said(process: Process, words: str, times: int = 1) -> None:
    """Wait for a line of the log."""
    until(lambda: process.log.count(words) >= times, words)


def test_devices_come_and_go_without_a_reading_lost(
    tmp_path: Path, edge: Process, plc: Plc, host: Host, meter: Plc
) -> None:
    """A meter is added, then removed; every scan of the PLC beside it arrives, in one session."""
    clock, path = Clock(plc), tmp_path / "agent.toml"
    alone = path.read_text()
    steps = {float(clock.scan()) for _ in range(3)}
    path.write_text(alone + METER.format(port=meter.port))
    edge.hang_up()
    steps |= {float(clock.scan()) for _ in range(5)}
    wait_values(host, {955.0}, "line/temperature")
    path.write_text(alone)
    edge.hang_up()
    steps |= {float(clock.scan()) for _ in range(5)}
    wait_said(edge, '"removed": ["meter"]')
    steps.add(float(clock.scan()))
    wait_values(host, steps)
    until(lambda: host.look(lambda ledger: "meter" not in ledger.alive), "the DDEATH of the meter")

    assert '"added": ["meter"], "removed": [], "changed": []' in edge.log
    assert edge.log.count("device found") == 2
    sessions = {m.payload.metrics[0].long_value for m in host.ledger.of(MessageType.NBIRTH)}
    assert len(host.ledger.of(MessageType.NBIRTH)) == 3
    assert len(sessions) == 1


def test_a_device_that_changes_goes_on_where_it_was(
    tmp_path: Path, edge: Process, plc: Plc, host: Host
) -> None:
    """Its event log is not read again, and its new tag is declared before it comes."""
    clock, path = Clock(plc), tmp_path / "agent.toml"
    steps = {float(clock.scan()) for _ in range(3)}
    tap(plc, 1, 500.0)
    wait_values(host, {500.0}, TAPPED)
    more = METER.split("scan_s = 0.05")[1].replace("address = 0", "address = 200")
    path.write_text(path.read_text().replace("[[source.log]]", f"{more}[[source.log]]"))
    plc.set(INPUT, 200, words("f", 960.0))
    edge.hang_up()
    steps |= {float(clock.scan()) for _ in range(5)}
    tap(plc, 2, 600.0)
    wait_values(host, {600.0}, TAPPED)
    wait_values(host, {960.0}, "line/temperature")
    wait_values(host, steps)

    assert '"changed": ["plc"]' in edge.log
    taps = [r.value for r in host.ledger.readings if r.tag == TAPPED and r.value]
    assert sorted(set(taps)) == [500.0, 600.0]
    assert len(taps) == len({(r.ts_ms, r.value) for r in host.ledger.readings if r.value in taps})


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("scan_s", "scan_x", "did you mean 'scan_s'"),
        ('group = "site"', 'group = "other"', "restart the agent to change it"),
    ],
)
def test_a_wrong_file_changes_nothing(  # noqa: PLR0917 - fixtures and cases
    tmp_path: Path, edge: Process, plc: Plc, host: Host, old: str, new: str, said: str
) -> None:
    """It is told of once for each SIGHUP; scans go on, nothing is born again."""
    clock, path = Clock(plc), tmp_path / "agent.toml"
    steps = {float(clock.scan())}
    wait_values(host, steps)
    path.write_text(path.read_text().replace(old, new))
    edge.hang_up()
    wait_said(edge, "reload: refused")
    steps |= {float(clock.scan()) for _ in range(3)}
    wait_values(host, steps)

    assert said in edge.log
    assert edge.log.count("reload: refused") == 1
    assert len(host.ledger.of(MessageType.NBIRTH)) == 1


def test_what_waits_of_a_device_that_is_gone_is_delivered(
    tmp_path: Path, edge: Process, plc: Plc, broker: Broker, meter: Plc
) -> None:
    """Nobody acknowledged it, then it left the file: it is born, delivered and dies."""
    path = tmp_path / "agent.toml"
    alone = path.read_text()
    with Host(broker.port, "site", "node") as first:
        first.acknowledges = False
        wait_said(edge, "device found")
        path.write_text(alone + METER.format(port=meter.port))
        edge.hang_up()
        wait_values(first, {955.0}, "line/temperature")
    edge.end()
    path.write_text(alone)
    edge.start()
    with Host(broker.port, "site", "node") as host:
        wait_values(host, {955.0}, "line/temperature")
        until(lambda: host.look(lambda ledger: "meter" not in ledger.alive), "its DDEATH")

        assert host.look(lambda ledger: births(ledger, "meter")) == 1
        assert host.look(lambda ledger: CURRENT in {r.tag for r in ledger.readings})
