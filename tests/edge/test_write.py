"""Remote writes: refused unless the file declares the tag writable, and told of in the log."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.action import Refused, Write
from edge.command import writes
from edge.config import load_config
from edge.sources.modbus.registers import ByteOrder, Point, RegisterType, Table, WordOrder
from schemas.errors import CommandError, ConfigError
from schemas.sparkplug.datatype import DataType
from schemas.sparkplug.payload import metric
from schemas.sparkplug.sparkplug_b_pb2 import Metric, Payload
from tests.edge.files import write_agent
from tests.edge.host import Host
from tests.edge.plc import COIL, HOLDING, INPUT, Plc, words
from tests.edge.processes import Process, one_broker, scrape, wait_values
from tests.fixtures.broker import Broker
from tests.fixtures.ports import free_port
from tests.fixtures.until import until

NOW = 1_800_000_000_000
SETPOINT = "line/temperature"
MODE = "line/pot-1/effect"
TAGS = """
[[source.tag]]
path = "line/temperature"
table = "holding"
address = 300
type = "float32"
word_order = "little"
writable = true

[[source.tag]]
path = "line/pot-1/effect"
table = "coil"
address = 3
writable = true

[[source.log]]"""


def command(*metrics: Metric, at_ms: int | None = None) -> bytes:
    """A DCMD."""
    at_ms = time.time_ns() // 1_000_000 if at_ms is None else at_ms
    return Payload(timestamp=at_ms, metrics=metrics).SerializeToString()


def double(name: str, value: float) -> Metric:
    """A metric of a command."""
    return metric(value, DataType.DOUBLE, NOW, name=name)


@pytest.fixture
def writable(tmp_path: Path, plc: Plc, broker: Broker) -> Iterator[tuple[Process, int]]:
    """An agent with two writable tags, and the port of its counters."""
    plc.set(HOLDING, 300, words("f", 950.0)[::-1])
    path = write_agent(tmp_path, plc.port, {"[[source.log]]": TAGS})
    port = free_port()
    process = Process(tmp_path, path, broker.port, "--metrics-port", str(port)).start()
    yield process, port
    process.close()


@one_broker
def test_a_writable_tag_is_written_and_read_back(
    writable: tuple[Process, int], plc: Plc, host: Host
) -> None:
    """A register pair and a coil; the log names device, tag and value; the next scan shows both."""
    process, port = writable
    wait_values(host, {950.0}, SETPOINT)
    host.send_to(
        "plc", command(double(SETPOINT, 960.5), metric(1, DataType.BOOLEAN, NOW, name=MODE))
    )
    wait_values(host, {960.5}, SETPOINT)
    wait_values(host, {1.0}, MODE)

    assert plc.tables[HOLDING][300:302] == words("f", 960.5)[::-1]
    assert plc.tables[COIL][3] == 1
    assert '"tag": "line/temperature", "value": 960.5, "event": "write: done"' in process.log
    assert scrape(port)["writes_total"] == 2


@one_broker
def test_what_is_not_writable_is_refused_and_logged(
    writable: tuple[Process, int], plc: Plc, host: Host
) -> None:
    """A measured tag, a value beyond the limits, an old command, another device: nothing moves."""
    process, port = writable
    wait_values(host, {950.0}, SETPOINT)
    before = list(plc.tables[INPUT]), list(plc.tables[HOLDING])
    host.send_to("plc", command(double("line/current", 1.0)))
    host.send_to("plc", command(double(SETPOINT, 2000.0)))
    host.send_to("plc", command(double(SETPOINT, 950.0), at_ms=NOW))
    host.send_to("pump", command(double(SETPOINT, 950.0)))
    until(lambda: scrape(port).get("messages_refused_total") == 4, "four refusals")

    assert (plc.tables[INPUT], plc.tables[HOLDING]) == before
    assert process.log.count("write: refused") == 4
    assert "'line/current' is not declared writable" in process.log
    assert "2000 is not within 900.0 to 1000.0" in process.log
    assert scrape(port).get("writes_total", 0) == 0


@one_broker
def test_a_device_that_refuses_is_told_of(
    writable: tuple[Process, int], plc: Plc, host: Host
) -> None:
    """The PLC answers with an exception: counted as failed, the agent goes on."""
    process, _ = writable
    wait_values(host, {950.0}, SETPOINT)
    plc.missing = {300, 301}
    host.send_to("plc", command(double(SETPOINT, 950.0)))
    until(lambda: "write: failed" in process.log, "a failed write")
    plc.missing = set()
    host.send_to("plc", command(double(SETPOINT, 951.0)))
    wait_values(host, {951.0}, SETPOINT)

    assert "exception code 2" in process.log


def ask(*metrics: Metric, at_ms: int = NOW) -> list[Write | Refused]:
    """What comes of a command to a device with tags a (writable, up to 10) and b."""
    payload = Payload(timestamp=at_ms, metrics=metrics)
    return list(writes(payload, "plc", {"a": 1, "b": 2}, {"a": (None, 10.0)}, NOW))


@pytest.mark.parametrize(
    "asked",
    [
        double("a", 5.0),
        metric(5.0, DataType.DOUBLE, NOW, alias=1),
        metric(5, DataType.UINT16, NOW, name="a"),
        metric(5, DataType.INT64, NOW, name="a"),
    ],
)
def test_a_command_names_its_metric_by_name_or_alias(asked: Metric) -> None:
    """Any numeric type will do."""
    assert ask(asked) == [Write("plc", "a", 5.0)]


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        (double("b", 1.0), "'b' is not declared writable"),
        (double("c", 1.0), "'c' is not declared writable"),
        (metric(1.0, DataType.DOUBLE, NOW, alias=9), "'alias 9' is not declared writable"),
        (metric(None, DataType.DOUBLE, NOW, name="a"), "None is no number"),
        (double("a", float("nan")), "nan is no number"),
        (double("a", float("inf")), "inf is no number"),
        (double("a", 10.5), "10.5 is not within None to 10.0"),
        (metric("x", DataType.STRING, NOW, name="a"), "'x' is no number"),
        (Metric(name="a", datatype=10), "no value of its type 10"),
        (Metric(name="a", datatype=99, double_value=1.0), "no value of its type 99"),
    ],
)
def test_what_cannot_be_written_is_refused_by_itself(asked: Metric, why: str) -> None:
    """The other metric of the command is followed."""
    refused, done = ask(asked, double("a", 5.0))

    assert isinstance(refused, Refused)
    assert why in refused.detail
    assert done == Write("plc", "a", 5.0)


@pytest.mark.parametrize("at_ms", [NOW - 30_001, NOW + 30_001, 0])
def test_a_command_that_was_long_on_its_way_is_refused(at_ms: int) -> None:
    """Its sender meant the plant as it was then."""
    (refused,) = ask(double("a", 5.0), at_ms=at_ms)

    assert isinstance(refused, Refused)


@given(
    st.sampled_from([kind for kind in RegisterType if kind is not RegisterType.BOOL]),
    st.sampled_from(WordOrder),
    st.sampled_from(ByteOrder),
    st.integers(-40_000, 70_000),
)
def test_what_is_written_is_what_is_read(
    kind: RegisterType, order: WordOrder, bytes_first: ByteOrder, number: int
) -> None:
    """Every type, order and scale; what does not fit is refused, never wrapped."""
    point = Point("a", Table.HOLDING, 7, kind, order, 0.5, -3.0, bytes_first)
    value = number * 0.5 - 3.0
    try:
        held = point.words(value)
    except CommandError:
        assert kind in (RegisterType.UINT16, RegisterType.INT16) or number < 0
        return
    assert point.value(held, 7) == value


def test_a_number_too_large_for_a_float32_is_refused() -> None:
    """1e39 would be infinite there."""
    with pytest.raises(CommandError, match="does not fit into a float32"):
        Point("a", Table.HOLDING, 0, RegisterType.FLOAT32).words(1e39)


@pytest.mark.parametrize(
    "change",
    [
        {'"float32"\ndeadband': '"float32"\nwritable = true\ndeadband'},
        {
            'table = "input"\naddress = 4\ntype = "float32"': 'table = "holding"\naddress = 4\n'
            'type = "uint16"\nbit = 3\nwritable = true'
        },
    ],
)
def test_only_whole_holding_registers_and_coils_can_be_writable(
    tmp_path: Path, change: dict[str, str]
) -> None:
    """Input registers cannot be written; a bit could only be with its fifteen neighbours."""
    with pytest.raises(ConfigError, match="holding registers and coils can be written"):
        load_config(write_agent(tmp_path, changes=change))
