"""What addresses a Modbus device has: asked for, since the protocol cannot tell."""

import math
import struct
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from pymodbus.client import AsyncModbusTcpClient
from pymodbus.exceptions import ModbusException, ModbusIOException

from edge.draft import Keys, Place
from edge.sources.modbus.registers import Table
from edge.sources.modbus.source import FRAMERS, REFUSALS, REQUESTS
from schemas.errors import ConfigError, DeviceDown

#: Magnitudes of what plants measure: a pair of integers rarely looks like one of these.
_PLAUSIBLE = (1e-4, 1e8)


@dataclass(frozen=True, slots=True)
class Target:
    """A device: ``modbus://host:port``, or ``modbus+rtu://host:port`` behind a serial gateway."""

    host: str
    port: int
    framing: str
    timeout_s: float = 1.0

    @classmethod
    def parse(cls, url: str) -> "Target":
        """Read the address."""
        parts = urlsplit(url)
        framings = {"modbus": "tcp", "modbus+rtu": "rtu"}
        if parts.scheme not in framings or parts.hostname is None:
            raise ConfigError("address", url, "write modbus://HOST:PORT or modbus+rtu://HOST:PORT")
        return cls(parts.hostname, parts.port or 502, framings[parts.scheme])

    def keys(self, unit: int) -> Keys:
        """What the file says of it."""
        where: Keys = {"type": "modbus", "host": self.host, "port": self.port, "unit_id": unit}
        return where if self.framing == "tcp" else {**where, "framing": self.framing}


@dataclass(frozen=True, slots=True)
class Run:
    """Neighbouring addresses of one table that answer, with what they hold."""

    unit: int
    table: Table
    start: int
    words: Sequence[int]

    @property
    def end(self) -> int:
        """The first address behind it."""
        return self.start + len(self.words)

    def places(self) -> Iterator[Place]:
        """Each number in it, taken for a float32 where two registers look like one."""
        at = 0
        while at < len(self.words):
            pair = self.words[at : at + 2]
            keys: dict[str, str | int] = {"table": self.table, "address": self.start + at}
            name = f"{self.table} {self.start + at}"
            if self.table.of_bits:
                yield Place(name, keys, str(int(self.words[at])))
            elif (value := _as_float(pair)) is not None:
                yield Place(name, {**keys, "type": "float32"}, f"{value:g}")
                at += 1
            else:
                yield Place(name, {**keys, "type": "uint16"}, str(pair[0]))
            at += 1


async def survey(target: Target, units: Sequence[int], first: int, last: int) -> AsyncIterator[Run]:
    """The runs of addresses from *first* to *last* that answer, unit by unit and table by table.

    A request that is refused is cut in two until it is not, or is one address: some thousand
    requests where nothing is. A unit that says nothing at all is passed over.

    Raises
    ------
    DeviceDown
        There is no connection.
    """
    client = AsyncModbusTcpClient(
        target.host,
        port=target.port,
        framer=FRAMERS[target.framing],
        timeout=target.timeout_s,
        retries=0,
        reconnect_delay=0,
    )
    try:
        if not await client.connect():
            raise DeviceDown(f"{target.host}:{target.port}: no connection")
        for unit in units:
            try:
                for table in Table:
                    async for run in _runs(client, unit, table, first, last + 1):
                        yield run
            except ModbusIOException:
                continue
    except (ModbusException, OSError) as error:
        raise DeviceDown(f"{target.host}:{target.port}: {error}") from error
    finally:
        client.close()


async def _runs(
    client: AsyncModbusTcpClient, unit: int, table: Table, first: int, end: int
) -> AsyncIterator[Run]:
    run: Run | None = None
    for start in range(first, end, table.limit):
        async for at, words in _pieces(client, unit, table, start, min(table.limit, end - start)):
            if run is not None and at == run.end:
                run = Run(unit, table, run.start, [*run.words, *words])
                continue
            if run is not None:
                yield run
            run = Run(unit, table, at, words)
    if run is not None:
        yield run


async def _pieces(
    client: AsyncModbusTcpClient, unit: int, table: Table, start: int, count: int
) -> AsyncIterator[tuple[int, Sequence[int]]]:
    """What answers of *count* addresses from *start* on."""
    answer = await REQUESTS[table](client, start, count=count, device_id=unit)
    if not answer.isError():
        yield start, (answer.bits[:count] if table.of_bits else answer.registers)
        return
    if answer.exception_code not in REFUSALS:
        raise ModbusIOException(f"unit {unit}: exception code {answer.exception_code}")
    if count > 1:
        for part, size in ((start, count // 2), (start + count // 2, count - count // 2)):
            async for piece in _pieces(client, unit, table, part, size):
                yield piece


def _as_float(pair: Sequence[int]) -> float | None:
    """The two registers as a float32, where it is a number that a plant may have."""
    if len(pair) < 2:
        return None
    (value,) = struct.unpack(">f", struct.pack(">2H", *pair))
    low, high = _PLAUSIBLE
    plausible = math.isfinite(value) and low < abs(value) < high
    return float(value) if plausible else None
