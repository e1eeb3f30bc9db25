"""The PLCs over the wire, read by a plain Modbus client."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from pymodbus.client import AsyncModbusTcpClient
from pymodbus.constants import ExcCodes
from pymodbus.exceptions import ModbusIOException

from schemas.errors import ConfigError
from schemas.plant.model import Plant
from simulator.command import Command, Fault
from simulator.ledger import Ledger, read_served
from simulator.park import Park
from simulator.plc import CLOCK, LOG_HEAD, LOG_RING
from simulator.register import Encoding
from simulator.server import serving
from tests.simulator.conftest import NOON_MS

POTLINE, DIGESTION, POWER = 0, 1, 2
NO_COMMAND = 99


@dataclass
class Wire:
    """A park that scans when the test says so, and a client to each of its PLCs."""

    park: Park
    ports: list[int]
    clients: list[AsyncModbusTcpClient]

    async def read(self, plc: int, address: int, count: int) -> list[int]:
        """Input registers; fails on an exception response."""
        answer = await self.clients[plc].read_input_registers(address, count=count, device_id=1)
        assert not answer.isError(), answer
        return list(answer.registers)

    async def command(self, plc: int, command: Command) -> bool:
        """Write *command*; whether the PLC took it."""
        answer = await self.clients[plc].write_registers(0, command.registers, device_id=1)
        return not answer.isError()

    def scan(self, seconds: int = 1) -> None:
        """Let the plant go on."""
        for _ in range(seconds):
            self.park.scan(self.park.ts_ms + 1000)


async def connect(port: int, patience_s: float = 5.0) -> AsyncModbusTcpClient:
    """A connected client that tries once."""
    client = AsyncModbusTcpClient("127.0.0.1", port=port, timeout=patience_s, retries=0)
    assert await client.connect()
    return client


@asynccontextmanager
async def wired(
    plant: Plant, ledger: Ledger | None = None, tap_every_s: int = 10
) -> AsyncIterator[Wire]:
    """Serve the plant on free ports."""
    park = Park(plant, NOON_MS, 1, tap_every_s)
    async with serving(park, "127.0.0.1", 0, ledger) as servers:
        ports = [server.port for server in servers]
        clients = [await connect(port) for port in ports]
        try:
            yield Wire(park, ports, clients)
        finally:
            for client in clients:
                client.close()


def over_the_wire(plant: Plant, talk: Callable[[Wire], Awaitable[None]]) -> None:
    """Run *talk* against a served plant."""

    async def run() -> None:
        async with wired(plant) as wire:
            await talk(wire)

    asyncio.run(run())


def test_an_answer_comes_from_one_scan(plant: Plant) -> None:
    """Three clients read while the plant scans as fast as it can: every answer is one image."""
    images: dict[float, list[int]] = {}
    answers: list[list[int]] = []

    async def talk(wire: Wire) -> None:
        done = asyncio.Event()

        async def scan() -> None:
            while not done.is_set():
                wire.scan()
                image = wire.park.stations[POTLINE].plc.image
                images[CLOCK.decode(image[:4])] = image[:78]
                await asyncio.sleep(0)

        async def read() -> None:
            client = await connect(wire.ports[POTLINE])
            for _ in range(100):
                answer = await client.read_input_registers(0, count=78, device_id=1)
                answers.append(list(answer.registers))
            client.close()

        scanning = asyncio.create_task(scan())
        await asyncio.gather(read(), read(), read())
        done.set()
        await scanning

    over_the_wire(plant, talk)

    assert len({CLOCK.decode(answer[:4]) for answer in answers}) > 50
    assert all(answer == images[CLOCK.decode(answer[:4])] for answer in answers)


def test_values_are_constant_between_scans(plant: Plant) -> None:
    """Reading twice without a scan gives the same registers, with one gives a later clock."""

    async def talk(wire: Wire) -> None:
        for plc, count in ((POTLINE, 78), (DIGESTION, 19), (POWER, 74)):
            first = await wire.read(plc, 0, count)
            assert await wire.read(plc, 0, count) == first
            wire.scan()
            second = await wire.read(plc, 0, count)
            assert CLOCK.decode(second[:4]) == CLOCK.decode(first[:4]) + 1000
            assert second[4:] != first[4:]

    over_the_wire(plant, talk)


def test_taps_come_over_the_wire(plant: Plant) -> None:
    """Head, then ring entries that are the taps of the process, past the end of the ring."""

    async def talk(wire: Wire) -> None:
        wire.scan(900)
        number = round(Encoding("uint32").decode(await wire.read(POTLINE, LOG_HEAD, 2)))
        state = wire.park.stations[POTLINE].state
        assert number == state.tap_number > 64
        for tap in state.taps:
            entry = await wire.read(POTLINE, LOG_RING + (tap.number - 1) % 64 * 8, 8)
            assert Encoding("uint32").decode(entry[:2]) == tap.number
            assert entry[2:4] == [tap.place, 0]
            assert Encoding("uint32").decode(entry[4:6]) == tap.ts_ms / 1000
            assert Encoding("float32").decode(entry[6:8]) == tap.amount

    over_the_wire(plant, talk)


def test_ledger_is_what_the_client_read(plant: Plant, tmp_path: Path) -> None:
    """Blocks, parts, repeats and log entries: the rows of served.csv and nothing else."""
    read: dict[tuple[str, int], float] = {}

    async def run() -> None:
        with Ledger(tmp_path) as ledger:
            async with wired(plant, ledger) as wire:
                for second in range(40):
                    wire.scan()
                    for plc, station in enumerate(wire.park.stations):
                        points = station.plc.points
                        # Every third second the client comes late and misses the scan.
                        if second % 3 == 2:
                            continue
                        # In turn: all registers, or those of half of the tags only.
                        wanted = points if second % 2 else points[: len(points) // 2]
                        words = await wire.read(plc, 0, wanted[-1].end)
                        await wire.read(plc, 0, wanted[-1].end)
                        ts_ms = round(CLOCK.decode(words[:4]))
                        for point in wanted:
                            value = point.encoding.decode(words[point.address : point.end])
                            read[point.path, ts_ms] = value
                logged = wire.park.stations[POTLINE].plc.logged
                for slot in range(3):
                    entry = await wire.read(POTLINE, LOG_RING + slot * 8, 8)
                    ts_ms = round(Encoding("uint32").decode(entry[4:6])) * 1000
                    read[logged[entry[2]], ts_ms] = Encoding("float32").decode(entry[6:8])

    asyncio.run(run())

    assert len(read) > 1000
    assert read_served(tmp_path) == read


def test_anode_effect_on_demand(plant: Plant) -> None:
    """Command 1 on pot 17: its voltage and state in the next scan, gone when the time is over."""

    async def talk(wire: Wire) -> None:
        points = wire.park.stations[POTLINE].plc.points
        volts, effect = points[17], points[24 + 17]
        assert volts.path.endswith("pot-017/voltage")
        assert effect.path.endswith("pot-017/anode_effect")
        assert await wire.command(POTLINE, Command(Fault.UPSET, 17, 2))
        seen = []
        for _ in range(4):
            wire.scan()
            voltage = Encoding("float32").decode(await wire.read(POTLINE, volts.address, 2))
            (state,) = await wire.read(POTLINE, effect.address, 1)
            seen.append((25 <= voltage <= 35, state))
        assert seen == [(True, 1), (True, 1), (False, 0), (False, 0)]

    over_the_wire(plant, talk)


def test_trip_on_demand(plant: Plant) -> None:
    """Command 1 on power-1: units 1 to 8 are turbines, 9 to 12 inverters."""

    async def talk(wire: Wire) -> None:
        assert await wire.command(POWER, Command(Fault.UPSET, 8, 60))
        assert await wire.command(POWER, Command(Fault.UPSET, 9, 60))
        wire.scan()
        assert await wire.read(POWER, 52, 8) == [1, 1, 1, 1, 1, 1, 1, 0]
        assert await wire.read(POWER, 70, 4) == [0, 1, 1, 1]

    over_the_wire(plant, talk)


def test_freeze_on_demand(plant: Plant) -> None:
    """Command 2: the line current stands still while the truth goes on."""

    async def talk(wire: Wire) -> None:
        before = await wire.read(POTLINE, 4, 2)
        assert await wire.command(POTLINE, Command(Fault.FREEZE, 4, 3))
        frozen = []
        for _ in range(4):
            wire.scan()
            frozen.append(await wire.read(POTLINE, 4, 2) == before)
        assert frozen == [True, True, True, False]

    over_the_wire(plant, talk)


def test_silence_on_demand(plant: Plant) -> None:
    """Command 3: no answer on any connection, then the PLC is back on the same one."""

    async def talk(wire: Wire) -> None:
        assert await wire.command(DIGESTION, Command(Fault.SILENCE, 0, 5))
        impatient = await connect(wire.ports[DIGESTION], patience_s=0.2)
        with pytest.raises(ModbusIOException):
            await impatient.read_input_registers(0, count=4, device_id=1)
        impatient.close()
        assert await wire.read(POTLINE, 0, 4)
        wire.scan(6)
        assert CLOCK.decode(await wire.read(DIGESTION, 0, 4)) == NOON_MS + 6000

    over_the_wire(plant, talk)


def test_refusal_on_demand(plant: Plant) -> None:
    """Command 4: every request is answered with the exception asked for."""

    async def talk(wire: Wire) -> None:
        assert await wire.command(POWER, Command(Fault.REFUSE, ExcCodes.DEVICE_BUSY, 1))
        answer = await wire.clients[POWER].read_input_registers(0, count=4, device_id=1)
        assert answer.exception_code == ExcCodes.DEVICE_BUSY
        wire.scan(2)
        assert await wire.read(POWER, 0, 4)

    over_the_wire(plant, talk)


@pytest.mark.parametrize(
    "registers",
    [
        [Fault.UPSET, 25, 60],  # no such pot
        [Fault.FREEZE, 5, 60],  # no tag starts there
        [Fault.REFUSE, 99, 60],  # no such exception
        [NO_COMMAND, 0, 0],
    ],
)
def test_a_wrong_command_is_refused(plant: Plant, registers: list[int]) -> None:
    """Illegal data value, and nothing happens."""

    async def talk(wire: Wire) -> None:
        answer = await wire.clients[POTLINE].write_registers(0, registers, device_id=1)
        assert answer.exception_code == ExcCodes.ILLEGAL_VALUE
        wire.scan()
        assert set(await wire.read(POTLINE, 54, 24)) == {0}

    over_the_wire(plant, talk)


def test_digestion_has_nothing_to_upset(plant: Plant) -> None:
    """Command 1 is an illegal value there."""

    async def talk(wire: Wire) -> None:
        assert not await wire.command(DIGESTION, Command(Fault.UPSET, 1, 60))

    over_the_wire(plant, talk)


def test_only_what_exists_can_be_read(plant: Plant) -> None:
    """Gaps and ends are illegal addresses, coils an illegal function, a half command no command."""

    async def talk(wire: Wire) -> None:
        client = wire.clients[POTLINE]
        for address, count in ((77, 2), (78, 1), (999, 1), (LOG_RING + 512, 1), (40_000, 1)):
            answer = await client.read_input_registers(address, count=count, device_id=1)
            assert answer.exception_code == ExcCodes.ILLEGAL_ADDRESS, address
        coils = await client.read_coils(0, count=1, device_id=1)
        assert coils.exception_code == ExcCodes.ILLEGAL_FUNCTION
        half = await client.write_registers(0, [1, 1], device_id=1)
        assert half.exception_code == ExcCodes.ILLEGAL_ADDRESS
        single = await client.write_register(0, 1, device_id=1)
        assert single.exception_code == ExcCodes.ILLEGAL_FUNCTION

    over_the_wire(plant, talk)


def test_a_busy_port_is_named(plant: Plant) -> None:
    """The error says which PLC, which port and what to do; nothing is left listening."""

    async def run() -> None:
        async with wired(plant) as wire:
            busy = wire.ports[POTLINE]
            with pytest.raises(ConfigError, match=f"potline-1.*{busy}.*another --port"):
                async with serving(Park(plant, NOON_MS, 1), "127.0.0.1", busy):
                    pytest.fail("it must not serve")

    asyncio.run(run())


def test_a_host_that_is_not_ours_is_named(plant: Plant) -> None:
    """An address of another machine."""

    async def run() -> None:
        with pytest.raises(ConfigError, match=r"192\.0\.2\.1.*another --host"):
            async with serving(Park(plant, NOON_MS, 1), "192.0.2.1", 5020):
                pytest.fail("it must not serve")

    asyncio.run(run())
