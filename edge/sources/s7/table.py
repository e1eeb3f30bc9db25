"""``[[source]]`` of type s7: one Siemens S7 CPU, and the variables that are tags."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from pydantic import Field

from edge.exception import Rule
from edge.source import Source
from edge.sources.device import Device, SourceSection, TagSection, each_tag, extra
from edge.sources.s7.address import Address, S7Type, Variable
from schemas.errors import ConfigError
from schemas.plant.model import Plant


class TagTable(TagSection):
    """``[[source.tag]]``: one variable, or a range of them at equal distances."""

    address: str
    type: S7Type
    stride: int | None = Field(
        default=None, gt=0, description="to the next of the range, bytes; of BOOL, bits"
    )
    scale: float = 1.0
    offset: float = 0.0


class S7Table(SourceSection):
    """``[[source]]`` of type s7: one CPU."""

    type: Literal["s7"]
    host: str
    port: int = Field(default=102, gt=0, lt=65536)
    rack: int = Field(default=0, ge=0, le=7)
    slot: int = Field(default=1, ge=0, le=31, description="1 on S7-1200 and S7-1500, 2 on S7-300")
    scan_s: float = Field(default=1.0, gt=0)
    timeout_s: float = Field(default=2.0, gt=0)
    max_gap: int = Field(
        default=16, ge=0, le=200, description="bytes that nobody asked for, read over by a request"
    )
    tag: tuple[TagTable, ...] = ()

    def resolve(self, plant: Plant, key: str) -> "S7Device":
        """See `edge.sources.device.SourceSection`."""
        rules: dict[str, Rule] = {}
        variables: list[Variable] = []
        for given, paths, where in each_tag(self.tag, plant, key, rules):
            first = _address(given, where)
            stride = given.stride or (1 if given.type is S7Type.BOOL else given.type.size)
            variables += [
                Variable(path, first.moved(place * stride), given.type, given.scale, given.offset)
                for place, path in enumerate(paths)
            ]
        return S7Device(self.device, rules, self, variables)


@dataclass(frozen=True, slots=True)
class S7Device(Device):
    """One CPU with everything that is read from it."""

    table: S7Table
    variables: Sequence[Variable]

    def place(self, path: str) -> str:
        """See `edge.sources.device.Device`: the address."""
        return next(str(one.address) for one in self.variables if one.path == path)

    def open(self, marks: Mapping[str, int]) -> Source:  # noqa: ARG002 - nothing to go on from
        """See `edge.sources.device.Device`."""
        with extra("edge-s7", "s7"):
            from edge.sources.s7.source import S7Source  # noqa: PLC0415 - an extra
        return S7Source(self)


def _address(given: TagTable, key: str) -> Address:
    try:
        address = Address.parse(given.address)
    except ValueError as fault:
        right = "write DB10.DBD4, DB10.DBX4.3, MW20, I0.7 or Q1.0"
        raise ConfigError(f"{key}.address", given.address, right) from fault
    if (address.bit is not None) is not (given.type is S7Type.BOOL):
        right = "a BOOL has a bit, DB10.DBX4.3 for instance; nothing else has"
        raise ConfigError(f"{key}.address", given.address, right)
    least = 1 if given.type is S7Type.BOOL else given.type.size
    if given.stride is not None and given.stride < least:
        raise ConfigError(f"{key}.stride", given.stride, f"one {given.type} takes {least} bytes")
    return address
