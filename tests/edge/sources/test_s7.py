"""S7 sources against the server of python-snap7."""

import asyncio
import struct
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from snap7.server import Server
from snap7.type import SrvArea

from edge.source import Source
from edge.sources.s7.address import MAX_BYTES, Address, Area, S7Type, Variable, plan
from edge.sources.s7.table import S7Device
from schemas.errors import ConfigError, DeviceDown
from schemas.quality import Quality
from tests.edge.sources.files import load_source
from tests.edge.sources.talk import once, talk
from tests.fixtures.ports import free_port


class Cpu:
    """A CPU with DB 10 of 512 bytes and a memory area."""

    def __init__(self) -> None:
        self.port = free_port()
        self.db = bytearray(512)
        self.memory = bytearray(64)
        self.start()

    def start(self) -> None:
        """Listen (again, at the same port)."""
        self.server = Server(log=False)
        self.server.register_area(SrvArea.DB, 10, self.db)
        self.server.register_area(SrvArea.MK, 0, self.memory)
        self.server.start_to("127.0.0.1", self.port)

    def put(self, byte: int, form: str, *numbers: float) -> None:
        """Pack *numbers* into the data block."""
        struct.pack_into(f">{form}", self.db, byte, *numbers)


@pytest.fixture
def cpu() -> Iterator[Cpu]:
    """A CPU on a free port."""
    made = Cpu()
    yield made
    made.server.stop()


def device(folder: Path, port: int, *tags: str) -> S7Device:
    """The device of a file with *tags*."""
    tables = "\n".join(f"[[source.tag]]\n{tag}" for tag in tags)
    made = load_source(
        folder,
        f'type = "s7"\ndevice = "cpu"\nhost = "127.0.0.1"\nport = {port}\n{tables}',
    )
    assert isinstance(made, S7Device)
    return made


CURRENT = 'path = "line/current"\naddress = "DB10.DBD0"\ntype = "REAL"'
VOLTAGE = 'path = "line/pot-{1..3}/voltage"\naddress = "DB10.DBW4"\ntype = "INT"\nscale = 0.001'
EFFECT = 'path = "line/pot-{1..3}/effect"\naddress = "DB10.DBX10.7"\ntype = "BOOL"'
LEVEL = 'path = "line/temperature"\naddress = "M8"\ntype = "LREAL"'


def test_a_data_block_is_read_with_the_types_of_its_variables(tmp_path: Path, cpu: Cpu) -> None:
    """REAL, INT with a scale, BOOL from one bit to the next byte, LREAL of the memory area."""
    cpu.put(0, "f3hxB", 500.5, 4250, 4500, -4750, 0b0000_0001)
    cpu.db[10] = 0b1000_0000
    struct.pack_into(">d", cpu.memory, 8, 963.25)
    before = time.time_ns() // 1_000_000

    readings = talk(device(tmp_path, cpu.port, CURRENT, VOLTAGE, EFFECT, LEVEL), once)

    assert [(r.tag, r.value, r.quality) for r in readings] == [
        ("line/current", 500.5, Quality.GOOD),
        ("line/pot-1/voltage", 4.25, Quality.GOOD),
        ("line/pot-2/voltage", 4.5, Quality.GOOD),
        ("line/pot-3/voltage", -4.75, Quality.GOOD),
        ("line/pot-1/effect", 1.0, Quality.GOOD),
        ("line/pot-2/effect", 1.0, Quality.GOOD),
        ("line/pot-3/effect", 0.0, Quality.GOOD),
        ("line/temperature", 963.25, Quality.GOOD),
    ]
    assert before <= readings[0].ts_ms <= time.time_ns() // 1_000_000


def test_what_the_cpu_refuses_is_bad_and_leaves_the_others_alone(tmp_path: Path, cpu: Cpu) -> None:
    """A block that is not there, and one that is too short."""
    cpu.put(4, "3h", 1000, 2000, 3000)
    missing = CURRENT.replace("DB10", "DB11")
    short = LEVEL.replace("M8", "DB10.508")

    readings = talk(device(tmp_path, cpu.port, missing, VOLTAGE, short), once)

    assert [(r.value, r.quality) for r in readings] == [
        (None, Quality.BAD),
        (1.0, Quality.GOOD),
        (2.0, Quality.GOOD),
        (3.0, Quality.GOOD),
        (None, Quality.BAD),
    ]


def test_no_number_is_a_bad_reading_without_a_value(tmp_path: Path, cpu: Cpu) -> None:
    """NaN of a broken sensor."""
    cpu.put(0, "f", float("nan"))

    readings = talk(device(tmp_path, cpu.port, CURRENT), once)

    assert [(r.value, r.quality) for r in readings] == [(None, Quality.BAD)]


