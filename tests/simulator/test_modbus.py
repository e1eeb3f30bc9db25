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
from simulator.modbus import ModbusServer
from simulator.park import Park
from simulator.register import Encoding
from simulator.server import serving
from simulator.wiring import CLOCK
from tests.simulator.conftest import LINE, NOON_MS, run, serving_tag, serving_unit

POTLINE, REFINERY, POWER = "potline-1-plc-1", "refinery-1-plc-1", "power-1-plc-1"
LOG_HEAD, LOG_RING = 1000, 1002
NO_COMMAND = 99


@dataclass
class Wire:
    """A park that scans when the test says so, and a client to each of its PLCs."""

    park: Park
    servers: dict[str, ModbusServer]
    clients: dict[str, AsyncModbusTcpClient]

    async def read(self, plc: str, address: int, count: int) -> list[int]:
        """Input registers; fails on an exception response."""
        answer = await self.clients[plc].read_input_registers(address, count=count, device_id=1)
        assert not answer.isError(), answer
        return list(answer.registers)

    async def tag(self, path: str) -> float:
        """The value of a tag, read alone."""
        station, point = serving_tag(self.park, path)
        words = await self.read(station.plc.name, point.address, point.encoding.words)
        return point.encoding.decode(words)

    async def command(self, plc: str, command: Command) -> bool:
        """Write *command*; whether the PLC took it."""
        answer = await self.clients[plc].write_registers(0, command.registers, device_id=1)
        return not answer.isError()

    async def fault(self, fault: Fault, asset: str, seconds: int) -> bool:
        """A fault of one asset."""
        station, unit = serving_unit(self.park, asset)
        return await self.command(station.plc.name, Command(fault, unit, seconds))

    def live(self, plc: str) -> int:
        """How many registers one scan of a PLC has."""
        return self.servers[plc].station.plc.spans[0][1]

    async def scan(self, seconds: int = 1) -> None:
        """Let the plant go on; the servers follow."""
        for _ in range(seconds):
            run(self.park, 1)
            for server in self.servers.values():
                await server.follow()


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
        named = {server.station.plc.name: server for server in servers}
        clients = {name: await connect(server.port) for name, server in named.items()}
        try:
            yield Wire(park, named, clients)
        finally:
            for client in clients.values():
                client.close()


def over_the_wire(plant: Plant, talk: Callable[[Wire], Awaitable[None]]) -> None:
    """Run *talk* against a served plant."""

    async def go() -> None:
        async with wired(plant) as wire:
            await talk(wire)

    asyncio.run(go())


def test_an_answer_comes_from_one_scan(plant: Plant) -> None:
    """Three clients read while the plant scans as fast as it can: every answer is one image."""
    images: dict[float, list[int]] = {}
    answers: list[list[int]] = []

    async def talk(wire: Wire) -> None:
        done = asyncio.Event()
        count = wire.live(POTLINE)

        async def scan() -> None:
            while not done.is_set():
                run(wire.park, 1)
                image = wire.servers[POTLINE].station.plc.image.tolist()
                images[CLOCK.decode(image[:4])] = image[:count]
                await asyncio.sleep(0)

        async def read() -> None:
            client = await connect(wire.servers[POTLINE].port)
            for _ in range(100):
                answer = await client.read_input_registers(0, count=count, device_id=1)
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
        for plc in wire.servers:
            first = await wire.read(plc, 0, wire.live(plc))
            assert await wire.read(plc, 0, wire.live(plc)) == first
            await wire.scan()
            second = await wire.read(plc, 0, wire.live(plc))
            assert CLOCK.decode(second[:4]) == CLOCK.decode(first[:4]) + 1000
            assert second[4:] != first[4:]

    over_the_wire(plant, talk)


