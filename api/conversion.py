"""Values in another unit than their tag's, with the dimensions checked."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

import pint
import polars as pl

from api.question import Scale
from kpi.units import registry
from schemas.errors import RequestError
from schemas.plant.model import Tag

_TERM: Final = r"(?:1|[^\W\d]\w{0,30}(?:(?:\^|\*\*)-?\d)?)"
#: Pint computes what it reads: m**9**9**9 would keep it busy for ever.
_GRAMMAR: Final = re.compile(rf"{_TERM}(?: ?[*/] ?{_TERM}){{0,9}}")


@dataclass(frozen=True, slots=True)
class Conversion:
    """``wanted = factor * found + offset``."""

    factor: float
    offset: float


def conversions(tags: Mapping[int, Tag], unit: str) -> dict[int, Conversion]:
    """The way from the unit of each tag to *unit*, by tag id.

    Raises
    ------
    RequestError
        *unit* is none, or has other dimensions than one of the tags.
    """
    wanted = _unit(unit)
    each = {known: _way(known, wanted) for known in {tag.unit for tag in tags.values()}}
    for tag in tags.values():
        if each[tag.unit] is None:
            raise RequestError("unit", unit, f"{tag.path} is in {tag.unit}, which is no {unit}")
    return {id_: way for id_, tag in tags.items() if (way := each[tag.unit]) is not None}


def _unit(text: str) -> pint.Unit:
    if not _GRAMMAR.fullmatch(text):
        raise RequestError("unit", text, "write a unit as Pint does: kW, degF, kg/m^3, V*s")
    try:
        return registry().parse_units(text)
    except pint.PintError as error:
        raise RequestError("unit", text, f"no unit that Pint knows ({error})") from error


def _way(known: str, wanted: pint.Unit) -> Conversion | None:
    have = registry().parse_units(known)
    if have.dimensionality != wanted.dimensionality:
        return None
    zero, one = (registry().Quantity(value, have).to(wanted).magnitude for value in (0.0, 1.0))
    # The difference of two points: pint refuses factors of units with an offset.
    return Conversion(float(f"{one - zero:.15g}"), float(zero))


def converted(
    frame: pl.DataFrame, scales: Mapping[str, Scale], ways: Mapping[int, Conversion]
) -> pl.DataFrame:
    """*frame* with the columns of *scales* in the other unit.

    An integral needs ``coverage``, ``start`` and ``end`` beside it where zero points differ.
    """
    factor, offset = (_of_tag(ways, name) for name in ("factor", "offset"))
    seconds = (pl.col("end") - pl.col("start")).dt.total_microseconds() / 1e6
    expressions = []
    for name, scale in scales.items():
        column = pl.col(name)
        match scale:
            case Scale.POINT:
                column = column * factor + offset
            case Scale.DIFFERENCE:
                column = column * factor
            case Scale.SQUARE:
                column = column * factor * factor
            case Scale.INTEGRAL if _moves(ways.values()):
                column = column * factor + offset * pl.col("coverage") * seconds
            case Scale.INTEGRAL:
                column = column * factor
        expressions.append(column.alias(name))
    return frame.with_columns(expressions)


def _of_tag(ways: Mapping[int, Conversion], name: str) -> pl.Expr:
    each = {tag_id: getattr(way, name) for tag_id, way in ways.items()}
    if len(different := set(each.values())) == 1:
        return pl.lit(different.pop())
    return pl.col("tag_id").replace_strict(each, return_dtype=pl.Float64)


def _moves(ways: Iterable[Conversion]) -> bool:
    return any(way.offset for way in ways)


def check_totals(ways: Mapping[int, Conversion], names: Iterable[str]) -> None:
    """`RequestError` if *names* are sums over time and the units have different zeros."""
    if (named := list(names)) and _moves(ways.values()):
        right = "a total over time has no other zero: leave unit= out, or ask for integral"
        raise RequestError("aggregate", named[0], right)
