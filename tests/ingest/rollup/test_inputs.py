"""Inputs of KPIs, kept by the rollup worker: always the sums of the summaries that stand."""

from collections.abc import Iterator
from contextlib import closing
from datetime import datetime, timedelta
from itertools import pairwise

import polars as pl
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from ingest.rollup.inputs import inputs_of
from ingest.rollup.worker import RollupWorker
from kpi.binding import bind
from kpi.frames import SUMMARY, Schema
from kpi.ledger.accounts import booked
from kpi.sums import SUMS, add_up
from schemas.db.catalogue import Catalogue
from schemas.db.engine import connect
from schemas.db.frames import FrameReader
from schemas.db.tables import input_1h, input_1m, rollup_1h, rollup_1m
from schemas.db.tiers import ensure_span
from tests.ingest.rollup.smelter import HOUR, START, TAGS, Row, arrive, at, store
from tests.kpi.catalogue.park import PLANT


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
    """Sums of the old set of pots are gone; those of the new one reach back to the first hour.

    The line that did not change keeps its own.
    """
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
    named = inputs_of(grown).named
    kept = old & set(rows_of(database, input_1h, SUMS)["input_id"])
    assert {named[id_][0] for id_ in kept} == {"smelter/line-2"}


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


def test_what_has_nothing_below_it_keeps_no_inputs(catalogue: Catalogue) -> None:
    """They are the summaries of its own tags; a line keeps its inputs, be it of one pot alone.

    The smelter is all of the site here, so they share their sums.
    """
    assets = {path for path, _ in inputs_of(catalogue).named.values()}
    assert assets == {"park", "smelter/line-1", "smelter/line-2"}


def test_what_the_ledger_books_is_kept() -> None:
    """Also where no KPI asks for it, so that a ledger is made of prepared sums alone."""
    ids = {path: number for number, path in enumerate(PLANT.tags, start=1)}
    kept = set(inputs_of(Catalogue(PLANT, ids)).named)
    asked = [bind(kpi, asset, PLANT, ids) for kpi, asset in booked(PLANT)]
    assert {id_ for binding in asked for id_ in binding.input_ids.values()} <= kept


def test_every_operand_of_a_kpi_has_its_input(
    database: str, catalogue: Catalogue, worker: RollupWorker
) -> None:
    """Entered with unit and number of tags, for the sums that stand beside."""
    arrive(database, catalogue, [(TAGS[0], 0.0, 1.0)])
    finish(worker, at(120))

    with connect(database) as connection:
        rows = connection.execute(
            """SELECT path, kpi_operand.name, unit, kpi_operand.tags FROM kpi_operand
               JOIN asset ON asset.id = asset_id JOIN kpi_input ON kpi_input.id = input_id
               WHERE kpi = 'dc_specific_energy' AND path <> 'park' ORDER BY 1, 2"""
        ).fetchall()
    assert rows == [
        ("smelter", "energy", "kWh", 4),
        ("smelter", "metal", "t", 4),
        ("smelter/line-1", "energy", "kWh", 3),
        ("smelter/line-1", "metal", "t", 3),
        ("smelter/line-2", "energy", "kWh", 1),
        ("smelter/line-2", "metal", "t", 1),
    ]
