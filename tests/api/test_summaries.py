"""Summaries: whatever rollups there are, the answer is that of the raw readings."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise
from random import Random

import polars as pl
import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from api.grid import Grid
from api.series import bucketed, rows, widest
from api.span import Span, cut, parse_zone
from api.summaries import MINUTE
from ingest.rollup.worker import RollupWorker
from kpi.calendar import Calendar
from kpi.derive import derive, derived_tags
from kpi.frames import INSTANT
from kpi.summary import summarise
from schemas.db.catalogue import Catalogue
from schemas.db.frames import FrameReader, tag_frame
from schemas.plant import model
from schemas.plant.file import load_plant
from schemas.plant.model import Derivation
from schemas.reading import Kind
from tests.api.conftest import own_database
from tests.api.demo import NOW, Row, insert, store
from tests.api.demo import PLANT as PAVLODAR

ALMATY = Calendar(parse_zone("Asia/Almaty"), parse_zone("Asia/Almaty"))
START = NOW - timedelta(hours=5)
STEP, LINEAR = "smelter/potline-1/line_current", "refinery/digestion-1/temperature"
COUNTER, STATE = "power/wind-1/wtg-01/energy", "power/wind-1/wtg-01/available"
EVENT, OPERAND = "smelter/potline-1/pot-001/metal_tapped", "smelter/potline-1/pot-001/voltage"
PRODUCT = "smelter/potline-1/pot-001/power"
SLOW = "refinery/digestion-1/spent_alumina"
POT = "smelter/potline-1/pot-001"
#: Tags by rules that look around: measure -> kind, unit, stale_after_s, derivation.
DERIVED = {
    "effect": (
        Kind.STATE,
        "1",
        60.0,
        Derivation("anode_effect", (OPERAND,), {"threshold": 250.0, "start_s": 3.0, "end_s": 60.0}),
    ),
    "swing": (
        Kind.GAUGE,
        "V",
        120.0,
        Derivation("swing", (OPERAND,), {"slot_s": 10.0, "slots": 6.0}),
    ),
    "waves": (
        Kind.GAUGE,
        "1",
        120.0,
        Derivation("above", (f"{POT}/swing",), {"limit": 250.0}),
    ),
    "gained": (Kind.EVENT, "kg/m^3", 300.0, Derivation("change", (SLOW,))),
    "weighted": (Kind.EVENT, "kg*V", 129_600.0, Derivation("weighted", (EVENT, OPERAND))),
}
TAGS = [STEP, LINEAR, COUNTER, STATE, EVENT, OPERAND, PRODUCT, SLOW]
TAGS += [f"{POT}/{measure}" for measure in DERIVED]
LONG = timedelta(days=365)
#: Mean seconds between readings.
RATES = {STEP: 20, LINEAR: 25, COUNTER: 90, STATE: 40, EVENT: 4000, OPERAND: 15, SLOW: 120}


def with_rules(plant: model.Plant) -> model.Plant:
    """*plant* with the tags of `DERIVED` at its first pot."""
    made = {
        f"{POT}/{measure}": replace(
            plant.tags[PRODUCT],
            path=f"{POT}/{measure}",
            measure=measure,
            kind=kind,
            unit=unit,
            stale_after_s=stale_after_s,
            derivation=derivation,
        )
        for measure, (kind, unit, stale_after_s, derivation) in DERIVED.items()
    }
    return replace(plant, tags={**plant.tags, **made})


def random_rows(seed: int, start: datetime, end: datetime) -> Iterator[Row]:
    """Readings of every kind of tag with silences, bad and uncertain ones."""
    chance = Random(seed)  # noqa: S311 - no secret
    for path, mean_s in RATES.items():
        ts, energy = start, chance.uniform(0, 4e9)
        while ts < end:
            energy += chance.uniform(0, 50)
            value = {COUNTER: energy % 4294967296, STATE: chance.choice([0.0, 1.0])}.get(
                path, chance.uniform(1, 500)
            )
            quality = chance.choices([192, 64, 0], [20, 2, 2])[0]
            yield path, ts, value if quality else None, quality
            pause_s = chance.expovariate(1 / mean_s) * chance.choices([1, 40], [60, 1])[0]
            ts += timedelta(milliseconds=round(pause_s * 1000) + 1)


def late_rows() -> Iterator[Row]:
    """Ten minutes of readings between those that were there."""
    start = NOW - timedelta(hours=3)
    for path, ts, value, quality in random_rows(3, start, start + timedelta(minutes=10)):
        yield path, ts + timedelta(microseconds=1), value, quality


def roll_up(dsn: str, now: datetime) -> None:
    """Let ingest's worker do all that it can at *now*."""
    worker = RollupWorker(dsn)
    try:
        while worker.step(now).marked:
            pass
    finally:
        worker.close()


class Plant:
    """The plant's readings in a database, with two ways to summarise them."""

    def __init__(self, dsn: str, catalogue: Catalogue) -> None:
        self.dsn = dsn
        self.catalogue = catalogue
        self.frames = FrameReader(dsn)
        self.ids = [catalogue.tag_ids[path] for path in TAGS]

    def answer(self, edges: Sequence[datetime]) -> pl.DataFrame:
        """As the API gives it."""
        with self.frames.snapshot() as frames:
            found = bucketed(frames, self.catalogue, self.ids, edges)
        return found.sort("tag_id", "bucket")

    def true(self, edges: Sequence[datetime]) -> pl.DataFrame:
        """From every reading that there is, bucket by bucket, with no piece put together."""
        operands = [self.catalogue.tag_ids[path] for path in RATES]
        readings = self.frames.readings(operands, START - LONG, NOW + LONG)
        tags = tag_frame(self.catalogue, self.ids)
        derived = derived_tags(self.catalogue.plant, self.catalogue.tag_ids, TAGS)
        readings = pl.concat([readings, derive(readings, derived, derived, tags)])
        parts = [
            summarise(readings, tags, start, end, every=200 * LONG).with_columns(
                bucket=pl.lit(start, dtype=INSTANT)
            )
            for start, end in pairwise(edges)
        ]
        return pl.concat(parts).sort("tag_id", "bucket")


