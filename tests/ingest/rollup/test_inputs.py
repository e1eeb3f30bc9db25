"""Inputs of KPIs, kept by the rollup worker: always the sums of the summaries that stand."""

from collections.abc import Iterable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import polars as pl
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from ingest.rollup.inputs import inputs_of
from ingest.rollup.worker import RollupWorker
from kpi.frames import SUMMARY, Schema
from kpi.sums import SUMS, add_up
from schemas.db.catalogue import Catalogue, load_catalogue, store_plant
from schemas.db.engine import connect, make_engine
from schemas.db.frames import FrameReader
from schemas.db.tables import input_1h, input_1m, rollup_1h, rollup_1m
from schemas.db.tiers import ensure_span
from schemas.plant.file import parse_plant

START = datetime(2026, 3, 1, 10, tzinfo=UTC)
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
MEASURES = ("power", "metal_tapped")

Row = tuple[str, float, float]
"""Tag, seconds since START, value."""


def plant_of(pots: int) -> str:
    """A smelter with a line of that many pots, and one with a single pot."""
    return f"""
[site]
name = "park"
title = "Park"
time_zone = "Asia/Almaty"

[[asset]]
path = "smelter"
level = "area"
type = "smelter"

[[asset]]
path = "smelter/line-{{1..2}}"
level = "line"
type = "potline"

[[asset]]
path = "smelter/line-1/pot-{{1..{pots}}}"
level = "unit"
type = "pot"
template = "pot"

[[asset]]
path = "smelter/line-2/pot-1"
level = "unit"
type = "pot"
template = "pot"

[template.pot]
power = {{ title = "P", unit = "kW", kind = "gauge", stale_after_s = 130 }}
metal_tapped = {{ title = "m", unit = "kg", kind = "event", stale_after_s = 4000 }}
"""


TAGS = [
    f"smelter/{pot}/{measure}"
    for pot in ("line-1/pot-1", "line-1/pot-2", "line-1/pot-3", "line-2/pot-1")
    for measure in MEASURES
]


def store(dsn: str, pots: int) -> Catalogue:
    """Store the plant with so many pots on its first line."""
    engine = make_engine(dsn)
    with engine.begin() as connection:
        store_plant(connection, parse_plant(plant_of(pots)))
        found = load_catalogue(connection)
    engine.dispose()
    return found


@pytest.fixture
def catalogue(database: str) -> Catalogue:
    """The plant with three pots on its first line, in a database of the test's own."""
    with connect(database, autocommit=True) as connection:
        ensure_span(connection, "reading", START - HOUR, START + 5 * HOUR)
    return store(database, 3)


@pytest.fixture
def worker(database: str) -> Iterator[RollupWorker]:
    """A rollup worker on it."""
    with closing(RollupWorker(database)) as found:
        yield found


def at(seconds: float) -> datetime:
    """The instant so many *seconds* after START."""
    return START + timedelta(seconds=seconds)


def arrive(dsn: str, catalogue: Catalogue, rows: Iterable[Row]) -> None:
    """Write readings and their dirty marks in one transaction, as ingest does."""
    with connect(dsn) as connection:
        for tag, seconds, value in rows:
            tag_id, ts = catalogue.tag_ids[tag], at(seconds)
            connection.execute("INSERT INTO reading VALUES (%s, %s, %s, 192)", (tag_id, ts, value))
            connection.execute(
                "INSERT INTO dirty (bucket, tag_ids) VALUES (%s, %s)",
                (ts.replace(second=0, microsecond=0), [tag_id]),
            )


def finish(worker: RollupWorker, now: datetime) -> int:
    """Step until no closed minute is dirty and no past is left; how many sums were made."""
    sums = 0
    while (step := worker.step(now)).marked or worker.build(now):
        sums += step.sums
    return sums


def rows_of(dsn: str, table: sa.Table, columns: Schema) -> pl.DataFrame:
    """All rows of a table in the order of its key."""
    with FrameReader(dsn) as frames:
        found = frames.fetch(sa.select(table).order_by(*table.primary_key.columns))
    return found.select(pl.col(name).cast(dtype) for name, dtype in columns.items())


def assert_sums(dsn: str, catalogue: Catalogue, now: datetime) -> None:
    """Both widths are what the summaries add up to, bit for bit; minutes of the open hour."""
    closed = now - timedelta(seconds=2)
    hour = closed.replace(minute=0, second=0, microsecond=0)
    terms = inputs_of(catalogue).terms
    hours = add_up(terms, rows_of(dsn, rollup_1h, SUMMARY))
    minutes = add_up(terms, rows_of(dsn, rollup_1m, SUMMARY).filter(pl.col("bucket") >= hour))
    assert_frame_equal(rows_of(dsn, input_1h, SUMS), hours, check_exact=True)
    assert_frame_equal(rows_of(dsn, input_1m, SUMS), minutes, check_exact=True)


