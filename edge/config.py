"""The agent's file: which device stands where, and what its registers mean.

docs/architecture.md shows every key of an agent that scans devices. Unit, kind, deadband and
``stale_after_s`` of a tag come from the plant model; what stands here may only narrow them.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from edge.exception import Rule
from edge.registers import EventLog, Point, RegisterType, Table, WordOrder
from schemas.document import read_document
from schemas.errors import ConfigError, PlantError
from schemas.plant.file import expand, load_plant
from schemas.plant.model import Plant, Tag
from schemas.reading import Interpolation, Kind

Id = r"^[^/+#]+$"


class Section(BaseModel):
    """A table of the file: its keys are known, and fixed once read."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class NodeTable(Section):
    """``[node]``: who the agent is on the wire."""

    group: str = Field(pattern=Id)
    id: str = Field(pattern=Id)
    host: str | None = Field(default=None, pattern=Id, description="primary host application")


class SpoolTable(Section):
    """``[spool]``: how much is kept for a host that is away."""

    max_mb: float = Field(default=1024, gt=0, description="bound of the file [MB]")
    max_age_h: float = Field(default=720, gt=0, description="older frames are dropped [h]")


class DeliveryTable(Section):
    """``[delivery]``: how fast a backlog goes out, and how much of it unacknowledged."""

    replay_readings_per_s: float = Field(default=100_000, gt=0)
    window_frames: int = Field(default=256, gt=0)
    window_mb: float = Field(default=8, gt=0)
    ack_timeout_s: float = Field(default=10, gt=0)


class ClockTable(Section):
    """``clock``: where the PLC keeps the time of its scan, uint64 [ms]."""

    table: Literal[Table.INPUT, Table.HOLDING]
    address: int = Field(ge=0, le=65535 - 3)


class TagTable(Section):
    """``[[source.tag]]``: one tag, or a range of them at equal distances."""

    path: str
    table: Table
    address: int = Field(ge=0, le=65535)
    stride: int | None = Field(default=None, gt=0, description="to the next of the range")
    type: RegisterType = RegisterType.BOOL
    word_order: WordOrder = WordOrder.BIG
    scale: float = 1.0
    offset: float = 0.0
    deadband: float | None = Field(default=None, ge=0)
    max_silence_s: float | None = Field(default=None, ge=0)


class LogTable(Section):
    """``[[source.log]]``: a ring of events with running numbers."""

    path: str
    table: Literal[Table.INPUT, Table.HOLDING]
    head: int = Field(ge=0, le=65535 - 1)
    address: int = Field(ge=0, le=65535)
    entries: int = Field(gt=0, le=8192)


class ModbusTable(Section):
    """``[[source]]`` of type modbus: one PLC or meter on Modbus TCP."""

    type: Literal["modbus"]
    device: str = Field(pattern=Id)
    host: str
    port: int = Field(default=502, gt=0, lt=65536)
    unit_id: int = Field(default=1, ge=0, le=255)
    scan_s: float = Field(default=1.0, gt=0)
    timeout_s: float = Field(default=2.0, gt=0)
    max_gap: int = Field(
        default=0, ge=0, le=120, description="unused addresses that one request may read over"
    )
    clock: ClockTable | None = None
    tag: list[TagTable] = []
    log: list[LogTable] = []


class EdgeFile(Section):
    """The whole file of an agent that scans."""

    plant: str
    node: NodeTable
    spool: SpoolTable = SpoolTable()
    delivery: DeliveryTable = DeliveryTable()
    source: list[ModbusTable] = Field(min_length=1)


@dataclass(frozen=True, slots=True)
class ModbusDevice:
    """One PLC with everything that is read from it."""

    device: str
    host: str
    port: int
    unit_id: int
    period_s: float
    timeout_s: float
    max_gap: int
    clock: Point | None
    points: Sequence[Point]
    logs: Sequence[EventLog]
    rules: Mapping[str, Rule]

    @property
    def paths(self) -> Sequence[str]:
        """Every tag of the device, in the file's order."""
        return [point.path for point in self.points] + [
            path for log in self.logs for path in log.paths
        ]


@dataclass(frozen=True, slots=True)
class EdgeConfig:
    """What an agent does: the file, resolved against its plant model."""

    node: NodeTable
    spool: SpoolTable
    delivery: DeliveryTable
    plant: Plant
    devices: Sequence[ModbusDevice]


File = TypeVar("File", bound=BaseModel)


