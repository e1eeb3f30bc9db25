"""Modbus sources against a real server."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import TypeVar

import pytest
from pymodbus.constants import ExcCodes
from pymodbus.framer import FramerType

from edge.config import load_config
from edge.source import Scan
from edge.sources.modbus.source import ModbusSource
from edge.sources.modbus.table import ModbusDevice
from schemas.errors import DeviceDown
from schemas.quality import Quality
from tests.edge.files import modbus, write_agent
from tests.edge.plc import COIL, HOLDING, INPUT, Plc, words
from tests.fixtures.until import until

Result = TypeVar("Result")
MARK = "plc/line/pot-{1..3}/tapped"


def device(folder: Path, plc: Plc, changes: Mapping[str, str] | None = None) -> ModbusDevice:
    """The device of the agent's file, at the PLC's port."""
    return modbus(load_config(write_agent(folder, plc.port, changes)).devices[0])


def talk(
    source: ModbusDevice,
    work: Callable[[ModbusSource], Awaitable[Result]],
    marks: Mapping[str, int] | None = None,
) -> Result:
    """Run *work* with a source that is closed behind it."""

    async def run() -> Result:
        made = ModbusSource(source, marks or {})
        try:
            return await work(made)
        finally:
            await made.close()

    return asyncio.run(run())


def scan(source: ModbusDevice, marks: Mapping[str, int] | None = None) -> Scan:
    """One scan of a new connection."""
    return talk(source, ModbusSource.scan, marks)


def put(plc: Plc, table: int, address: int, values: list[int]) -> None:
    """Set registers and wait until they are."""
    plc.set(table, address, values)
    until(lambda: plc.tables[table][address : address + len(values)] == values, "registers")


def ring(plc: Plc, last: int, *, entries: int = 4, head: int | None = None) -> None:
    """Write the last *entries* events of *last*: number n is n kg of pot n % 3 at second n."""
    for number in range(max(1, last - entries + 1), last + 1):
        entry = words("IHHIf", number, number % 3, 0, number, float(number))
        put(plc, INPUT, 102 + (number - 1) % entries * 8, entry)
    put(plc, INPUT, 100, words("I", last if head is None else head))


def test_values_have_the_time_of_the_scan_of_the_plc(tmp_path: Path, plc: Plc) -> None:
    """One request for clock and values; each reading has the PLC's time."""
    put(plc, INPUT, 0, words("Qffff", 1_700_000_000_123, 500.5, 4.25, 4.5, 4.75))

    seen = scan(device(tmp_path, plc))

    assert [(r.tag, r.ts_ms, r.value, r.quality) for r in seen.readings] == [
        ("line/current", 1_700_000_000_123, 500.5, Quality.GOOD),
        ("line/pot-1/voltage", 1_700_000_000_123, 4.25, Quality.GOOD),
        ("line/pot-2/voltage", 1_700_000_000_123, 4.5, Quality.GOOD),
        ("line/pot-3/voltage", 1_700_000_000_123, 4.75, Quality.GOOD),
    ]
    assert plc.requests[0] == (INPUT, 0, 12)


def test_serial_frames_through_a_gateway(tmp_path: Path) -> None:
    """RTU over TCP: the same requests, framed with a CRC."""
    with Plc(FramerType.RTU) as plc:
        put(plc, INPUT, 0, words("Qffff", 1_000, 500.5, 4.25, 4.5, 4.75))

        seen = scan(device(tmp_path, plc, {'type = "modbus"': 'type = "modbus"\nframing = "rtu"'}))

    assert [r.value for r in seen.readings] == [500.5, 4.25, 4.5, 4.75]


def test_without_a_clock_readings_have_the_time_of_the_agent(tmp_path: Path, plc: Plc) -> None:
    """UTC, between before and after."""
    clock = 'clock = { table = "input", address = 0 }'
    before = time.time_ns() // 1_000_000

    seen = scan(device(tmp_path, plc, {clock: ""}))

    assert before <= seen.readings[0].ts_ms <= time.time_ns() // 1_000_000


def test_a_scan_between_two_requests_is_read_again(tmp_path: Path, plc: Plc) -> None:
    """No value gets the time of another scan of the PLC."""
    far = device(tmp_path, plc, {'table = "input"\naddress = 6': 'table = "holding"\naddress = 6'})
    put(plc, INPUT, 0, words("Qf", 1_000, 1.0))
    put(plc, HOLDING, 6, words("f", 1.0))
    plc.after_next_request(INPUT, 0, words("Qf", 2_000, 2.0))
    plc.after_next_request(HOLDING, 6, words("f", 2.0))

    seen = scan(far)

    assert [(r.ts_ms, r.value) for r in seen.readings[:2]] == [(2_000, 2.0), (2_000, 2.0)]


def test_no_number_is_a_bad_reading_without_a_value(tmp_path: Path, plc: Plc) -> None:
    """NaN of a broken sensor; its neighbours are good."""
    put(plc, INPUT, 0, words("Qffff", 1_000, float("nan"), 4.25, float("inf"), 4.75))

    seen = scan(device(tmp_path, plc))

    assert [(r.value, r.quality) for r in seen.readings] == [
        (None, Quality.BAD),
        (4.25, Quality.GOOD),
        (None, Quality.BAD),
        (4.75, Quality.GOOD),
    ]


def test_refused_addresses_are_bad_and_leave_the_others_alone(tmp_path: Path, plc: Plc) -> None:
    """An illegal address concerns its own request only."""
    plc.missing = {700, 701}

    seen = scan(device(tmp_path, plc, {"address = 4": "address = 700"}))

    assert [(r.tag, r.quality) for r in seen.readings][-1] == ("line/current", Quality.BAD)
    assert {r.quality for r in seen.readings[:-1]} == {Quality.GOOD}


