"""``[[source]]`` of type iec104: one station on IEC 60870-5-104, and its points that are tags."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, model_validator

from edge.exception import Rule
from edge.source import Source
from edge.sources.device import Device, SourceSection, TagSection, each_tag, extra
from schemas.errors import ConfigError
from schemas.plant.model import Plant

#: A point: common address of its station, and address of its information object.
Place = tuple[int, int]


class TagTable(TagSection):
    """``[[source.tag]]``: one point, or a range of them at equal distances."""

    ioa: int = Field(ge=1, lt=1 << 24, description="information object address")
    stride: int = Field(default=1, gt=0, description="to the next of the range")
    common_address: int | None = Field(default=None, ge=1, lt=65535, description="the source's")
    scale: float = 1.0
    offset: float = 0.0


class Iec104Table(SourceSection):
    """``[[source]]`` of type iec104: one link to a station."""

    type: Literal["iec104"]
    host: str
    port: int = Field(default=2404, gt=0, lt=65536)
    common_address: int = Field(default=1, ge=1, lt=65535)
    interrogate_s: float = Field(
        default=600.0,
        ge=0,
        description="general interrogation this often [s]; 0: at connect",
    )
    keep_alive_s: int = Field(default=20, gt=0, description="t3: a silent link is tested [s]")
    timeout_s: int = Field(default=15, gt=0, description="t0 and t1: connect, answer [s]")
    time_zone: str = Field(default="UTC", description="of the times that the station sends")
    tag: tuple[TagTable, ...] = ()

    @model_validator(mode="after")
    def _check_zone(self) -> Self:
        try:
            ZoneInfo(self.time_zone)
        except (ZoneInfoNotFoundError, ValueError) as unknown:
            raise ValueError(f"no time zone {self.time_zone!r}; Asia/Almaty is one") from unknown
        return self

    def resolve(self, plant: Plant, key: str) -> "Iec104Device":
        """See `edge.sources.device.SourceSection`; a point is one tag."""
        rules: dict[str, Rule] = {}
        points: dict[Place, Point] = {}
        for given, paths, where in each_tag(self.tag, plant, key, rules):
            station = given.common_address or self.common_address
            for number, path in enumerate(paths):
                place = (station, given.ioa + number * given.stride)
                if place in points:
                    right = f"it is {points[place].path} already; a point is one tag"
                    raise ConfigError(f"{where}.ioa", place[1], right)
                points[place] = Point(path, given.scale, given.offset)
        return Iec104Device(self.device, rules, self, points)


@dataclass(frozen=True, slots=True)
class Point:
    """What becomes of a point: ``value = number * scale + offset`` [unit of the tag]."""

    path: str
    scale: float = 1.0
    offset: float = 0.0


@dataclass(frozen=True, slots=True)
class Iec104Device(Device):
    """One link with everything that is taken from it."""

    table: Iec104Table
    points: Mapping[Place, Point]

    def place(self, path: str) -> str:
        """See `edge.sources.device.Device`: common address and information object address."""
        station, ioa = next(place for place, one in self.points.items() if one.path == path)
        return f"{station}/{ioa}"

    def open(self, marks: Mapping[str, int]) -> Source:  # noqa: ARG002 - nothing to go on from
        """See `edge.sources.device.Device`."""
        with extra("edge-iec104", "iec104"):
            from edge.sources.iec104.source import Iec104Source  # noqa: PLC0415 - an extra
        return Iec104Source(self)