def load_config(path: Path, addresses: Mapping[str, tuple[str, int]] | None = None) -> EdgeConfig:
    """Read the agent's file at *path*.

    ``addresses`` overrides host and port by device, as ``--source`` does.

    Raises
    ------
    ConfigError
        No such file, an unknown key, a tag that the plant does not have, registers that overlap
        the end of the table, a device or tag listed twice.
    """
    file = read_document(path, EdgeFile)
    plant = beside(path, file.plant)
    addresses = dict(addresses or {})
    if unknown := addresses.keys() - {source.device for source in file.source}:
        known = ", ".join(source.device for source in file.source)
        raise ConfigError("--source", min(unknown), f"{path.name} has the devices {known}")
    devices = [
        _device(table, plant, f"{path.name}: source.{number}", addresses)
        for number, table in enumerate(file.source)
    ]
    _check_unique(path.name, "source.device", (device.device for device in devices))
    _check_unique(path.name, "tag", (tag for device in devices for tag in device.paths))
    return EdgeConfig(file.node, file.spool, file.delivery, plant, devices)


def beside(config: Path, plant: str) -> Plant:
    """The plant model that *config* names, relative to it."""
    return load_plant(config.parent / plant)


def measured_tag(plant: Plant, path: str, key: str) -> Tag:
    """The tag at *path* of the plant; one that is computed cannot be measured."""
    try:
        tag = plant.tag(path)
    except PlantError as unknown:
        raise ConfigError(key, path, unknown.right) from unknown
    if tag.derivation is not None:
        raise ConfigError(key, path, "it is computed from other tags; remove it here")
    return tag


def _device(
    table: ModbusTable, plant: Plant, key: str, addresses: Mapping[str, tuple[str, int]]
) -> ModbusDevice:
    host, port = addresses.get(table.device, (table.host, table.port))
    points: list[Point] = []
    rules: dict[str, Rule] = {}
    for number, given in enumerate(table.tag):
        where = f"{key}.tag.{number}"
        for point in _points(given, where):
            tag = measured_tag(plant, point.path, f"{where}.path")
            points.append(point)
            rules[point.path] = _rule(tag, given.deadband, given.max_silence_s)
    clock = None
    if table.clock is not None:
        clock = Point("", table.clock.table, table.clock.address, RegisterType.UINT64)
    logs = [_log(given, plant, f"{key}.log.{number}") for number, given in enumerate(table.log)]
    rules |= {path: _rule(plant.tag(path)) for log in logs for path in log.paths}
    return ModbusDevice(
        table.device,
        host,
        port,
        table.unit_id,
        table.scan_s,
        table.timeout_s,
        table.max_gap,
        clock,
        points,
        logs,
        rules,
    )


def _points(given: TagTable, key: str) -> Iterator[Point]:
    """The tags of one table, each at its address."""
    paths = expand(given.path)
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
    for place, path in enumerate(paths):
        yield Point(
            path,
            given.table,
            given.address + place * stride,
            given.type,
            given.word_order,
            given.scale,
            given.offset,
        )


def _rule(tag: Tag, deadband: float | None = None, max_silence_s: float | None = None) -> Rule:
    """A third of ``stale_after`` leaves room for a lost scan and a slow one."""
    silence_s = tag.stale_after_s / 3 if max_silence_s is None else max_silence_s
    deadband = tag.deadband if deadband is None else deadband
    linear = tag.interpolation is Interpolation.LINEAR
    return Rule(deadband, int(silence_s * 1000), linear)


def _log(given: LogTable, plant: Plant, key: str) -> EventLog:
    paths = expand(given.path)
    for path in paths:
        tag = measured_tag(plant, path, f"{key}.path")
        if tag.kind is not Kind.EVENT:
            raise ConfigError(f"{key}.path", path, f"its kind is {tag.kind}; a log holds events")
    log = EventLog(given.path, tuple(paths), given.table, given.head, given.address, given.entries)
    if log.end > 65536:
        raise ConfigError(f"{key}.entries", given.entries, f"the ring ends at {log.end} > 65536")
    return log


def _check_unique(origin: str, key: str, words: Iterator[str]) -> None:
    """No word twice, nor two that differ in case alone.

    Source: tck-id-case-sensitivity-sparkplug-ids, tck-id-case-sensitivity-metric-names.
    """
    seen: dict[str, str] = {}
    for word in words:
        if (known := seen.get(word.casefold())) is None:
            seen[word.casefold()] = word
            continue
        right = "it is listed twice; keep one"
        if known != word:
            right = f"it differs from {known!r} in case alone; rename one"
        raise ConfigError(f"{origin}: {key}", word, right)