def test_taps_come_over_the_wire(plant: Plant) -> None:
    """Head, then ring entries that are the taps of the process, past the end of the ring."""

    async def talk(wire: Wire) -> None:
        # Steps of ten seconds, a tap each: six of the 24 pots are behind this PLC.
        run(wire.park, 2700, 10)
        number = round(Encoding("uint32").decode(await wire.read(POTLINE, LOG_HEAD, 2)))
        entries = wire.servers[POTLINE].station.plc.rings[0].entries
        assert number == entries[-1].number > 64
        for entry in entries:
            at = LOG_RING + (entry.number - 1) % 64 * 8
            words = await wire.read(POTLINE, at, 8)
            assert Encoding("uint32").decode(words[:2]) == entry.number
            assert words[2:4] == [entry.place, 0]
            assert Encoding("uint32").decode(words[4:6]) == entry.ts_ms / 1000
            assert Encoding("float32").decode(words[6:8]) == entry.amount

    over_the_wire(plant, talk)


def test_ledger_is_what_the_client_read(plant: Plant, tmp_path: Path) -> None:
    """Blocks, parts, repeats and log entries: the rows of served.csv and nothing else."""
    read: dict[tuple[str, int], float] = {}

    async def go() -> None:
        with Ledger(tmp_path) as ledger:
            async with wired(plant, ledger) as wire:
                for second in range(40):
                    await wire.scan()
                    # Every third second the client comes late and misses the scan.
                    if second % 3 == 2:
                        continue
                    for plc, server in wire.servers.items():
                        points = server.station.plc.points
                        # In turn: all registers, or those of half of the tags only.
                        wanted = points if second % 2 else points[: len(points) // 2]
                        words = await wire.read(plc, 0, wanted[-1].end)
                        await wire.read(plc, 0, wanted[-1].end)
                        ts_ms = round(CLOCK.decode(words[:4]))
                        for point in wanted:
                            value = point.encoding.decode(words[point.address : point.end])
                            read[point.path, ts_ms] = value
                for ring in wire.servers[POTLINE].station.plc.rings:
                    words = await wire.read(POTLINE, ring.log.head + 2, 8)
                    ts_ms = round(Encoding("uint32").decode(words[4:6])) * 1000
                    read[ring.log.paths[words[2]], ts_ms] = Encoding("float32").decode(words[6:8])

    asyncio.run(go())

    assert len(read) > 5000
    assert {tag.rpartition("/")[2] for tag, _ in read} >= {"metal_tapped", "anode_set"}
    assert read_served(tmp_path) == read


def test_anode_effect_on_demand(plant: Plant) -> None:
    """Command 1 on pot 17: its voltage and state in the next scan, gone when the time is over."""

    async def talk(wire: Wire) -> None:
        pot = f"{LINE}/pot-017"
        assert await wire.fault(Fault.UPSET, pot, 2)
        seen = []
        for _ in range(4):
            await wire.scan()
            voltage = await wire.tag(f"{pot}/voltage")
            seen.append((25 <= voltage <= 35, await wire.tag(f"{pot}/anode_effect")))
        assert seen == [(True, 1), (True, 1), (False, 0), (False, 0)]

    over_the_wire(plant, talk)


def test_trip_on_demand(plant: Plant) -> None:
    """Command 1 on a turbine, an inverter and a calciner: none other stands."""

    async def talk(wire: Wire) -> None:
        down = {
            "power/wind-1/wtg-08/available",
            "power/solar-1/inv-01/available",
            "refinery/calcination-2/running",
        }
        for tag in down:
            assert await wire.fault(Fault.UPSET, tag.rpartition("/")[0], 60)
        await wire.scan()
        states = [tag for tag in wire.park.paths if tag.endswith(("/available", "/running"))]
        assert {tag for tag in states if not await wire.tag(tag)} == down

    over_the_wire(plant, talk)


def test_freeze_on_demand(plant: Plant) -> None:
    """Command 2: the line current stands still while the truth goes on."""

    async def talk(wire: Wire) -> None:
        before = await wire.read(POTLINE, 4, 2)
        assert await wire.command(POTLINE, Command(Fault.FREEZE, 4, 3))
        frozen = []
        for _ in range(4):
            await wire.scan()
            frozen.append(await wire.read(POTLINE, 4, 2) == before)
        assert frozen == [True, True, True, False]

    over_the_wire(plant, talk)


def test_silence_on_demand(plant: Plant) -> None:
    """Command 3: no answer on any connection, then the PLC is back on the same one."""

    async def talk(wire: Wire) -> None:
        assert await wire.command(REFINERY, Command(Fault.SILENCE, 0, 5))
        impatient = await connect(wire.servers[REFINERY].port, patience_s=0.2)
        with pytest.raises(ModbusIOException):
            await impatient.read_input_registers(0, count=4, device_id=1)
        impatient.close()
        assert await wire.read(POTLINE, 0, 4)
        await wire.scan(6)
        assert CLOCK.decode(await wire.read(REFINERY, 0, 4)) == NOON_MS + 6000

    over_the_wire(plant, talk)


def test_refusal_on_demand(plant: Plant) -> None:
    """Command 4: every request is answered with the exception asked for."""

    async def talk(wire: Wire) -> None:
        assert await wire.command(POWER, Command(Fault.REFUSE, ExcCodes.DEVICE_BUSY, 1))
        answer = await wire.clients[POWER].read_input_registers(0, count=4, device_id=1)
        assert answer.exception_code == ExcCodes.DEVICE_BUSY
        await wire.scan(2)
        assert await wire.read(POWER, 0, 4)

    over_the_wire(plant, talk)


def test_outage_on_demand(plant: Plant) -> None:
    """Command 10: nobody listens, the process goes on, and the same port is there again."""

    async def talk(wire: Wire) -> None:
        port = wire.servers[REFINERY].port
        assert await wire.command(REFINERY, Command(Fault.OUTAGE, 0, 3))
        await wire.scan()
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", port)
        assert await wire.read(POTLINE, 0, 4)
        await wire.scan(3)
        client = await connect(port)
        answer = await client.read_input_registers(0, count=4, device_id=1)
        assert CLOCK.decode(answer.registers) == NOON_MS + 4000
        client.close()

    over_the_wire(plant, talk)


@pytest.mark.parametrize(
    "registers",
    [
        [Fault.UPSET, 1, 60],  # the line itself has no anode effect
        [Fault.UPSET, 25, 60],  # no such unit
        [Fault.FREEZE, 5, 60],  # no tag starts there
        [Fault.RESET, 4, 60],  # no totaliser
        [Fault.REFUSE, 99, 60],  # no such exception
        [Fault.MODULATE, 121, 60],  # more than a line can take
        [Fault.CURTAIL, 50, 60],  # no turbine here
        [NO_COMMAND, 0, 0],
    ],
)
def test_a_wrong_command_is_refused(plant: Plant, registers: list[int]) -> None:
    """Illegal data value, and nothing happens."""

    async def talk(wire: Wire) -> None:
        answer = await wire.clients[POTLINE].write_registers(0, registers, device_id=1)
        assert answer.exception_code == ExcCodes.ILLEGAL_VALUE
        await wire.scan()
        effects = [tag for tag in wire.park.paths if tag.endswith("/anode_effect")]
        assert not any([await wire.tag(tag) for tag in effects])

    over_the_wire(plant, talk)


def test_only_what_exists_can_be_read(plant: Plant) -> None:
    """Gaps and ends are illegal addresses, coils an illegal function, a half command no command."""

    async def talk(wire: Wire) -> None:
        client, end = wire.clients[POTLINE], wire.live(POTLINE)
        for address, count in (
            (end - 1, 2),
            (end, 1),
            (999, 1),
            (LOG_RING + 512, 1),
            (40_000, 1),
        ):
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

    async def go() -> None:
        async with wired(plant) as wire:
            busy = wire.servers[POTLINE].port
            with pytest.raises(ConfigError, match=f"potline-1.*{busy}.*another --port"):
                async with serving(Park(plant, NOON_MS, 1), "127.0.0.1", busy):
                    pytest.fail("it must not serve")

    asyncio.run(go())


def test_a_host_that_is_not_ours_is_named(plant: Plant) -> None:
    """An address of another machine."""

    async def go() -> None:
        with pytest.raises(ConfigError, match=r"192\.0\.2\.1.*another --host"):
            async with serving(Park(plant, NOON_MS, 1), "192.0.2.1", 5020):
                pytest.fail("it must not serve")

    asyncio.run(go())
