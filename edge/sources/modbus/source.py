"""A PLC or meter on Modbus TCP, or on a serial line behind a gateway, read with pymodbus."""

import math
import time
from collections.abc import Mapping, Sequence
from typing import Final

from pymodbus.client import AsyncModbusTcpClient
from pymodbus.constants import ExcCodes
from pymodbus.exceptions import ModbusException
from pymodbus.framer import FramerType
from pymodbus.pdu import ModbusPDU

from edge.source import Scan
from edge.sources.modbus.registers import Block, Entry, EventLog, Point, Table, plan
from edge.sources.modbus.table import ModbusDevice
from schemas.errors import CommandError, DeviceDown
from schemas.quality import Quality
from schemas.reading import Reading

#: A request was understood and refused: these addresses are at fault, the device is well. Any other
#: exception code (busy, failure, gateway without answer) says that the device cannot serve now.
REFUSALS: Final = frozenset(
    {ExcCodes.ILLEGAL_FUNCTION, ExcCodes.ILLEGAL_ADDRESS, ExcCodes.ILLEGAL_VALUE}
)
REQUESTS: Final = {
    Table.INPUT: AsyncModbusTcpClient.read_input_registers,
    Table.HOLDING: AsyncModbusTcpClient.read_holding_registers,
    Table.COIL: AsyncModbusTcpClient.read_coils,
    Table.DISCRETE: AsyncModbusTcpClient.read_discrete_inputs,
}
FRAMERS: Final = {"tcp": FramerType.SOCKET, "rtu": FramerType.RTU}
#: A PLC that scans faster than its blocks can be read never shows one time twice.
_CLOCK_ATTEMPTS: Final = 3

Words = Sequence[int]


