"""One statement, one answer: on plain PostgreSQL and on TimescaleDB, as rows or as columns."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy
from sqlalchemy import bindparam, delete, select, text
from sqlalchemy.dialects.postgresql import insert

from schemas.db.catalogue import load_catalogue, store_plant
from schemas.db.engine import make_engine, psycopg_of
from schemas.db.frames import _bound, _ids
from schemas.db.tables import dirty, reading, rollup_1m
from schemas.db.tiers import ensure_span
from schemas.plant.file import parse_plant
from tests.schemas.plants import SMALL

START = datetime(2026, 11, 21, 10, tzinfo=UTC)
OFFSETS_S = (-4e8, -100_000, -50, -10, 0, 30, 59.5, 70, 129_000)


@pytest.fixture(params=["database", pytest.param("timescale", marks=pytest.mark.timescale)])
def connection(request: pytest.FixtureRequest) -> Iterator[sqlalchemy.Connection]:
    """A connection to a migrated database of each kind, with the small plant in it."""
    engine = make_engine(request.getfixturevalue(request.param))
    with engine.connect() as made:
        store_plant(made, parse_plant(SMALL))
        for offset in OFFSETS_S:
            ts = START + timedelta(seconds=offset)
            ensure_span(psycopg_of(made), "reading", ts, ts + timedelta(seconds=1))
            made.execute(insert(reading).values(tag_id=1, ts=ts, value=offset, quality=192))
        made.commit()
        yield made
        made.rollback()
        for table in (dirty, rollup_1m, reading):
            made.execute(delete(table))
        made.commit()
    engine.dispose()


def compress(connection: sqlalchemy.Connection) -> None:
    """Turn every chunk of `reading` into columns, where the server can."""
    if connection.scalar(text("SELECT count(*) FROM pg_extension WHERE extname = 'timescaledb'")):
        connection.execute(text("SELECT compress_chunk(c) FROM show_chunks('reading') AS c"))


@pytest.mark.parametrize("as_columns", [False, True], ids=["rows", "columns"])
def test_spans_bounds_and_latest(connection: sqlalchemy.Connection, as_columns: bool) -> None:
    """The rows of a span, the nearest on each side, the newest of all."""
    if as_columns:
        compress(connection)
    at = f"timestamptz '{START.isoformat()}'"
    span = select(reading.c.value).where(
        reading.c.tag_id == 1, reading.c.ts >= START, reading.c.ts < START + timedelta(minutes=1)
    )
    nearest = {
        condition: connection.execute(text(_bound(_ids([1, 2]), condition, order))).all()
        for condition, order in (("true", "DESC"), (f"ts < {at}", "DESC"), (f"ts > {at}", "ASC"))
    }

    assert sorted(connection.scalars(span)) == [0, 30, 59.5]
    assert [[row.value for row in rows] for rows in nearest.values()] == [[129_000], [-10], [30]]


@pytest.mark.parametrize("as_columns", [False, True], ids=["rows", "columns"])
def test_a_late_correction_takes_the_place_of_the_old_value(
    connection: sqlalchemy.Connection, as_columns: bool
) -> None:
    """ON CONFLICT on (tag_id, ts): the later arrival wins, also in a chunk of columns."""
    if as_columns:
        compress(connection)
    given = insert(reading).values(tag_id=1, ts=START, value=7.0, quality=64)
    connection.execute(
        given.on_conflict_do_update(
            index_elements=["tag_id", "ts"],
            set_={"value": given.excluded.value, "quality": given.excluded.quality},
        )
    )
    found = connection.execute(
        select(reading.c.value, reading.c.quality).where(reading.c.ts == START)
    )

    assert found.all() == [(7.0, 64)]


def test_a_summary_is_written_over(connection: sqlalchemy.Connection) -> None:
    """Rolling a minute up again leaves one row, the last one."""
    ensure_span(psycopg_of(connection), "rollup_1m", START, START + timedelta(minutes=1))
    row = {"tag_id": 1, "bucket": START, "count": 3, "good_s": 60.0, "covered_s": 60.0}
    given = insert(rollup_1m)
    upsert = given.on_conflict_do_update(
        index_elements=["tag_id", "bucket"], set_={"count": given.excluded.count}
    )
    for count in (3, 4):
        connection.execute(upsert, [row | {"count": count}])

    assert connection.execute(select(rollup_1m.c.count)).all() == [(4,)]


def test_dirty_marks_are_taken_once(connection: sqlalchemy.Connection) -> None:
    """DELETE ... RETURNING gives the marks of closed minutes and leaves that of the open one."""
    for minute in (0, 1, 2):
        bucket = START + timedelta(minutes=minute)
        connection.execute(insert(dirty).values(bucket=bucket, tag_ids=[1, minute]))
    take = (
        delete(dirty)
        .where(dirty.c.bucket < bindparam("before"))
        .returning(dirty.c.bucket, dirty.c.tag_ids)
    )
    before = {"before": START + timedelta(minutes=2)}

    assert sorted(tags for _, tags in connection.execute(take, before)) == [[1, 0], [1, 1]]
    assert connection.execute(take, before).all() == []
    assert connection.scalar(select(dirty.c.bucket)) == START + timedelta(minutes=2)


def test_the_plant_is_the_same(connection: sqlalchemy.Connection) -> None:
    """What was stored is loaded, whatever lies below."""
    assert load_catalogue(connection).plant == parse_plant(SMALL)