@pytest.mark.parametrize("code", [ExcCodes.DEVICE_FAILURE, ExcCodes.DEVICE_BUSY])
def test_a_device_that_cannot_serve_is_down(tmp_path: Path, plc: Plc, code: ExcCodes) -> None:
    """Failure and busy speak of the device, not of an address."""
    plc.refusal = code

    with pytest.raises(DeviceDown, match=f"exception code {int(code)}"):
        scan(device(tmp_path, plc))


def test_bits_are_states(tmp_path: Path, plc: Plc) -> None:
    """Coils come as 0 and 1, across the bounds of a byte."""
    path = {
        'path = "line/pot-{1..3}/voltage"\ntable = "input"\naddress = 6\ntype = "float32"': (
            'path = "line/pot-{1..3}/effect"\ntable = "coil"\naddress = 15'
        )
    }
    put(plc, COIL, 15, [1, 0, 1])

    seen = scan(device(tmp_path, plc, path))

    assert [(r.tag, r.value) for r in seen.readings[1:]] == [
        ("line/pot-1/effect", 1.0),
        ("line/pot-2/effect", 0.0),
        ("line/pot-3/effect", 1.0),
    ]


def test_no_connection_and_no_answer_are_a_device_down(tmp_path: Path, plc: Plc) -> None:
    """Nobody listens, or somebody who never answers; afterwards it is found again."""
    source = device(tmp_path, plc, {"timeout_s = 0.5": "timeout_s = 0.1"})

    async def work(made: ModbusSource) -> int:
        plc.silent = True
        with pytest.raises(DeviceDown, match=r"plc at 127\.0\.0\.1"):
            await made.scan()
        plc.silent = False
        await asyncio.to_thread(plc.stop)
        with pytest.raises(DeviceDown, match="no connection"):
            await made.scan()
        await asyncio.to_thread(plc.start)
        return len((await made.scan()).readings)

    assert talk(source, work) == 4


def test_a_log_is_read_from_where_it_was_left(tmp_path: Path, plc: Plc) -> None:
    """Entries behind the mark, oldest first, then nothing until there are more."""
    ring(plc, 3)

    async def work(made: ModbusSource) -> list[Scan]:
        scans = [await made.scan(), await made.scan()]
        await asyncio.to_thread(ring, plc, 5)
        return [*scans, await made.scan()]

    first, second, third = talk(device(tmp_path, plc), work, {MARK: 1})

    assert [(e.tag, e.ts_ms, e.value) for e in first.events] == [
        ("line/pot-3/tapped", 2_000, 2.0),
        ("line/pot-1/tapped", 3_000, 3.0),
    ]
    assert (second.events, second.marks) == ([], {MARK: 3})
    assert [e.value for e in third.events] == [4.0, 5.0]
    assert (third.marks, third.lost) == ({MARK: 5}, 0)


def test_events_that_were_overwritten_unread_are_counted(tmp_path: Path, plc: Plc) -> None:
    """The ring holds 4 of the 9 new ones: 5 are lost, and said so."""
    ring(plc, 10)

    seen = scan(device(tmp_path, plc), {MARK: 1})

    assert [e.value for e in seen.events] == [7.0, 8.0, 9.0, 10.0]
    assert seen.lost == 5


def test_the_first_reading_of_a_ring_counts_no_loss(tmp_path: Path, plc: Plc) -> None:
    """What happened before the agent ever came is not its loss."""
    ring(plc, 10)

    seen = scan(device(tmp_path, plc))

    assert ([e.value for e in seen.events], seen.lost) == ([7.0, 8.0, 9.0, 10.0], 0)


def test_a_plc_that_numbers_anew_is_read_from_its_beginning(tmp_path: Path, plc: Plc) -> None:
    """A head behind the mark: the PLC was restarted."""
    ring(plc, 2)

    seen = scan(device(tmp_path, plc), {MARK: 77})

    assert ([e.value for e in seen.events], seen.marks, seen.lost) == ([1.0, 2.0], {MARK: 2}, 0)


def test_an_entry_that_is_not_written_yet_waits_for_the_next_scan(tmp_path: Path, plc: Plc) -> None:
    """The head says 3, the ring still holds 2."""
    ring(plc, 2, head=3)

    seen = scan(device(tmp_path, plc), {MARK: 0})

    assert ([e.value for e in seen.events], seen.marks) == ([1.0, 2.0], {MARK: 2})


def test_an_entry_of_no_place_is_counted_and_left_out(tmp_path: Path, plc: Plc) -> None:
    """Place 9 of 3 pots: the others are read on."""
    ring(plc, 3)
    put(plc, INPUT, 102 + 8, words("IHHIf", 2, 9, 0, 2, 2.0))

    seen = scan(device(tmp_path, plc), {MARK: 0})

    assert ([e.value for e in seen.events], seen.lost) == ([1.0, 3.0], 1)


def test_a_log_that_breaks_off_forgets_no_event(tmp_path: Path, plc: Plc) -> None:
    """The device is lost between head and ring: the next scan has all of them."""
    ring(plc, 3)

    async def work(made: ModbusSource) -> Scan:
        plc.missing = set(range(102, 134))
        with pytest.raises(DeviceDown, match="refuses input registers at 102"):
            await made.scan()
        plc.missing = set()
        return await made.scan()

    assert [e.value for e in talk(device(tmp_path, plc), work, {MARK: 0}).events] == [1.0, 2.0, 3.0]
