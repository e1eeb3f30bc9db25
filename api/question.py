"""What is asked of history, and the shape of what every mode answers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

import polars as pl
from pydantic import Field

from api.cursor import Key
from api.parameters import AskedTable, TagPaths
from api.span import Span
from api.stream import Frames
from kpi.calendar import Calendar
from kpi.part13.names import Aggregate
from schemas.db.catalogue import Catalogue
from schemas.errors import RequestError
from schemas.plant.model import Tag

PIXELS: Final = 1_000


class Mode(StrEnum):
    """What a row is: a reading, a text, a value at an instant, a bucket, or a pixel of a chart."""

    RAW = "raw"
    TEXT = "text"
    INTERPOLATED = "interpolated"
    SUMMARY = "summary"
    PLOT = "plot"


class AskedHistory(AskedTable):
    """Which history."""

    tag: TagPaths = Field(min_length=1)
    mode: Mode = Mode.RAW
    at: list[str] = Field(
        default=[],
        max_length=10_000,
        description="mode interpolated: the instants, as from= has them; they take the place of "
        "from, to and every",
        examples=[["2026-11-21T09:00:05Z"]],
    )
    aggregate: list[str] = Field(
        default=[],
        max_length=50,
        description="mode summary: some columns of a summary, such as mean, and aggregates of OPC "
        f"UA Part 13 by name: {', '.join(Aggregate)}",
        examples=[["mean", "max"]],
    )
    pixels: int = Field(
        default=PIXELS, ge=1, le=20_000, description="mode plot: the width of the chart"
    )
    unit: str | None = Field(
        default=None,
        description="converts values from the unit of each tag, as Pint writes units: kW, degF",
        examples=["mV"],
    )


#: Parameters that only some modes know, and what to say in another one.
_OF_MODES: Final[Mapping[str, tuple[frozenset[Mode], str]]] = {
    "every": (
        frozenset({Mode.SUMMARY, Mode.INTERPOLATED}),
        "readings and pixels have no buckets: mode=summary has",
    ),
    "at": (frozenset({Mode.INTERPOLATED}), "use it with mode=interpolated"),
    "aggregate": (frozenset({Mode.SUMMARY}), "use it with mode=summary"),
    "pixels": (frozenset({Mode.PLOT}), "use it with mode=plot"),
    "unit": (frozenset(Mode) - {Mode.TEXT}, "text has no unit"),
}


def check_modes(asked: AskedHistory) -> None:
    """`RequestError` for a parameter that the mode of *asked* does not know."""
    for name, (modes, right) in _OF_MODES.items():
        value = getattr(asked, name)
        if asked.mode not in modes and value != AskedHistory.model_fields[name].default:
            raise RequestError(name, value, right)


@dataclass(frozen=True, slots=True)
class Question:
    """One page of history: ``asked`` with its tags by id, its span, and where the page begins.

    ``at`` are the instants that are asked for, in order; without any, all of the span is.
    """

    asked: AskedHistory
    catalogue: Catalogue
    tags: Mapping[int, Tag]
    calendar: Calendar
    span: Span
    first: Key | None
    at: Sequence[datetime] = ()

    @property
    def tag_ids(self) -> Sequence[int]:
        """In the order of the catalogue."""
        return list(self.tags)


class Scale(StrEnum):
    """How a column follows the unit of its tag."""

    POINT = "point"  # a value: 0 degC is 32 degF
    DIFFERENCE = "difference"  # 1 degC is 1.8 degF
    SQUARE = "square"  # a variance
    INTEGRAL = "integral"  # of the value over covered time


@dataclass(frozen=True, slots=True)
class Rows:
    """What a mode answers: its columns after ``tag``, the key behind the last row, and the rows.

    The rows have ``tag_id`` and the columns; ``scales`` are those of the columns with a unit.
    """

    columns: Mapping[str, pl.DataType]
    scales: Mapping[str, Scale]
    following: Key | None
    frames: Frames
