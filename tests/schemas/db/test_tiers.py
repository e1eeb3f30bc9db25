"""Partitions of plain PostgreSQL: made in time, dropped in time, never in the way."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from schemas.db.engine import connect, make_engine, psycopg_of
from schemas.db.tables import TIMED, metadata
from schemas.db.tiers import AHEAD, ensure_span, maintain

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def partitions(connection: psycopg.Connection, table: str) -> list[str]:
    """Names of the partitions of *table*, oldest first."""
    rows = connection.execute(
        "SELECT inhrelid::regclass::text FROM pg_inherits"
        " WHERE inhparent = %s::regclass ORDER BY 1",
        (table,),
    )
    return [name for (name,) in rows]


def put(connection: psycopg.Connection, *instants: datetime) -> None:
    """One reading at each instant, its partition made."""
    for ts in instants:
        ensure_span(connection, "reading", ts, ts + DAY)
        connection.execute("INSERT INTO reading VALUES (1, %s, 1.0, 192)", (ts,))


@pytest.mark.parametrize("table", TIMED)
def test_every_instant_of_the_span_finds_a_partition(database: str, table: str) -> None:
    """From 2014 on: the first, the last and the edges between have a place."""
    column, days = TIMED[table]
    start = datetime(2014, 1, 1, 0, 0, 0, 1, tzinfo=UTC)
    end = start + timedelta(days=4 * days)
    instants = [start, start + timedelta(days=days), end - timedelta(microseconds=1)]
    given = {"quality": 192} if table == "reading" else {"count": 0, "good_s": 0, "covered_s": 0}
    engine = make_engine(database)
    with engine.begin() as connection:
        ensure_span(psycopg_of(connection), table, start, end)
        connection.execute(
            metadata.tables[table].insert(),
            [{"tag_id": 1, column: ts, **given} for ts in instants],
        )

        assert len(partitions(psycopg_of(connection), table)) in {4, 5}
    engine.dispose()


def test_without_a_partition_a_reading_is_refused(database: str) -> None:
    """Why ensure_span exists: PostgreSQL has no place for the row, and says so."""
    with connect(database) as connection, pytest.raises(psycopg.errors.CheckViolation):
        connection.execute("INSERT INTO reading VALUES (1, %s, 1.0, 192)", (NOW,))


def test_a_span_that_is_there_is_left_alone(database: str) -> None:
    """Asking twice makes nothing new, and keeps what is stored."""
    with connect(database) as connection:
        put(connection, NOW)
        before = partitions(connection, "reading")
        ensure_span(connection, "reading", NOW, NOW + DAY)

        assert partitions(connection, "reading") == before
        assert connection.execute("SELECT count(*) FROM reading").fetchone() == (1,)


def test_an_empty_span_needs_nothing(database: str) -> None:
    """No readings, no partition."""
    with connect(database) as connection:
        ensure_span(connection, "reading", NOW, NOW - timedelta(days=30))

        assert partitions(connection, "reading") == []


def test_many_writers_ask_for_the_same_span(database: str) -> None:
    """Eight connections that need the same new partitions all get them, none fails."""

    def write(tag_id: int) -> None:
        with connect(database) as connection:
            ensure_span(connection, "reading", NOW, NOW + 60 * DAY)
            connection.execute("INSERT INTO reading VALUES (%s, %s, 1, 192)", (tag_id, NOW))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(8)))

    with connect(database) as connection:
        assert connection.execute("SELECT count(*) FROM reading").fetchone() == (8,)


def test_two_writers_that_have_written_do_not_deadlock(database: str) -> None:
    """Both hold rows in the table when they ask for a new partition; both commit."""
    with connect(database) as first, connect(database) as second:
        put(first, NOW)
        first.commit()
        for tag_id, connection in ((2, first), (3, second)):
            connection.execute("SET lock_timeout = '5s'")
            connection.execute("INSERT INTO reading VALUES (%s, %s, 1, 192)", (tag_id, NOW))
        ensure_span(first, "reading", NOW + 30 * DAY, NOW + 31 * DAY)
        with ThreadPoolExecutor(1) as pool:
            asking = pool.submit(ensure_span, second, "reading", NOW + 30 * DAY, NOW + 31 * DAY)
            first.commit()
            asking.result()
        second.commit()

        assert first.execute("SELECT count(*) FROM reading").fetchone() == (3,)


def test_a_reader_is_not_kept_waiting(database: str) -> None:
    """While a partition is being made in an open transaction, queries and writes go on."""
    with connect(database) as maker, connect(database) as other:
        put(maker, NOW)
        maker.commit()
        ensure_span(maker, "reading", NOW + 30 * DAY, NOW + 31 * DAY)
        other.execute("SET lock_timeout = '5s'")
        other.execute("INSERT INTO reading VALUES (2, %s, 1, 192)", (NOW,))

        assert other.execute("SELECT count(*) FROM reading").fetchone() == (2,)


def test_maintenance_looks_ahead(database: str) -> None:
    """Every timed table has partitions for the time that AHEAD spans."""
    with connect(database) as connection:
        maintain(connection, NOW, {})
        put_at = NOW + AHEAD - timedelta(seconds=1)
        connection.execute("INSERT INTO reading VALUES (1, %s, 1, 192)", (put_at,))

        assert all(partitions(connection, table) for table in TIMED)


def test_retention_drops_whole_partitions_and_nothing_within_reach(database: str) -> None:
    """Only a partition that lies wholly beyond the age goes; one that the age cuts stays."""
    with connect(database) as connection:
        put(connection, *(NOW - timedelta(days=days) for days in (1, 99, 108, 150, 4000)))
        maintain(connection, NOW, {"reading": timedelta(days=100)})
        left = [ts for (ts,) in connection.execute("SELECT ts FROM reading ORDER BY ts DESC")]

        assert left == [NOW - DAY, NOW - 99 * DAY]


@pytest.mark.parametrize("keep", [{}, {"reading": None}, {"rollup_1m": DAY}])
def test_what_has_no_age_is_kept_for_ever(database: str, keep: dict[str, timedelta | None]) -> None:
    """Readings of 2014 survive maintenance that does not name them."""
    with connect(database) as connection:
        put(connection, NOW - timedelta(days=4000))
        maintain(connection, NOW, keep)

        assert connection.execute("SELECT count(*) FROM reading").fetchone() == (1,)


def test_the_newest_reading_is_found_in_the_newest_partition(database: str) -> None:
    """Of a year's partitions the search for the latest reading opens the last and ends."""
    with connect(database) as connection:
        put(connection, *(NOW - timedelta(days=days) for days in range(0, 364, 7)))
        connection.execute("ANALYZE reading")
        plan = connection.execute(
            "EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF, BUFFERS OFF)"
            " SELECT ts FROM reading WHERE tag_id = 1 ORDER BY ts DESC LIMIT 1"
        ).fetchall()
        scans = [line for (line,) in plan if "Scan" in line]

        assert len(scans) >= 52
        assert sum("never executed" not in line for line in scans) == 1
