"""``[[source]]`` of type modbus: one PLC or meter, and what its registers mean."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from pydantic import Field

from edge.exception import Rule
from edge.source import Source
from edge.sources.device import (
    Device,
    Section,
    SourceSection,
    TagSection,
    add_rule,
    each_tag,
    measured_tag,
    rule_of,
)
from edge.sources.modbus.registers import (
    UNSIGNED,
    WRITABLE,
    ByteOrder,
    EventLog,
    Point,
    RegisterType,
    Table,
    WordOrder,
)
from schemas.errors import ConfigError
from schemas.plant.model import Plant
from schemas.plant.ranges import expand
from schemas.reading import Kind


class ClockTable(Section):
    """``clock``: where the PLC keeps the time of its scan, uint64 [ms]."""

    table: Literal[Table.INPUT, Table.HOLDING]
    address: int = Field(ge=0, le=65535 - 3)


class TagTable(TagSection):
    """``[[source.tag]]``: one tag, or a range of them at equal distances."""

    table: Table
    address: int = Field(ge=0, le=65535)
    stride: int | None = Field(default=None, gt=0, description="to the next of the range")
    type: RegisterType = RegisterType.BOOL
    word_order: WordOrder = WordOrder.BIG
    byte_order: ByteOrder = ByteOrder.BIG
    bit: int | None = Field(default=None, ge=0, le=63, description="0 is the lowest of the number")
    bits: tuple[int, int] | None = Field(default=None, description="lowest and highest of a field")
    scale: float = 1.0
    offset: float = 0.0
    every: int = Field(default=1, ge=1, description="read with each n-th scan alone")
    writable: bool = Field(default=False, description="may be written on command (DCMD)")


class LogTable(Section):
    """``[[source.log]]``: a ring of events with running numbers."""

    path: str
    table: Literal[Table.INPUT, Table.HOLDING]
    head: int = Field(ge=0, le=65535 - 1)
    address: int = Field(ge=0, le=65535)
    entries: int = Field(gt=0, le=8192)


class ModbusTable(SourceSection):
    """``[[source]]`` of type modbus: one PLC or meter on Modbus TCP or RTU over TCP."""

    type: Literal["modbus"]
    host: str
    port: int = Field(default=502, gt=0, lt=65536)
    framing: Literal["tcp", "rtu"] = Field(
        default="tcp", description="rtu: serial frames with a CRC, through a serial gateway"
    )
    unit_id: int = Field(default=1, ge=0, le=255)
    scan_s: float = Field(default=1.0, gt=0)
    timeout_s: float = Field(default=2.0, gt=0)
    max_gap: int = Field(
        default=0, ge=0, le=120, description="unused addresses that one request may read over"
    )
    clock: ClockTable | None = None
    tag: tuple[TagTable, ...] = ()
    log: tuple[LogTable, ...] = ()

    def resolve(self, plant: Plant, key: str) -> "ModbusDevice":
        """See `edge.sources.device.SourceSection`; registers must not pass the table's end."""
        points: list[Point] = []
        rules: dict[str, Rule] = {}
        for given, paths, where in each_tag(self.tag, plant, key, rules):
            points += _points(given, paths, where)
            period_s, stale_s = given.every * self.scan_s, plant.tag(paths[0]).stale_after_s
            if period_s > stale_s:
                right = f"read every {period_s:g} s it would be stale, after {stale_s:g} s"
                raise ConfigError(f"{where}.every", given.every, right)
        clock = None
        if self.clock is not None:
            clock = Point("", self.clock.table, self.clock.address, RegisterType.UINT64)
        logs = [
            _log(given, plant, f"{key}.log.{number}", rules)
            for number, given in enumerate(self.log)
        ]
        return ModbusDevice(self.device, rules, self, clock, points, logs)


@dataclass(frozen=True, slots=True)
class ModbusDevice(Device):
    """One PLC with everything that is read from it."""

    table: ModbusTable
    clock: Point | None
    points: Sequence[Point]
    logs: Sequence[EventLog]

    @property
    def writable(self) -> Sequence[str]:
        """See `edge.sources.device.Device`."""
        return [point.path for point in self.points if point.writable]

    def place(self, path: str) -> str:
        """See `edge.sources.device.Device`: table and address, as the file has them."""
        for point in self.points:
            if point.path == path:
                return f"{point.table} {point.address} {point.type}"
        log = next(log for log in self.logs if path in log.paths)
        return f"{log.table} {log.address} log"

    def open(self, marks: Mapping[str, int]) -> Source:
        """See `edge.sources.device.Device`."""
        from edge.sources.modbus.source import ModbusSource  # noqa: PLC0415 - an extra

        return ModbusSource(self, marks)


def _points(given: TagTable, paths: Sequence[str], key: str) -> Iterator[Point]:
    """The tags of one table, each at its address."""
    if given.table.of_bits and given.type is not RegisterType.BOOL:
        raise ConfigError(f"{key}.type", given.type.value, f"a {given.table} holds bool alone")
    if not given.table.of_bits and "type" not in given.model_fields_set:
        raise ConfigError(f"{key}.type", None, "say what the registers hold, float32 for instance")
    stride = given.stride or given.type.width
    if stride < given.type.width:
        raise ConfigError(
            f"{key}.stride", stride, f"a {given.type} takes {given.type.width} registers"
        )
    last = given.address + stride * (len(paths) - 1) + given.type.width - 1
    if last > 65535:
        raise ConfigError(f"{key}.address", given.address, f"its range ends at {last} > 65535")
    bits = _bits(given, key)
    if given.writable and (given.table not in WRITABLE or bits is not None or given.scale == 0):
        right = "holding registers and coils can be written, whole and with a scale"
        raise ConfigError(f"{key}.writable", "true", right)
    for place, path in enumerate(paths):
        yield Point(
            path,
            given.table,
            given.address + place * stride,
            given.type,
            given.word_order,
            given.scale,
            given.offset,
            given.byte_order,
            bits,
            given.writable,
            given.every,
        )


def _bits(given: TagTable, key: str) -> tuple[int, int] | None:
    """The field of bits that is the tag; None where the whole number is."""
    if given.bit is not None and given.bits is not None:
        raise ConfigError(f"{key}.bits", list(given.bits), "bit is given too; keep one")
    bits = given.bits if given.bit is None else (given.bit, given.bit)
    if bits is None:
        return None
    if given.type not in UNSIGNED:
        raise ConfigError(f"{key}.type", given.type.value, "bits are of uint16, uint32 or uint64")
    low, high = bits
    if not 0 <= low <= high < given.type.width * 16:
        raise ConfigError(
            f"{key}.bits",
            list(bits),
            f"the lowest first, within 0 to {given.type.width * 16 - 1} of a {given.type}",
        )
    return bits


def _log(given: LogTable, plant: Plant, key: str, rules: dict[str, Rule]) -> EventLog:
    paths = expand(given.path)
    for path in paths:
        tag = measured_tag(plant, path, f"{key}.path")
        if tag.kind is not Kind.EVENT:
            raise ConfigError(f"{key}.path", path, f"its kind is {tag.kind}; a log holds events")
        add_rule(rules, path, rule_of(tag), key)
    log = EventLog(given.path, tuple(paths), given.table, given.head, given.address, given.entries)
    if log.end > 65536:
        raise ConfigError(f"{key}.entries", given.entries, f"the ring ends at {log.end} > 65536")
    return log
