"""Frames: the right rows, the right types, and connections that end."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import polars as pl
import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict
from sqlalchemy import func, select

from schemas.db.catalogue import load_catalogue, store_plant
from schemas.db.engine import connect, make_engine
from schemas.db.frames import READINGS, TAGS, FrameReader, tag_frame
from schemas.db.tables import reading, tag
from schemas.db.tiers import ensure_span
from schemas.errors import DatabaseDown, DefectError
from schemas.plant.file import parse_plant
from tests.fixtures.until import until
from tests.schemas.plants import SMALL

START = datetime(2026, 11, 21, 10, tzinfo=UTC)
END = START + timedelta(minutes=1)
VOLTAGE, TAPPED = "smelter/line-1/pot-01/voltage", "smelter/line-1/pot-01/tapped"


def second(offset: float) -> datetime:
    """An instant [s] after START."""
    return START + timedelta(seconds=offset)


@pytest.fixture
def ids(database: str) -> dict[str, int]:
    """Tag ids of the small plant, stored in the test's database."""
    engine = make_engine(database)
    with engine.begin() as connection:
        store_plant(connection, parse_plant(SMALL))
        found = dict(load_catalogue(connection).tag_ids)
    engine.dispose()
    return found


@pytest.fixture
def reader(database: str) -> Iterator[FrameReader]:
    """A reader of the test's database."""
    with FrameReader(database) as made:
        yield made


def put(dsn: str, tag_id: int, *offsets: float, value: float | None = 1.0) -> None:
    """Store readings of a tag at seconds after START."""
    with connect(dsn) as connection:
        for offset in offsets:
            ensure_span(connection, "reading", second(offset), second(offset + 1))
            connection.execute(
                "INSERT INTO reading VALUES (%s, %s, %s, 192)", (tag_id, second(offset), value)
            )


def offsets(frame: pl.DataFrame) -> list[float]:
    """The times of *frame*, in seconds after START."""
    return [(ts - START).total_seconds() for ts in frame["ts"]]


def test_readings_are_those_of_the_half_open_span(
    database: str, reader: FrameReader, ids: dict[str, int]
) -> None:
    """The start belongs to it, the end does not; other tags do not; the schema is exact."""
    put(database, ids[VOLTAGE], -1, 0, 59.999999, 60)
    put(database, ids[TAPPED], 30)
    frame = reader.readings([ids[VOLTAGE]], START, END)

    assert frame.schema == READINGS
    assert offsets(frame) == [0, 59.999999]


def test_readings_come_sorted(database: str, reader: FrameReader, ids: dict[str, int]) -> None:
    """By tag and time, whatever the order in which they came or lie."""
    put(database, ids[TAPPED], 30, 10, 20)
    put(database, ids[VOLTAGE], 5, 1)
    frame = reader.readings([ids[TAPPED], ids[VOLTAGE]], START, END)

    assert frame.equals(frame.sort("tag_id", "ts"))
    assert frame.height == 5


def test_values_and_qualities_arrive_as_stored(
    database: str, reader: FrameReader, ids: dict[str, int]
) -> None:
    """Null stays null, a double keeps its last bit, quality 500 fits."""
    put(database, ids[VOLTAGE], 1, value=None)
    put(database, ids[VOLTAGE], 2, value=0.1 + 0.2)
    with connect(database) as connection:
        connection.execute("UPDATE reading SET quality = 500 WHERE ts = %s", (second(2),))
    frame = reader.readings([ids[VOLTAGE]], START, END)

    assert frame["value"].to_list() == [None, 0.1 + 0.2]
    assert frame["quality"].to_list() == [192, 500]


def test_no_rows_still_have_their_types(reader: FrameReader, ids: dict[str, int]) -> None:
    """An empty answer can be joined and concatenated like any other."""
    for frame in (
        reader.readings([], START, END, bounds=True),
        reader.readings([ids[VOLTAGE]], START, END, bounds=True),
        reader.latest([ids[VOLTAGE]]),
    ):
        assert frame.schema == READINGS
        assert frame.is_empty()


@pytest.mark.parametrize(
    ("stored", "expected"),
    [
        ([-50, -10, 30, 70, 90], [-10, 30, 70]),
        ([-60, 30, 120], [-60, 30, 120]),
        ([-60.000001, 30, 120.000001], [30]),
        ([-1, 61], [-1, 61]),
        ([60], [60]),
        ([-5], [-5]),
    ],
    ids=["nearest", "just within", "just beyond", "empty span", "end is after", "before only"],
)
def test_bounds_lie_within_the_stale_limit(
    database: str,
    reader: FrameReader,
    ids: dict[str, int],
    stored: list[float],
    expected: list[float],
) -> None:
    """One reading each side, at most stale_after_s (60 s here) from the edge of the span."""
    put(database, ids[VOLTAGE], *stored)

    assert offsets(reader.readings([ids[VOLTAGE]], START, END, bounds=True)) == expected


def test_a_sparse_tag_finds_its_bound_days_away(
    database: str, reader: FrameReader, ids: dict[str, int]
) -> None:
    """Each tag has its own limit (129,600 s for metal tapped), over partitions too."""
    put(database, ids[VOLTAGE], -100_000)
    put(database, ids[TAPPED], -100_000, 129_000)
    frame = reader.readings([ids[VOLTAGE], ids[TAPPED]], START, END, bounds=True)

    assert offsets(frame) == [-100_000, 129_000]
    assert set(frame["tag_id"]) == {ids[TAPPED]}


