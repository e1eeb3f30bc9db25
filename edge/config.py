"""The agent's file: which device stands where, and what its registers mean.

docs/architecture.md shows every key of an agent that scans devices. Unit, kind, deadband and
``stale_after_s`` of a tag come from the plant model; what stands here may only narrow them.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Annotated, Final, TypeVar, get_args

from pydantic import BaseModel, Field

from edge.address_list import with_tags
from edge.birth import check_birth
from edge.sources.device import Device, Id, Section, SourceSection, measured_tag, rule_of
from edge.sources.http.table import HttpTable
from edge.sources.iec104.table import Iec104Table
from edge.sources.modbus.table import ModbusTable
from edge.sources.opcua.table import OpcUaTable
from edge.sources.s7.table import S7Table
from edge.sources.sunspec.table import SunSpecTable
from edge.watch import Link
from schemas.document import read_document
from schemas.errors import ConfigError
from schemas.plant.file import load_plant
from schemas.plant.model import Plant
from schemas.reading import Kind

SourceTable = Annotated[
    ModbusTable | OpcUaTable | S7Table | SunSpecTable | Iec104Table | HttpTable,
    Field(discriminator="type"),
]
#: Every type of source that a file may have.
SOURCE_TABLES: Final[Sequence[type[SourceSection]]] = get_args(get_args(SourceTable)[0])


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


class EdgeFile(Section):
    """The whole file of an agent that scans."""

    plant: str
    node: NodeTable
    spool: SpoolTable = SpoolTable()
    delivery: DeliveryTable = DeliveryTable()
    source: list[SourceTable] = Field(min_length=1)


@dataclass(frozen=True, slots=True)
class EdgeConfig:
    """What an agent does: the file, resolved against its plant model."""

    node: NodeTable
    spool: SpoolTable
    delivery: DeliveryTable
    plant: Plant
    devices: Sequence[Device]
    links: Mapping[str, Link]


File = TypeVar("File", bound=BaseModel)


def load_config(path: Path, addresses: Mapping[str, tuple[str, int]] | None = None) -> EdgeConfig:
    """Read the agent's file at *path*.

    ``addresses`` overrides host and port by device, as ``--source`` does.

    Raises
    ------
    ConfigError
        No such file, an unknown key, a tag that the plant does not have, registers that overlap
        the end of the table, a device or tag listed twice, more tags than a birth can tell.
    """
    file = read_document(path, EdgeFile)
    plant = beside(path, file.plant)
    addresses = dict(addresses or {})
    if unknown := addresses.keys() - {source.device for source in file.source}:
        known = ", ".join(source.device for source in file.source)
        raise ConfigError("--source", min(unknown), f"{path.name} has the devices {known}")
    devices = [
        with_tags(_moved(table, addresses), path.parent).resolve(
            plant, f"{path.name}: source.{number}"
        )
        for number, table in enumerate(file.source)
    ]
    _check_unique(path.name, "source.device", (device.device for device in devices))
    links = dict(_links(file.source, plant, path.name))
    paths = chain((link.path for link in links.values()), *(each.paths for each in devices))
    _check_unique(path.name, "tag", paths)
    for device in devices:
        check_birth(path.name, device.device, device.paths)
    return EdgeConfig(file.node, file.spool, file.delivery, plant, devices, links)


def beside(config: Path, plant: str) -> Plant:
    """The plant model that *config* names, relative to it."""
    return load_plant(config.parent / plant)


def _links(
    tables: Sequence[SourceSection], plant: Plant, origin: str
) -> Iterator[tuple[str, Link]]:
    """The tags that say whether devices answer, by device."""
    for number, table in enumerate(tables):
        if table.connected is None:
            continue
        key = f"{origin}: source.{number}.connected"
        tag = measured_tag(plant, table.connected, key)
        if tag.kind is not Kind.STATE:
            right = f"its kind is {tag.kind}; whether a device answers is a state"
            raise ConfigError(key, table.connected, right)
        yield table.device, Link(tag.path, rule_of(tag))


def _moved(table: SourceSection, addresses: Mapping[str, tuple[str, int]]) -> SourceSection:
    address = addresses.get(table.device)
    return table if address is None else table.moved(*address)


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