def test_a_cpu_that_goes_is_down_and_found_again(tmp_path: Path, cpu: Cpu) -> None:
    """Its end is told by the next scan, nobody listens meanwhile, then it is read again."""

    async def scan_on(source: Source) -> None:
        while True:  # the server's thread still answers what is on the way
            await source.scan()

    async def work(source: Source) -> int:
        await source.scan()
        await asyncio.to_thread(cpu.server.stop)
        with pytest.raises(DeviceDown, match=r"cpu at 127\.0\.0\.1"):
            await scan_on(source)
        with pytest.raises(DeviceDown, match=r"cpu at 127\.0\.0\.1"):
            await source.scan()
        await asyncio.to_thread(cpu.start)
        return len((await source.scan()).readings)

    assert talk(device(tmp_path, cpu.port, CURRENT), work) == 1


def test_a_cpu_that_never_answers_is_down_after_its_time(tmp_path: Path) -> None:
    """It takes the connection and says nothing."""

    async def ignore(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    async def work() -> None:
        async with await asyncio.start_server(ignore, "127.0.0.1", 0) as silent:
            made = device(tmp_path, silent.sockets[0].getsockname()[1], CURRENT)
            quick = replace(made, table=made.table.model_copy(update={"timeout_s": 0.1}))
            with pytest.raises(DeviceDown, match="TimeoutError"):
                await quick.open({}).scan()

    asyncio.run(work())


@pytest.mark.parametrize(
    ("kind", "form", "number"),
    [
        (S7Type.BYTE, "B", 200),
        (S7Type.USINT, "B", 200),
        (S7Type.SINT, "b", -100),
        (S7Type.WORD, "H", 60_000),
        (S7Type.UINT, "H", 60_000),
        (S7Type.INT, "h", -30_000),
        (S7Type.DWORD, "I", 4_000_000_000),
        (S7Type.UDINT, "I", 4_000_000_000),
        (S7Type.DINT, "i", -2_000_000_000),
        (S7Type.TIME, "i", 86_400_000),
        (S7Type.LWORD, "Q", 2**40),
        (S7Type.ULINT, "Q", 2**40),
        (S7Type.LINT, "q", -(2**40)),
        (S7Type.REAL, "f", 0.5),
        (S7Type.LREAL, "d", 1e-300),
    ],
)
def test_every_type_has_the_size_and_form_of_step_7(kind: S7Type, form: str, number: float) -> None:
    """Big-endian, at any byte."""
    variable = Variable("t", Address(Area.MEMORY, 0, 7), kind)

    assert variable.value(struct.pack(f">3x{form}", number), 4) == number


@given(
    st.lists(
        st.tuples(st.integers(1, 3), st.integers(0, 2000), st.sampled_from(S7Type)), min_size=1
    ),
    st.integers(0, 64),
)
def test_the_plan_reads_every_variable_whole_and_within_one_answer(
    places: list[tuple[int, int, S7Type]], max_gap: int
) -> None:
    """Each in exactly one request, of no more bytes than an answer has."""
    variables = [
        Variable(str(number), Address(Area.DATA_BLOCK, db, byte), kind)
        for number, (db, byte, kind) in enumerate(places)
    ]

    blocks = plan(variables, max_gap)

    assert sorted(one.path for block in blocks for one in block.variables) == sorted(
        one.path for one in variables
    )
    for block in blocks:
        assert block.count <= MAX_BYTES
        for one in block.variables:
            assert (block.area, block.db) == (one.address.area, one.address.db)
            assert block.start <= one.address.byte
            assert one.end <= block.start + block.count


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("DB10.DBD4", Address(Area.DATA_BLOCK, 10, 4)),
        ("DB10.4", Address(Area.DATA_BLOCK, 10, 4)),
        ("DB10.DBX4.3", Address(Area.DATA_BLOCK, 10, 4, 3)),
        ("MW20", Address(Area.MEMORY, 0, 20)),
        ("I0.7", Address(Area.INPUT, 0, 0, 7)),
        ("Q1.0", Address(Area.OUTPUT, 0, 1, 0)),
    ],
)
def test_addresses_are_written_as_in_step_7(text: str, address: Address) -> None:
    """With or without the letter of the size."""
    assert Address.parse(text) == address


@pytest.mark.parametrize(
    ("tag", "message"),
    [
        (CURRENT.replace("DB10.DBD0", "DB10"), "write DB10.DBD4"),
        (CURRENT.replace("DBD0", "DBX0.8"), "write DB10.DBD4"),
        (CURRENT.replace("DBD0", "DBX0.1"), "a BOOL has a bit"),
        (EFFECT.replace("DBX10.7", "DBB10"), "a BOOL has a bit"),
        (VOLTAGE + "\nstride = 1", "one INT takes 2 bytes"),
        (CURRENT.replace("REAL", "FLOAT"), "LREAL"),
        (CURRENT.replace("address", "adress"), r"tag\.0\.adress.*did you mean 'address'"),
    ],
)
def test_a_wrong_table_says_what_would_be_right(tmp_path: Path, tag: str, message: str) -> None:
    """As for any other source."""
    with pytest.raises(ConfigError, match=message):
        device(tmp_path, 102, tag)
