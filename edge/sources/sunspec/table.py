"""``[[source]]`` of type sunspec: one inverter, meter or battery, and its points that are tags."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from pydantic import Field, field_validator

from edge.exception import Rule
from edge.source import Source
from edge.sources.device import Device, SourceSection, TagSection, abreast, each_tag, extra
from schemas.plant.model import Plant

#: Models that say the same with the same points: single, split and three phase; integers, floats.
FAMILIES: Final[Mapping[str, Sequence[int]]] = {
    "inverter": (101, 102, 103, 111, 112, 113),
    "meter": (201, 202, 203, 204, 211, 212, 213, 214),
}
_POINT = r"^[A-Za-z][\w.{}]*$"


class TagTable(TagSection):
    """``[[source.tag]]``: one point, or a range of them."""

    model: int | str = Field(description="number, or a family")
    instance: int = Field(default=1, gt=0, description="of the models with that number")
    point: str = Field(
        pattern=_POINT, description="as the model names it; module.2.DCW is of the second module"
    )
    bit: int | None = Field(default=None, ge=0, le=31, description="of a bit field")
    scale: float = 1.0
    offset: float = 0.0

    @field_validator("model")
    @classmethod
    def _check_family(cls, model: int | str) -> int | str:
        if isinstance(model, str) and model not in FAMILIES:
            raise ValueError(f"a model has a number, or is of a family: {', '.join(FAMILIES)}")
        return model


class SunSpecTable(SourceSection):
    """``[[source]]`` of type sunspec: one device on Modbus TCP whose map is SunSpec's."""

    type: Literal["sunspec"]
    host: str
    port: int = Field(default=502, gt=0, lt=65536)
    unit_id: int = Field(default=1, ge=0, le=255)
    base_address: int | None = Field(
        default=None, ge=0, le=65533, description="where SunS stands; 40000, 50000 or 0 are tried"
    )
    scan_s: float = Field(default=1.0, gt=0)
    timeout_s: float = Field(default=2.0, gt=0)
    tag: tuple[TagTable, ...] = ()

    def resolve(self, plant: Plant, key: str) -> "SunSpecDevice":
        """See `edge.sources.device.SourceSection`."""
        rules: dict[str, Rule] = {}
        places: list[Place] = []
        for given, paths, where in each_tag(self.tag, plant, key, rules):
            wanted = FAMILIES[given.model] if isinstance(given.model, str) else (given.model,)
            places += [
                Place(path, wanted, given.instance, point, given.bit, given.scale, given.offset)
                for path, point in zip(
                    paths, abreast(given.point, paths, f"{where}.point"), strict=True
                )
            ]
        return SunSpecDevice(self.device, rules, self, places)


@dataclass(frozen=True, slots=True)
class Place:
    """A point that is a tag: ``value = number * scale + offset`` [unit of the tag].

    The number is in the unit of the model: the device's own scale factor is in it.
    """

    path: str
    models: Sequence[int]
    instance: int
    point: str
    bit: int | None = None
    scale: float = 1.0
    offset: float = 0.0


@dataclass(frozen=True, slots=True)
class SunSpecDevice(Device):
    """One device with everything that is read from it."""

    table: SunSpecTable
    places: Sequence[Place]

    def place(self, path: str) -> str:
        """See `edge.sources.device.Device`: model and point."""
        one = next(place for place in self.places if place.path == path)
        return f"{'/'.join(map(str, one.models))} {one.point}"

    def open(self, marks: Mapping[str, int]) -> Source:  # noqa: ARG002 - nothing to go on from
        """See `edge.sources.device.Device`."""
        with extra("edge-sunspec", "sunspec"):
            from edge.sources.sunspec.source import SunSpecSource  # noqa: PLC0415 - an extra
        return SunSpecSource(self)
