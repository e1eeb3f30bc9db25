"""What is known of devices beside their values: links, ages, clocks."""

from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs

from edge.config import load_config
from edge.counters import EdgeCounters
from edge.exception import Rule
from edge.watch import Link, Watch
from schemas.errors import ConfigError
from schemas.reading import Reading
from tests.edge.files import write_agent
from tests.edge.host import Host
from tests.edge.plc import Plc
from tests.edge.processes import Clock, Process, one_broker, wait_values
from tests.fixtures.broker import Broker
from tests.fixtures.until import until

LINK = "line/pot-1/effect"
CONNECTED = {"scan_s = 0.05": f'scan_s = 0.05\nconnected = "{LINK}"'}


@pytest.fixture
def registry() -> CollectorRegistry:
    """Where the metrics are."""
    return CollectorRegistry()


@pytest.fixture
def watch(registry: CollectorRegistry) -> Watch:
    """A watch over a PLC whose link is a tag, repeated after 20 s."""
    made = Watch(EdgeCounters(registry))
    made.follow({"plc": Link("up", Rule(0.0, 20_000))})
    return made


def test_a_link_is_a_tag_that_changes_at_once_and_repeats(watch: Watch) -> None:
    """Nothing before the first answer; 1, again after 20 s, 0 when it is lost."""
    assert watch.look(0) == []
    watch.answered("plc", 0, 0, 0)
    assert watch.look(1_000) == [Reading("up", 1_000, 1.0)]
    assert watch.look(2_000) == []
    watch.lost("plc")
    assert watch.look(3_000) == [Reading("up", 3_000, 0.0)]
    assert watch.look(22_000) == []
    assert watch.look(23_000) == [Reading("up", 23_000, 0.0)]


def test_old_data_is_told_of_once(watch: Watch, registry: CollectorRegistry) -> None:
    """A PLC that answers with one time for ever; then its clock goes on."""
    with capture_logs() as lines:
        for now_ms in range(0, 200_000, 1_000):
            watch.answered("plc", min(now_ms, 50_000), 0, 60_000)
            watch.look(now_ms)
        age_s = registry.get_sample_value("ertis_edge_device_data_age_seconds", {"device": "plc"})
        watch.answered("plc", 200_000, 0, 60_000)
        watch.look(200_000)

    assert age_s == 149
    assert [line["event"] for line in lines] == [
        "device answers with old data",
        "device answers with new data again",
    ]


def test_a_device_that_is_lost_or_reports_changes_alone_has_no_old_data(watch: Watch) -> None:
    """The first is told of already, the second has nothing new to say."""
    with capture_logs() as lines:
        watch.answered("plc", 0, 0, 60_000)
        watch.lost("plc")
        watch.answered("opc", 0, 0, 0)
        watch.look(1_000_000)

    assert lines == []


def test_clocks_that_differ_are_told_of_once(watch: Watch, registry: CollectorRegistry) -> None:
    """The PLC's, and the host's; a metric always, a line when it changes."""
    with capture_logs() as lines:
        for ahead_ms in (0, 4_000, 9_000, 8_000, 100):
            watch.answered("plc", 0, ahead_ms, 0)
            watch.look(0)
            watch.host_clock(-ahead_ms)

    assert [(line["event"], line["of"]) for line in lines] == [
        ("clocks differ", "plc"),
        ("clocks differ", "host"),
        ("clocks agree again", "plc"),
        ("clocks agree again", "host"),
    ]
    assert registry.get_sample_value("ertis_edge_host_clock_ahead_seconds") == -0.1


@one_broker
def test_a_dead_plc_is_a_reading_of_its_link(tmp_path: Path, plc: Plc, broker: Broker) -> None:
    """The node's own tag says 1, then 0 behind the DDEATH, then 1 again."""
    path = write_agent(tmp_path, plc.port, CONNECTED)
    process = Process(tmp_path, path, broker.port).start()
    try:
        with Host(broker.port, "site", "node") as host:

            def links() -> list[float | None]:
                found = host.look(
                    lambda ledger: [r.value for r in ledger.readings if r.tag == LINK]
                )
                assert isinstance(found, list)
                return found

            wait_values(host, {float(Clock(plc).scan())})
            until(lambda: links() == [1.0], "the link")
            plc.silent = True
            until(lambda: links() == [1.0, 0.0], "the link to be down")
            assert host.look(lambda ledger: "plc" not in ledger.alive)
            plc.silent = False
            until(lambda: links() == [1.0, 0.0, 1.0], "the link to be up")
    finally:
        process.close()


def test_a_link_is_a_state_of_the_plant(tmp_path: Path) -> None:
    """A gauge cannot be one."""
    changes = {"scan_s = 0.05": 'scan_s = 0.05\nconnected = "line/temperature"'}

    with pytest.raises(ConfigError, match=r"source.0.connected.*its kind is gauge"):
        load_config(write_agent(tmp_path, changes=changes))
    assert load_config(write_agent(tmp_path, changes=CONNECTED)).links["plc"].path == LINK