def test_latest_gives_one_row_a_tag(
    database: str, reader: FrameReader, ids: dict[str, int]
) -> None:
    """The newest over all partitions; a tag without readings has no row."""
    put(database, ids[VOLTAGE], -4e8, 0, 10)
    put(database, ids[TAPPED], -4e8)
    frame = reader.latest(list(ids.values()))

    assert frame.schema == READINGS
    assert dict(zip(frame["tag_id"], offsets(frame), strict=True)) == {
        ids[VOLTAGE]: 10,
        ids[TAPPED]: -4e8,
    }


def test_any_select_of_numbers_and_instants(
    database: str, reader: FrameReader, ids: dict[str, int]
) -> None:
    """Bound integers, lists, floats and instants reach the server with their meaning."""
    put(database, ids[VOLTAGE], 1, 2, 3)
    query = (
        select(reading.c.tag_id, func.count().label("n"), func.max(reading.c.ts).label("last"))
        .where(reading.c.tag_id.in_([ids[VOLTAGE], ids[TAPPED]]))
        .where(reading.c.ts.between(second(1), second(2)), reading.c.value > 0.5)
        .group_by(reading.c.tag_id)
    )

    assert reader.fetch(query).rows() == [(ids[VOLTAGE], 2, second(2))]


def test_text_is_not_bound(reader: FrameReader) -> None:
    """A path from a request never becomes part of a statement."""
    with pytest.raises(DefectError, match="only numbers and instants"):
        reader.fetch(select(tag.c.id).where(tag.c.path == "x'; DROP TABLE tag; --"))


def test_a_naive_instant_is_refused(reader: FrameReader) -> None:
    """A local time without its zone is not an instant."""
    with pytest.raises(DefectError, match="no time zone"):
        reader.readings([1], START.replace(tzinfo=None), END)


@pytest.mark.parametrize("form", ["uri", "uri, slashes in the query", "key=value", "variables"])
def test_every_form_of_dsn(database: str, form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """ADBC takes what psycopg takes: a URI, a key=value string, the variables of libpq."""
    parts = conninfo_to_dict(database)
    host, user, name = (str(parts[key]) for key in ("host", "user", "dbname"))
    port = str(parts.get("port") or "5432")
    password = str(parts.get("password") or "")
    variables = {"HOST": host, "USER": user, "DATABASE": name, "PORT": port, "PASSWORD": password}
    if form == "variables":
        for key, value in variables.items():
            monkeypatch.setenv(f"PG{key}", value)
    monkeypatch.setenv("PGPASSWORD", password)
    dsn = {
        "uri": f"postgresql://{user}@/{name}?host={quote(host, safe='')}&port={port}",
        "uri, slashes in the query": f"postgresql://{user}@/{name}?host={host}&port={port}",
        "key=value": f"host={host} port={port} user={user} dbname={name}",
        "variables": "",
    }[form]
    with FrameReader(dsn) as reader:
        found = reader.fetch(select(func.current_database().label("name")))

    assert found.item() == name


def test_threads_share_a_reader(database: str, ids: dict[str, int]) -> None:
    """Concurrent calls each get their own connection and their own answer."""
    put(database, ids[VOLTAGE], *range(8))
    with FrameReader(database) as reader, ThreadPoolExecutor(4) as pool:
        spans = [(second(i), second(i + 1)) for i in range(8)] * 4
        found = list(pool.map(lambda span: reader.readings([ids[VOLTAGE]], *span), spans))

    assert [offsets(frame) for frame in found] == [[i] for i in range(8)] * 4


def sessions(connection: psycopg.Connection) -> int:
    """How many other sessions the test's database has."""
    row = connection.execute(
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    ).fetchone()
    return int(row[0]) if row else 0


def test_closing_ends_every_session(database: str) -> None:
    """A reader keeps a connection for the next call and lets all go when closed."""
    with connect(database, autocommit=True) as watcher:
        with FrameReader(database) as reader:
            reader.latest([1])
            reader.latest([1])
            kept = sessions(watcher)

        assert kept == 1
        until(lambda: sessions(watcher) == 0, "the session to end")


def test_a_server_that_comes_back_is_used_again(database: str) -> None:
    """The call that meets a broken session fails as DatabaseDown; the other idle one is let go."""
    with FrameReader(database) as reader, connect(database, autocommit=True) as killer:
        with reader._connection(), reader._connection():
            assert sessions(killer) == 2
        killer.execute(
            "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        with pytest.raises(DatabaseDown):
            reader.latest([1])

        assert reader.latest([1]).is_empty()


def test_a_wrong_statement_is_no_outage(reader: FrameReader) -> None:
    """A defect of ours comes through as the driver's error and leaves the reader usable."""
    with pytest.raises(Exception, match="division by zero") as caught:
        reader.fetch(select((func.length(func.version()) / 0).label("x")))

    assert not isinstance(caught.value, DatabaseDown)
    assert reader.latest([1]).is_empty()


def test_the_kpi_core_gets_its_tags(database: str, ids: dict[str, int]) -> None:
    """How to read the tags that were asked for, in order."""
    engine = make_engine(database)
    with engine.connect() as connection:
        catalogue = load_catalogue(connection)
    engine.dispose()
    frame = tag_frame(catalogue, [ids["wind/energy"], ids[VOLTAGE]])

    assert frame.schema == TAGS
    assert frame.rows() == [
        (ids["wind/energy"], "counter", "step", 300.0, 4294967296.0, 11000.0),
        (ids[VOLTAGE], "gauge", "linear", 60.0, None, None),
    ]