@pytest.fixture(scope="module")
def plant(server: str, migrated: str) -> Iterator[Plant]:
    """Five hours of random readings, rolled up to a quarter of an hour ago, then changed.

    What came late is still dirty when the tests look: a worker that is behind is the case in point.
    """
    with own_database(server, migrated) as dsn:
        plant = Plant(dsn, store(dsn, with_rules(load_plant(PAVLODAR))))
        insert(dsn, plant.catalogue, random_rows(1, START, NOW - timedelta(minutes=40)))
        roll_up(dsn, NOW - timedelta(minutes=15))
        insert(dsn, plant.catalogue, random_rows(2, NOW - timedelta(minutes=39), NOW))
        insert(dsn, plant.catalogue, late_rows())
        yield plant
        plant.frames.close()


def assert_same(found: pl.DataFrame, wanted: pl.DataFrame) -> None:
    """Equal, to the rounding of sums of floats that are added in another order."""
    assert_frame_equal(found, wanted, check_exact=False, rel_tol=1e-9, abs_tol=1e-6)


spans = st.tuples(st.integers(-5 * 3600, 0), st.integers(1, 5 * 3600)).map(
    lambda given: Span(
        NOW + timedelta(seconds=given[0] - 1),
        min(NOW + timedelta(seconds=given[0] - 1 + given[1]), NOW),
    )
)


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(spans, st.sampled_from([None, "day", "2h", "1h", "30m", "17m"]))
def test_the_answer_does_not_depend_on_rollups(plant: Plant, span: Span, every: str | None) -> None:
    """Rollups, dirty marks, late readings and open minutes give what all raw readings give."""
    edges = cut(span, every, ALMATY)

    assert_same(plant.answer(edges), plant.true(edges))


@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
@given(spans, st.sampled_from(["7s", "90s", "11m"]))
def test_nor_on_the_width_of_the_buckets(plant: Plant, span: Span, every: str) -> None:
    """Buckets that no rollup fits are summarised from raw readings."""
    short = Span(max(span.start, span.end - timedelta(minutes=5)), span.end)
    edges = cut(short, every, ALMATY)

    assert_same(plant.answer(edges), plant.true(edges))


def test_rollups_are_used_where_they_are_clean_and_only_there(plant: Plant) -> None:
    """A rollup that is wrong on purpose shows; as soon as its minute is dirty it does not."""
    clean = NOW - timedelta(hours=1, minutes=30)
    edges = (clean, clean + MINUTE)
    tag_id = plant.catalogue.tag_ids[STEP]
    step = pl.col("tag_id") == tag_id

    with psycopg.connect(plant.dsn) as connection:
        connection.execute(
            "UPDATE rollup_1m SET integral = integral + 1e6 WHERE tag_id = %s AND bucket = %s",
            (tag_id, clean),
        )
    wrong = plant.answer(edges).filter(step)["integral"].item()
    with psycopg.connect(plant.dsn) as connection:
        connection.execute("INSERT INTO dirty (bucket, tag_ids) VALUES (%s, %s)", (clean, [tag_id]))
    right = plant.answer(edges).filter(step)["integral"].item()
    roll_up(plant.dsn, NOW - timedelta(minutes=15))

    assert wrong == pytest.approx(right + 1e6)
    assert right == pytest.approx(plant.true(edges).filter(step)["integral"].item())


def test_many_parts_give_what_one_gives(plant: Plant, monkeypatch: pytest.MonkeyPatch) -> None:
    """The parts in which memory is kept small do not show in the answer."""
    edges = cut(Span(START, NOW), "1h", ALMATY)
    whole = plant.answer(edges)
    monkeypatch.setattr("api.summaries._READINGS", 300)
    monkeypatch.setattr("api.summaries._ROUND_TRIP", 1)
    monkeypatch.setattr("api.series.BLOCK_ROWS", 8)

    assert_same(plant.answer(edges), whole)


@given(st.integers(0, 60), st.integers(1, 60))
@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
def test_any_part_of_a_series_is_that_part(plant: Plant, first: int, count: int) -> None:
    """Rows from any place on are the rows that stand there in the whole series."""
    edges = cut(Span(NOW - timedelta(hours=1), NOW), "7m", ALMATY)
    grid = Grid(plant.ids, edges)
    stop = min(first + count, len(grid))
    with plant.frames.snapshot() as frames:
        whole = pl.concat(rows(frames, plant.catalogue, grid, 0, len(grid)))
        part = pl.concat([whole[:0], *rows(frames, plant.catalogue, grid, first, stop)])

    assert whole.height == len(grid)
    assert_same(part, whole[first:stop])
    assert all(grid.place(grid.key(place)) == place for place in range(first, stop))


@pytest.mark.parametrize(
    ("every", "width"),
    [("day", timedelta(hours=1)), ("90m", timedelta(minutes=1)), ("90s", timedelta(seconds=90))],
)
def test_the_widest_usable_summary_is_taken(every: str, width: timedelta) -> None:
    """Days of a zone at full hours are made of hours, 90 minutes of minutes, 90 s of readings."""
    span = Span(NOW - timedelta(days=3), NOW)

    assert widest(cut(span, every, ALMATY)) == width
