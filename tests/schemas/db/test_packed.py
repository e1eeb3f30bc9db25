"""Columns that are sent as one value each say what rows say."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from schemas.db.engine import connect
from schemas.db.frames import READINGS, FrameReader
from schemas.db.tables import reading, tag
from schemas.db.tiers import ensure_span
from schemas.errors import DefectError

START = datetime(1999, 12, 31, 23, 59, tzinfo=UTC)
READING = select(reading.c.tag_id, reading.c.ts, reading.c.value, reading.c.quality)
KEY = [reading.c.tag_id, reading.c.ts]

keys = st.tuples(st.integers(1, 2**31 - 1), st.integers(0, 120_000_000))
values = st.none() | st.floats(allow_nan=False)
qualities = st.integers(-(2**15), 2**15 - 1)


@pytest.fixture
def reader(database: str) -> Iterator[FrameReader]:
    """A reader of the test's database, which has readings around the turn of 2000."""
    with connect(database) as connection:
        ensure_span(connection, "reading", START, START + timedelta(hours=1))
    with FrameReader(database) as made:
        yield made


@settings(
    max_examples=20,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.dictionaries(keys, st.tuples(values, qualities), max_size=20))
def test_packed_rows_are_the_rows(
    database: str,
    reader: FrameReader,
    stored: dict[tuple[int, int], tuple[float | None, int]],
) -> None:
    """Bit for bit and in order: ids, instants on both sides of 2000, infinities, nulls."""
    rows = [
        (tag_id, START + timedelta(microseconds=us), *given)
        for (tag_id, us), given in stored.items()
    ]
    with connect(database) as connection:
        connection.execute("TRUNCATE reading")
        connection.cursor().executemany("INSERT INTO reading VALUES (%s, %s, %s, %s)", rows)

    found = reader.packed(READING, KEY)

    assert found.schema == READINGS
    assert found.equals(reader.fetch(READING.order_by(*KEY)))
    assert found.height == len(rows)


def test_nan_is_null(database: str, reader: FrameReader) -> None:
    """As in every answer of the API; its neighbours stay where they are."""
    with connect(database) as connection:
        connection.cursor().executemany(
            "INSERT INTO reading VALUES (1, %s, %s, 192)",
            [(START, 1.0), (START + timedelta(seconds=1), "nan"), (START.replace(second=2), 3.0)],
        )

    assert reader.packed(READING, KEY)["value"].to_list() == [1.0, None, 3.0]


def test_some_columns_of_some_rows(database: str, reader: FrameReader) -> None:
    """What the query leaves out is not sent; an empty answer has its types."""
    query = select(reading.c.ts, reading.c.quality).where(reading.c.tag_id == 7)

    found = reader.packed(query, [reading.c.ts])

    assert found.schema == pl.Schema({"ts": READINGS["ts"], "quality": pl.Int16()})
    assert found.is_empty()


def test_text_has_no_fixed_width(reader: FrameReader) -> None:
    """It is refused before anything is sent."""
    with pytest.raises(DefectError, match="path"):
        reader.packed(select(tag.c.path), [tag.c.id])