_ROWS = st.lists(
    st.tuples(
        st.sampled_from(TAGS),
        st.one_of(
            st.integers(0, 9_000).map(float), st.integers(0, 150).map(lambda minute: minute * 60.0)
        ),
        st.floats(-1e6, 1e6),
    ),
    min_size=1,
    max_size=40,
    unique_by=lambda row: row[:2],
)


@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(rows=_ROWS, data=st.data())
def test_inputs_are_the_sums_of_what_stands_whatever_came_when(
    database: str, catalogue: Catalogue, rows: list[Row], data: st.DataObject
) -> None:
    """Live or late, in any order and batching, after every step that leaves nothing dirty."""
    with connect(database) as connection:
        connection.execute(
            "TRUNCATE reading, dirty, rollup_1m, rollup_1h, input_1m, input_1h, kpi_input"
        )
    order = data.draw(st.permutations(rows))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(rows)), max_size=3)))
    now = at(9_000)
    with closing(RollupWorker(database, budget=data.draw(st.sampled_from([1, 100_000])))) as worker:
        for low, high in pairwise([0, *cuts, len(rows)]):
            arrive(database, catalogue, order[low:high])
            now += timedelta(seconds=data.draw(st.integers(0, 3600)))
            finish(worker, now)
            assert_sums(database, catalogue, now)


def test_a_late_reading_touches_its_hour_of_every_level_alone(
    database: str, catalogue: Catalogue, worker: RollupWorker
) -> None:
    """Line and site (whose sum is the smelter's) of that hour are written again, no other rows."""
    rows = [(tag, 60.0 * minute, 1.0) for tag in TAGS for minute in range(180)]
    arrive(database, catalogue, rows)
    finish(worker, at(3.5 * 3600))

    def versions() -> set[tuple[str, datetime, str]]:
        with connect(database) as connection:
            return set(
                connection.execute(
                    """SELECT asset.path, bucket, input_1h.xmin::text FROM input_1h
                       JOIN kpi_input ON kpi_input.id = input_id JOIN asset ON asset.id = asset_id
                       WHERE kpi_input.name = 'energy'"""
                ).fetchall()
            )

    before = versions()
    arrive(database, catalogue, [("smelter/line-1/pot-2/power", 3600 + 90.0, 5.0)])
    finish(worker, at(3.5 * 3600))
    changed = {(path, bucket) for path, bucket, _ in versions() - before}
    assert changed == {(path, START + HOUR) for path in ("smelter/line-1", "park")}
    assert_sums(database, catalogue, at(3.5 * 3600))


def test_a_plant_stored_anew_gets_its_past_summed_up(
    database: str, catalogue: Catalogue, worker: RollupWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sums of the old set of pots are gone; those of the new one reach back to the first hour."""
    rows = [(tag, 60.0 * minute, minute % 7) for tag in TAGS for minute in range(200)]
    arrive(database, catalogue, rows)
    finish(worker, at(4 * 3600))
    old = set(rows_of(database, input_1h, SUMS)["input_id"])
    grown = store(database, 4)
    monkeypatch.setattr("ingest.rollup.history.CHUNK", 10)

    slices = []
    while found := worker.build(at(4 * 3600)):
        slices.append(found)

    assert [part.hours_left for part in slices] == [2, 1, 0]
    assert_frame_equal(
        rows_of(database, input_1h, SUMS),
        add_up(inputs_of(grown).terms, rows_of(database, rollup_1h, SUMMARY)),
        check_exact=True,
    )
    assert not old & set(rows_of(database, input_1h, SUMS)["input_id"])


def test_below_the_retention_floor_sums_stand(database: str, catalogue: Catalogue) -> None:
    """A reading of before the floor changes no input."""
    arrive(database, catalogue, [(tag, 60.0 * m, 1.0) for tag in TAGS for m in range(120)])
    with closing(RollupWorker(database)) as worker:
        finish(worker, at(2.5 * 3600))
    before = rows_of(database, input_1h, SUMS)
    arrive(database, catalogue, [(TAGS[0], 90.0, 9.0)])
    with closing(RollupWorker(database, keep=HOUR)) as worker:
        assert finish(worker, at(2.5 * 3600)) == 0
    assert_frame_equal(rows_of(database, input_1h, SUMS), before, check_exact=True)


def test_an_input_of_a_single_tag_is_not_kept(catalogue: Catalogue) -> None:
    """It is that tag's summary: a line of one pot has no sums, nor has a pot.

    The smelter is all of the site here, so they share their sums.
    """
    assets = {path for path, _ in inputs_of(catalogue).named.values()}
    assert assets == {"park", "smelter/line-1"}
