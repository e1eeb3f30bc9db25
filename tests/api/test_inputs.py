"""Prepared inputs and the tags they are the sum of: one answer, whatever the worker has done."""

from collections.abc import Iterator
from contextlib import closing
from datetime import datetime, timedelta
from itertools import pairwise

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from api.inputs import sums
from api.series import bucketed
from ingest.rollup.worker import RollupWorker
from kpi.binding import Binding, bind
from kpi.catalogue.park import KPIS
from kpi.evaluate import evaluate, evaluate_sums, lineage, lineage_of_sums
from schemas.db.catalogue import Catalogue
from schemas.db.engine import connect
from schemas.db.frames import FrameReader
from schemas.db.tiers import ensure_span
from tests.ingest.rollup.smelter import HOUR, START, TAGS, Row, arrive, at, store

LEVELS = ("smelter/line-1/pot-2", "smelter/line-1", "smelter/line-2", "park")


@pytest.fixture
def catalogue(database: str) -> Catalogue:
    """A smelter in a database of the test's own."""
    with connect(database, autocommit=True) as connection:
        ensure_span(connection, "reading", START - HOUR, START + 6 * HOUR)
    return store(database, 3)


@pytest.fixture
def frames(database: str) -> Iterator[FrameReader]:
    """Reads it."""
    with FrameReader(database) as reader:
        yield reader


def energy_at(catalogue: Catalogue, asset: str) -> Binding:
    """DC energy a tonne: an integral of gauges and a total of events."""
    return bind(KPIS["dc_specific_energy"], asset, catalogue.plant, catalogue.tag_ids)


def answers(
    frames: FrameReader, catalogue: Catalogue, edges: list[datetime]
) -> Iterator[tuple[pl.DataFrame, pl.DataFrame]]:
    """Values and lineage at every level."""
    for asset in LEVELS:
        binding = energy_at(catalogue, asset)
        with frames.snapshot() as snapshot:
            found = sums(snapshot, catalogue, binding.frame, edges)
        yield evaluate_sums(binding, found, edges), lineage_of_sums(binding, found, edges)


_ROWS = st.lists(
    st.tuples(st.sampled_from(TAGS), st.integers(0, 10_000).map(float), st.floats(1.0, 1e6)),
    min_size=1,
    max_size=40,
    unique_by=lambda row: row[:2],
)
_PATTERNS = st.sampled_from(
    [
        [0.0, 3600.0, 7200.0, 10_800.0],
        [0.0, 10_800.0],
        [0.0, 900.0, 5400.0, 9000.0],
        [1234.5, 3600.0, 7200.0, 9876.0],
        [0.0, 10.0, 4000.0, 7210.0],
    ]
)


def forget(dsn: str) -> None:
    """Empty the database but for the plant."""
    with connect(dsn) as connection:
        connection.execute(
            "TRUNCATE reading, dirty, rollup_1m, rollup_1h, input_1m, input_1h, kpi_input"
        )


@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(rows=_ROWS, pattern=_PATTERNS, data=st.data())
def test_an_answer_depends_on_readings_alone(  # noqa: PLR0917 - fixtures
    database: str,
    catalogue: Catalogue,
    frames: FrameReader,
    rows: list[Row],
    pattern: list[float],
    data: st.DataObject,
) -> None:
    """Not on how far the worker is, nor on what came live and what late."""
    forget(database)
    edges = [at(seconds) for seconds in pattern]
    order = data.draw(st.permutations(rows))
    cut = data.draw(st.integers(0, len(rows)))
    with closing(RollupWorker(database, budget=data.draw(st.sampled_from([2, 100_000])))) as worker:
        for low, high in pairwise([0, cut, len(rows)]):
            arrive(database, catalogue, order[low:high])
            for _ in range(data.draw(st.integers(0, 3))):
                worker.step(at(10_900) + data.draw(st.integers(0, 3)) * HOUR / 2)
    for asset, (values, parts) in zip(LEVELS, answers(frames, catalogue, edges), strict=True):
        binding = energy_at(catalogue, asset)
        direct = bucketed(frames, catalogue, binding.tag_ids, edges)
        assert_frame_equal(values, evaluate(binding, direct, edges), rel_tol=1e-9, abs_tol=1e-9)
        assert_frame_equal(parts, lineage(binding, direct, edges), rel_tol=1e-9, abs_tol=1e-9)


@settings(
    max_examples=6,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(rows=_ROWS, data=st.data())
def test_live_equals_replay_to_the_bit(
    database: str,
    catalogue: Catalogue,
    frames: FrameReader,
    rows: list[Row],
    data: st.DataObject,
) -> None:
    """In order, minute by minute, or all at once and backwards: the same values at every level."""
    edges = [START + place * HOUR for place in range(4)]
    found = []
    live = [
        sorted((row for row in rows if row[1] // 1800 == part), key=lambda row: row[1])
        for part in range(6)
    ]
    for batches in (live, [data.draw(st.permutations(rows))]):
        forget(database)
        with closing(RollupWorker(database)) as worker:
            for place, batch in enumerate(batches):
                arrive(database, catalogue, batch)
                worker.step(at(1800 * (place + 1)) + timedelta(seconds=3))
            while worker.step(START + 5 * HOUR).marked or worker.build(START + 5 * HOUR):
                pass
        found.append(list(answers(frames, catalogue, edges)))
    for one, other in zip(*found, strict=True):
        for left, right in zip(one, other, strict=True):
            assert_frame_equal(left, right, check_exact=True)


def test_a_prepared_sum_is_used_and_a_marked_one_is_not(
    database: str, catalogue: Catalogue, frames: FrameReader
) -> None:
    """A sum that was tampered with shows in the answer, until a mark of one of its tags reaches."""
    rows: list[Row] = [(tag, 60.0 * minute, 5.0) for tag in TAGS for minute in range(180)]
    arrive(database, catalogue, rows)
    with closing(RollupWorker(database)) as worker:
        while worker.step(START + 4 * HOUR).marked or worker.build(START + 4 * HOUR):
            pass
    edges = [START, START + HOUR, START + 2 * HOUR]
    binding = energy_at(catalogue, "smelter/line-1")

    def values() -> list[float]:
        found = sums(frames, catalogue, binding.frame, edges)
        return evaluate_sums(binding, found, edges)["value"].to_list()

    true = values()
    with connect(database) as connection:
        connection.execute(
            "UPDATE input_1h SET value = 2 * value WHERE input_id = %s",
            (binding.input_ids["energy"],),
        )
    assert values() == [2 * value for value in true]
    with connect(database) as connection:
        tag_id = catalogue.tag_ids["smelter/line-1/pot-3/power"]
        connection.execute(
            "INSERT INTO dirty (bucket, tag_ids) VALUES (%s, %s)",
            (START + HOUR + timedelta(minutes=7), [tag_id]),
        )
    assert values() == [2 * true[0], pytest.approx(true[1], rel=1e-12)]
