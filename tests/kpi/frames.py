"""Small frames for tests, and Hypothesis strategies for awkward ones."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
from hypothesis import settings
from hypothesis import strategies as st

from kpi.frames import READINGS, TAGS
from schemas.plant.model import Tag
from schemas.quality import Quality

START = datetime(2026, 1, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)

PROPERTY = settings(max_examples=60, deadline=None)
"""A summary of a few rows takes 8 ms, most of it planning."""

Row = tuple[float, float | None, int]
"""Seconds since START, value, quality."""


def at(seconds: float) -> datetime:
    """The instant so many *seconds* after START."""
    return START + timedelta(seconds=seconds)


def readings(rows: Iterable[Row | tuple[float, float | None]], tag_id: int = 1) -> pl.DataFrame:
    """A frame of readings of one tag; good where the row names no quality."""
    full = [(tag_id, at(row[0]), row[1], row[2] if len(row) > 2 else 192) for row in rows]
    return pl.DataFrame(full, schema=dict(READINGS), orient="row")


def tags(
    kind: str = "gauge",
    interpolation: str = "step",
    *,
    stale_after_s: float = 1e9,
    modulus: float | None = None,
    max_rate: float | None = None,
    tag_id: int = 1,
) -> pl.DataFrame:
    """A frame of one tag."""
    row = (tag_id, kind, interpolation, stale_after_s, modulus, max_rate)
    return pl.DataFrame([row], schema=dict(TAGS), orient="row")


def tags_of(plant_tags: Mapping[int, Tag]) -> pl.DataFrame:
    """The frame of the tags of a plant, by id."""
    return pl.concat(
        tags(
            tag.kind,
            tag.interpolation,
            stale_after_s=tag.stale_after_s,
            modulus=tag.modulus,
            max_rate=tag.max_rate,
            tag_id=tag_id,
        )
        for tag_id, tag in plant_tags.items()
    )


def only(frame: pl.DataFrame) -> dict[str, Any]:
    """The one row of *frame*."""
    return frame.row(0, named=True) if frame.height == 1 else {}


TAG = st.builds(
    tags,
    kind=st.sampled_from(["gauge", "gauge", "counter", "state", "event"]),
    interpolation=st.sampled_from(["step", "linear"]),
    stale_after_s=st.sampled_from([1.0, 7.5, 60.0, 100.0, 3600.0]),
    modulus=st.sampled_from([None, 1000.0]),
    max_rate=st.sampled_from([None, None, 60.0, 1e7]),
)

_VALUES = st.one_of(
    st.sampled_from([0.0, 0.0, 1.0, 0.1, -3.7, 1e9, 1e-9]),
    st.floats(-1e6, 1e6),
    st.sampled_from([None, float("nan"), float("inf")]),
)
_QUALITIES = st.sampled_from(
    [192, 192, 192, 216, Quality.UNCERTAIN, 68, Quality.BAD, 24, 128, Quality.STALE]
)


@st.composite
def rows(draw: st.DrawFn, until_s: float = 600.0) -> list[Row]:
    """Readings of one tag from -100 s on: irregular, on edges, with gaps and bad points."""
    milliseconds = draw(
        st.sets(
            st.one_of(
                st.integers(-100_000, int(until_s * 1000)),
                st.integers(-1, int(until_s) // 60).map(lambda minute: minute * 60_000),
                st.integers(0, 20).map(lambda second: second * 1000 + 1),
            ),
            max_size=40,
        )
    )
    return [(ms / 1000, draw(_VALUES), draw(_QUALITIES)) for ms in sorted(milliseconds)]