class ModbusSource:
    """One device on Modbus TCP.

    ``marks`` are the log numbers kept by the spool: reading goes on behind them.
    """

    def __init__(self, device: ModbusDevice, marks: Mapping[str, int]) -> None:
        self.device = device.device
        self.paths = device.paths
        self.period_s = device.table.scan_s
        self._table = device.table
        self._clock = device.clock
        self._logs = device.logs
        self._writable = {point.path: point for point in device.points if point.writable}
        self._classes = _classes(device)
        self._turn = 0
        self._marks = marks
        self._client: AsyncModbusTcpClient | None = None
        self._clock_ahead_ms = 0

    async def scan(self) -> Scan:
        """Read every block and every new log entry once; see `edge.source.Source`."""
        try:
            client = await self._connected()
            readings = await self._read_points(client)
            scan = await self._read_logs(client, readings)
        except (ModbusException, OSError, TimeoutError) as error:
            await self.close()
            raise DeviceDown(f"{self._address}: {error}") from error
        except DeviceDown:
            await self.close()
            raise
        return scan

    async def write(self, path: str, value: float) -> None:
        """See `edge.source.WritableSource`."""
        point = self._writable[path]
        words = point.words(value)
        if (client := self._client) is None or not client.connected:
            raise DeviceDown(f"{self._address}: no connection")
        unit = self._table.unit_id
        try:
            if point.table is Table.COIL:
                answer: ModbusPDU = await client.write_coil(
                    point.address, bool(words[0]), device_id=unit
                )
            elif len(words) == 1:
                answer = await client.write_register(point.address, words[0], device_id=unit)
            else:
                answer = await client.write_registers(point.address, words, device_id=unit)
        except (ModbusException, OSError, TimeoutError) as error:
            raise DeviceDown(f"{self._address}: {error}") from error
        if answer.isError():
            raise CommandError(f"{self._address}: exception code {answer.exception_code}")

    def now_ms(self) -> int:
        """The PLC's time, from its last scan on; without a clock of its own the agent's."""
        return _utc_ms() + self._clock_ahead_ms

    async def close(self) -> None:
        """Close the connection; the next scan opens a new one."""
        self._turn = 0  # of a device that is found again every tag is read
        if self._client is not None:
            self._client.close()
            self._client = None

    @property
    def _address(self) -> str:
        return f"{self.device} at {self._table.host}:{self._table.port}"

    async def _connected(self) -> AsyncModbusTcpClient:
        if self._client is None or not self._client.connected:
            await self.close()
            self._client = AsyncModbusTcpClient(
                self._table.host,
                port=self._table.port,
                framer=FRAMERS[self._table.framing],
                timeout=self._table.timeout_s,
                retries=1,
                reconnect_delay=0,  # reaching the device again is the agent's task
            )
            if not await self._client.connect():
                raise DeviceDown(f"{self._address}: no connection")
        return self._client

    async def _read_points(self, client: AsyncModbusTcpClient) -> list[Reading]:
        """All points of one scan of the PLC.

        Blocks are read one by one, and the PLC may scan in between. Its clock, read with the first
        block and again behind the last, tells: then all are read once more, so that a value never
        gets the time of another scan.
        """
        due = [
            block
            for every, blocks in self._classes.items()
            if self._turn % every == 0
            for block in blocks
        ]
        for _attempt in range(_CLOCK_ATTEMPTS):
            answers = [(block, await self._read(client, block)) for block in due]
            ts_ms = self._time(answers)
            if len(due) == 1 or await self._still(client, ts_ms):
                break
        self._turn += 1
        return [
            _reading(point, words, block.start, ts_ms)
            for block, words in answers
            for point in block.points
            if point is not self._clock
        ]

    def _time(self, answers: Sequence[tuple[Block, Words | None]]) -> int:
        """When the PLC scanned what is in *answers*."""
        clock = self._clock
        if clock is None:
            return _utc_ms()
        block, words = answers[0]
        if words is None:
            raise DeviceDown(f"{self._address}: refuses its clock at {clock.address}")
        ts_ms = int(clock.raw(words, block.start))
        self._clock_ahead_ms = ts_ms - _utc_ms()
        return ts_ms

    async def _still(self, client: AsyncModbusTcpClient, ts_ms: int) -> bool:
        """Whether the PLC has not scanned again."""
        if (clock := self._clock) is None:
            return True
        block = Block(clock.table, clock.address, clock.type.width, (clock,))
        return int(clock.raw(await self._must_read(client, block), block.start)) == ts_ms

    async def _read(self, client: AsyncModbusTcpClient, block: Block) -> Words | None:
        """The block's words (or bits); None if the device refuses these addresses."""
        answer: ModbusPDU = await REQUESTS[block.table](
            client, block.start, count=block.count, device_id=self._table.unit_id
        )
        if answer.isError():
            if answer.exception_code in REFUSALS:
                return None
            raise DeviceDown(f"{self._address}: exception code {answer.exception_code}")
        words: Words = answer.bits if block.table.of_bits else answer.registers
        if len(words) < block.count:
            raise DeviceDown(f"{self._address}: {len(words)} of {block.count} words came back")
        return words

    async def _read_logs(self, client: AsyncModbusTcpClient, readings: list[Reading]) -> Scan:
        events: list[Reading] = []
        marks: dict[str, int] = {}
        lost = 0
        for log in self._logs:
            mark = f"{self.device}/{log.name}"
            known = self._marks.get(mark)
            head = await self._head(client, log)
            # A head behind the mark: the PLC numbers anew, and all that it has is new.
            seen = known if known is not None and known <= head else 0
            fresh = await self._entries(client, log, max(seen, head - log.entries), head)
            kept = [event for entry in fresh if (event := _event(log, entry)) is not None]
            events += kept
            marks[mark] = fresh[-1].number if fresh else seen
            if known is not None:  # what was overwritten before we ever came is not ours to count
                lost += marks[mark] - seen - len(kept)
        self._marks = marks
        return Scan(readings, events, self._quiet(), marks, lost)

    def _quiet(self) -> list[Reading]:
        """Between two whole seconds, where no event of a log can stand."""
        ts_ms = self.now_ms() // 1000 * 1000 + 1
        return [Reading(path, ts_ms, 0.0) for log in self._logs for path in log.paths]

    async def _head(self, client: AsyncModbusTcpClient, log: EventLog) -> int:
        words = await self._must_read(client, Block(log.table, log.head, 2, ()))
        return (words[0] << 16) | words[1]

    async def _entries(
        self, client: AsyncModbusTcpClient, log: EventLog, seen: int, head: int
    ) -> list[Entry]:
        """The entries behind number *seen*, oldest first.

        An entry overwritten while we read carries a later number and is left out; one whose number
        is not written yet ends the list, and the next scan finds it.
        """
        entries: list[Entry] = []
        expected = seen
        for address, count in log.spans(seen + 1, head):
            words = await self._must_read(client, Block(log.table, address, count, ()))
            for entry in log.parse(words):
                expected += 1
                if entry.number < expected:
                    return entries
                if entry.number == expected:
                    entries.append(entry)
        return entries

    async def _must_read(self, client: AsyncModbusTcpClient, block: Block) -> Words:
        words = await self._read(client, block)
        if words is None:
            raise DeviceDown(f"{self._address}: refuses {block.table} registers at {block.start}")
        return words


def _classes(device: ModbusDevice) -> Mapping[int, Sequence[Block]]:
    """What is read with each scan, each second one and so on; the clock comes first of all."""
    clock = () if device.clock is None else (device.clock,)
    points = {every: [p for p in device.points if p.every == every] for every in _paces(device)}
    gap = device.table.max_gap
    return {
        every: sorted(
            plan([*some, *(clock if every == 1 else ())], gap),
            key=lambda block: device.clock not in block.points,
        )
        for every, some in points.items()
    }


def _paces(device: ModbusDevice) -> Sequence[int]:
    """1, which the clock is read with, and what else the points say."""
    return sorted({1, *(point.every for point in device.points)})


def _reading(point: Point, words: Words | None, start: int, ts_ms: int) -> Reading:
    """The reading of *point*; bad without a value where there is none, or it is no number."""
    value = math.nan if words is None else point.value(words, start)
    if math.isfinite(value):
        return Reading(point.path, ts_ms, value)
    return Reading(point.path, ts_ms, None, Quality.BAD)


def _event(log: EventLog, entry: Entry) -> Reading | None:
    """The event as a reading; None if its place or amount makes no sense."""
    if entry.place >= len(log.paths) or not math.isfinite(entry.amount):
        return None
    return Reading(log.paths[entry.place], entry.time_s * 1000, entry.amount)


def _utc_ms() -> int:
    return time.time_ns() // 1_000_000
