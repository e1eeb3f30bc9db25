"""The rollup worker on a real database: late or live, the same summaries to the bit."""

import time
from collections.abc import Callable
from contextlib import closing
from datetime import datetime, timedelta
from itertools import pairwise
from threading import Event, Thread

import polars as pl
import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal
from prometheus_client import CollectorRegistry

from ingest.rollup.worker import RollupWorker
from schemas.db.catalogue import Catalogue
from schemas.db.engine import connect
from schemas.db.tables import rollup_1h, rollup_1m
from schemas.errors import AlreadyAtWork
from tests.ingest.rollup.unit import (
    END,
    START,
    TAGS,
    Row,
    arrive,
    assert_complete,
    at,
    finish,
    store,
    stored,
)


@pytest.fixture
def catalogue(database: str) -> Catalogue:
    """The unit in a database of the test's own."""
    return store(database)


_ROWS = st.lists(
    st.tuples(
        st.sampled_from(TAGS),
        st.one_of(
            # All before END: of what an open minute will change nothing is promised.
            st.integers(0, 9_000_000).map(lambda ms: ms / 1000),
            st.integers(0, 150).map(lambda minute: minute * 60.0),
            st.integers(0, 300).map(float),
        ),
        st.one_of(st.sampled_from([0.0, 1.0, None]), st.floats(-1e3, 1e3)),
        st.sampled_from([192, 192, 192, 64, 0]),
    ),
    min_size=1,
    max_size=40,
    unique_by=lambda row: (row[0], row[1]),
)


@settings(
    max_examples=20,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(rows=_ROWS, data=st.data())
def test_any_order_of_arrival_gives_the_same_bits(
    database: str, catalogue: Catalogue, rows: list[Row], data: st.DataObject
) -> None:
    """Readings in any order and batching, steps between them: the rollups of all at once."""
    with connect(database) as connection:
        connection.execute("TRUNCATE reading, dirty, rollup_1m, rollup_1h")
    order = data.draw(st.permutations(rows))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(rows)), max_size=4)))
    budget = data.draw(st.sampled_from([1, 3, 100_000]))
    edges = [0, *cuts, len(rows)]
    now = START
    with closing(RollupWorker(database, budget=budget)) as worker:
        for low, high in pairwise(edges):
            now += timedelta(seconds=data.draw(st.integers(0, 3600)))
            arrive(database, catalogue, order[low:high])
            if data.draw(st.booleans()):
                worker.step(now)
            else:
                finish(worker, now)
        now = END + timedelta(seconds=data.draw(st.integers(0, 7200)))
        finish(worker, now)
    assert_complete(database, catalogue, rows, now)


def _live(seconds: range) -> list[Row]:
    return [
        (measure, float(s), float((s * 7 + place) % 5), 192)
        for s in seconds
        for place, measure in enumerate(TAGS)
    ]


