"""SunSpec models: what a device's registers mean, by the definitions that pysunspec2 ships.

Source: SunSpec Device Information Model Specification: a chain of models behind the marker "SunS",
each with its number and length, until number 65535. Each type has a value that means "not
implemented"; a number is ``raw * 10 ** scale factor``.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final, Protocol, cast

from sunspec2 import device as definitions
from sunspec2.mdef import ModelDefinitionError

from edge.sources.sunspec.table import Place

#: "SunS", as registers.
MARKER: Final = (0x5375, 0x6E53)
END: Final = 0xFFFF
#: Scale factors are powers of ten within these bounds.
_MOST_SCALE: Final = 10


class _Point(Protocol):
    """A point of the library, as far as it is used here."""

    offset: int
    """Registers from the start of the model."""
    len: int
    value: object
    sf: str | None
    sf_value: int | None
    sf_required: bool

    def set_mb(self, data: bytes) -> int: ...


class _Group(Protocol):
    """A group of points, or a model, which is one."""

    points: Mapping[str, _Point]
    groups: Mapping[str, "_Group | Sequence[_Group]"]


class Model:
    """One model of one device: its registers begin at *address* with its number and its length."""

    def __init__(self, number: int, address: int, length: int) -> None:
        self.number = number
        self.address = address
        self.count = length + 2
        self._top: _Group | None = None

    def load(self, data: bytes) -> None:
        """Know the points, from all of the model's registers: counts of groups stand among them.

        A number that SunSpec does not define (a maker's own, from 64000 on) has no points.
        """
        try:
            definition = definitions.get_model_def(self.number)
        except ModelDefinitionError:
            return
        # Any: the library has neither stubs nor annotations.
        made: Any = definitions.Model(
            self.number, model_len=self.count - 2, model_def=definition, data=data
        )
        self._top = cast("_Group", made)

    def value(self, place: Place, data: bytes) -> float | None:
        """What stands at *place* in *data*, all of the model's registers; None where nothing does.

        Nothing does where the point is not there or not implemented, its scale factor is not, or it
        is no number.
        """
        found = self._find(place.point)
        if found is None:
            return None
        group, point = found
        raw = _raw(point, data)
        if raw is None:
            return None
        if place.bit is not None:
            return float(int(raw) >> place.bit & 1)
        exponent = self._exponent(group, point, data)
        return None if exponent is None else _scaled(raw, exponent)

    def _find(self, name: str) -> tuple[_Group, _Point] | None:
        """The point called *name*, and its group: ``W``, or ``module.2.DCW`` of the second one."""
        group = self._top
        *path, last = name.split(".")
        for step, number in zip(path[::2], path[1::2], strict=False):
            inner = group.groups.get(step) if group is not None else None
            if not isinstance(inner, Sequence) or not number.isdecimal():
                return None
            group = inner[int(number) - 1] if 0 < int(number) <= len(inner) else None
        if group is None or last not in group.points:
            return None
        return group, group.points[last]

    def _exponent(self, group: _Group, point: _Point, data: bytes) -> int | None:
        """The scale factor of *point*; None where the device leaves it out."""
        if not point.sf_required:
            return 0
        if point.sf is None:
            return point.sf_value
        assert self._top is not None  # noqa: S101 - a point was found in it
        factor = group.points.get(point.sf) or self._top.points.get(point.sf)
        exponent = None if factor is None else _raw(factor, data)
        if exponent is None or abs(exponent) > _MOST_SCALE:
            return None
        return int(exponent)


def _raw(point: _Point, data: bytes) -> float | None:
    point.set_mb(data[point.offset * 2 : (point.offset + point.len) * 2])
    return float(point.value) if isinstance(point.value, int | float) else None


def _scaled(raw: float, exponent: int) -> float:
    """Rounded to what the device can say: 2301 at -1 is 230.1, not 230.10000000000002."""
    return round(raw * 10.0**exponent, max(0, -exponent)) if exponent else raw