def test_minute_by_minute_equals_all_at_once(database: str, catalogue: Catalogue) -> None:
    """Live across the end of an hour, a step a minute, then silence."""
    rows = _live(range(50 * 60, 70 * 60, 20))
    worker = RollupWorker(database)
    for minute in range(50, 95):
        arrive(database, catalogue, (row for row in rows if row[1] // 60 == minute))
        worker.step(at(minute * 60 + 62))
    worker.close()
    assert_complete(database, catalogue, rows, at(94 * 60 + 62))
    assert stored(database, rollup_1h).height == len(catalogue.tags)


def test_a_derived_state_remembers_what_was_before_a_silence(
    database: str, catalogue: Catalogue
) -> None:
    """A second above the limit and then an outage of hours is no effect; the next one begins."""
    before: list[Row] = [("left", 100.0, 1.0, 192), ("left", 101.0, None, 0)]
    after: list[Row] = [("left", 7000.0, 1.0, 192), ("left", 7010.0, 0.0, 192)]
    worker = RollupWorker(database)
    for rows in (before, after):
        arrive(database, catalogue, rows)
        finish(worker, END)
    worker.close()
    of_high = stored(database, rollup_1m).filter(pl.col("tag_id") == catalogue.tag_ids["unit/high"])
    assert of_high["activations"].sum() == 1
    assert_complete(database, catalogue, [*before, *after], END)


def test_a_step_done_twice_changes_nothing(database: str, catalogue: Catalogue) -> None:
    """The same marks again, as after a crash behind the commit: the same rows."""
    rows = _live(range(0, 7200, 15))
    worker = RollupWorker(database)
    arrive(database, catalogue, rows)
    finish(worker, END)
    before = stored(database, rollup_1m), stored(database, rollup_1h)
    arrive(database, catalogue, rows)
    finish(worker, END)
    worker.close()
    assert_frame_equal(stored(database, rollup_1m), before[0], check_exact=True)
    assert_frame_equal(stored(database, rollup_1h), before[1], check_exact=True)


def test_a_late_bad_reading_takes_summaries_away(database: str, catalogue: Catalogue) -> None:
    """Minutes that a value no longer covers lose their rows, and the hour is merged again."""
    rows: list[Row] = [("event", 0.0, 5.0, 192)]
    worker = RollupWorker(database)
    arrive(database, catalogue, rows)
    finish(worker, END)
    assert stored(database, rollup_1m).height == 50
    late: Row = ("event", 90.0, None, 0)
    arrive(database, catalogue, [late])
    finish(worker, END)
    worker.close()
    assert stored(database, rollup_1m)["covered_s"].to_list() == [60, 30]
    assert stored(database, rollup_1h)["covered_s"].to_list() == [90]
    assert_complete(database, catalogue, [*rows, late], END)


def test_only_what_a_late_reading_reaches_is_written_again(
    database: str, catalogue: Catalogue
) -> None:
    """Other minutes and other tags keep their very rows (their xmin)."""
    worker = RollupWorker(database)
    rows = [row for row in _live(range(0, 3600, 20)) if row[0] in {"step", "left"}]
    arrive(database, catalogue, rows)
    finish(worker, at(3700))
    versions = _versions(database)
    arrive(database, catalogue, [("step", 1805.0, 3.0, 192)])
    finish(worker, at(3700))
    worker.close()
    changed = {key for key, version in _versions(database).items() if versions[key] != version}
    assert changed == {(catalogue.tag_ids["unit/step"], at(1800))}


def _versions(dsn: str) -> dict[tuple[int, datetime], str]:
    with connect(dsn) as connection:
        rows = connection.execute("SELECT tag_id, bucket, xmin::text FROM rollup_1m").fetchall()
    return {(tag_id, bucket): version for tag_id, bucket, version in rows}


def test_below_the_retention_floor_nothing_is_touched(database: str, catalogue: Catalogue) -> None:
    """A summary whose raw readings are gone stays, whatever arrives late; that is counted."""
    registry = CollectorRegistry()
    keeping, worker = (
        RollupWorker(database),
        RollupWorker(database, keep=timedelta(hours=1), registry=registry),
    )
    rows = [row for row in _live(range(0, 600, 10)) if row[0] == "step"]
    arrive(database, catalogue, rows)
    finish(keeping, END)
    before = stored(database, rollup_1m)
    with connect(database) as connection:
        connection.execute("DELETE FROM reading")
    arrive(database, catalogue, [("step", 300.0, 1e6, 192)])
    finish(worker, END)
    assert_frame_equal(stored(database, rollup_1m), before, check_exact=True)
    assert (registry.get_sample_value("ertis_rollup_tag_minutes_refused_total") or 0) > 0
    for one in (keeping, worker):
        one.close()


def test_the_newest_minutes_come_first(database: str, catalogue: Catalogue) -> None:
    """With a backlog beyond its budget, a step takes the newest minute whole and leaves the old."""
    arrive(database, catalogue, _live(range(0, 6000, 60)))
    with closing(RollupWorker(database, budget=1)) as worker:
        assert worker.step(END).marked == len(TAGS)
    of_step = pl.col("tag_id") == catalogue.tag_ids["unit/step"]
    rows = stored(database, rollup_1m).filter(of_step, pl.col("count") > 0)
    assert rows["bucket"].to_list() == [at(5940)]
    with closing(RollupWorker(database, budget=200)) as worker:
        finish(worker, END)
    assert_complete(database, catalogue, _live(range(0, 6000, 60)), END)


def test_the_open_minute_is_left_alone(database: str, catalogue: Catalogue) -> None:
    """A minute is closed two seconds after its end, not before."""
    arrive(database, catalogue, [("step", 10.0, 1.0, 192)])
    worker = RollupWorker(database)
    assert worker.step(at(61.9)).marked == 0
    assert worker.step(at(62)).marked == 1
    worker.close()


def test_one_worker_works_at_a_time(database: str, catalogue: Catalogue) -> None:
    """A second worker leaves the marks to the first one while that holds the lock."""
    arrive(database, catalogue, [("step", 10.0, 1.0, 192)])
    worker = RollupWorker(database)
    with connect(database) as first:
        first.execute("SELECT pg_advisory_xact_lock(%s)", (0x45525449_726F6C6C,))
        for work in (worker.step, worker.build):
            with pytest.raises(AlreadyAtWork):
                work(END)
    assert worker.step(END).marked == 1
    worker.close()


def test_a_failed_step_leaves_its_marks(database: str, catalogue: Catalogue) -> None:
    """What the database refuses at the end of a step takes nothing with it."""
    arrive(database, catalogue, [("step", 10.0, 1.0, 192)])
    worker = RollupWorker(database)
    with connect(database) as connection:
        connection.execute("ALTER TABLE rollup_1m ADD CONSTRAINT full_disk CHECK (count < 0)")
    with pytest.raises(psycopg.errors.CheckViolation):
        worker.step(END)
    assert _marks(database) == 1
    with connect(database) as connection:
        connection.execute("ALTER TABLE rollup_1m DROP CONSTRAINT full_disk")
    finish(worker, END)
    worker.close()
    assert_complete(database, catalogue, [("step", 10.0, 1.0, 192)], END)


def _marks(dsn: str) -> int:
    with connect(dsn) as connection:
        row = connection.execute("SELECT count(*) FROM dirty").fetchone()
    assert row is not None
    return int(row[0])


def test_a_running_worker_survives_the_loss_of_its_connections(
    database: str, catalogue: Catalogue
) -> None:
    """Connections cut by the server are made again; the rollups come in the end."""
    registry = CollectorRegistry()
    worker, stop = RollupWorker(database, registry=registry), Event()
    thread = Thread(target=worker.run, args=(stop,))
    thread.start()
    try:
        _until(lambda: _backends(database) > 0)
        with connect(database, autocommit=True) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        _until(lambda: (registry.get_sample_value("ertis_rollup_failures_total") or 0) > 0)
        arrive(database, catalogue, [("step", 10.0, 1.0, 192)])
        _until(lambda: stored(database, rollup_1m).height == 2)
    finally:
        stop.set()
        thread.join()


def _backends(dsn: str) -> int:
    with connect(dsn) as connection:
        row = connection.execute(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        ).fetchone()
    assert row is not None
    return int(row[0])


def _until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)
