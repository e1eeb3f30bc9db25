"""Signed periods: what is frozen, what is noted, what opening them again does."""

import json
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal
from typer.testing import CliRunner

from ingest.__main__ import app
from ingest.periods import reopen, sign
from ingest.rollup.signed import Signed, signed, unsigned
from ingest.rollup.worker import RollupWorker
from kpi.frames import SUMMARY
from schemas.db.catalogue import Catalogue, load_catalogue, store_plant
from schemas.db.engine import connect, make_engine
from schemas.db.periods import find_frozen, late_tags, periods
from schemas.db.tables import rollup_1h, rollup_1m
from schemas.db.tiers import ensure_span
from schemas.errors import RequestError
from schemas.plant.file import parse_plant
from tests.ingest.rollup.unit import (
    MINUTE,
    PLANT,
    START,
    TAGS,
    Row,
    arrive,
    assert_complete,
    direct,
    finish,
    stored,
)

DAY = "2026-03-01"
MIDNIGHT = datetime(2026, 3, 2, tzinfo=UTC)
NOW = MIDNIGHT + timedelta(minutes=30)
#: Seconds from START to midnight.
LAST = (MIDNIGHT - START).total_seconds()
LIVE: list[Row] = [
    (measure, seconds, float(place + seconds % 7), 192)
    for seconds in (0.0, 3600.0, 3661.0, LAST - 40, LAST + 50, LAST + 120)
    for place, measure in enumerate(TAGS)
]


@pytest.fixture
def engine(database: str) -> Iterator[sa.Engine]:
    """An engine on the test's own database."""
    made = make_engine(database)
    yield made
    made.dispose()


@pytest.fixture
def catalogue(database: str, engine: sa.Engine) -> Catalogue:
    """A plant with every kind of tag whose day is summarised and signed."""
    with engine.begin() as connection:
        store_plant(connection, parse_plant(PLANT))
        found = load_catalogue(connection)
    with connect(database, autocommit=True) as connection:
        ensure_span(connection, "reading", START - timedelta(hours=1), NOW)
    arrive(database, found, LIVE)
    settle(database)
    with engine.begin() as connection:
        sign(connection, DAY, "A. Akhmetova", "month end", NOW)
    return found


def settle(dsn: str) -> int:
    """Let the worker do all there is to do; how many hours of tags it noted as late."""
    with closing(RollupWorker(dsn)) as worker:
        noted = 0
        while (step := worker.step(NOW)).marked:
            noted += step.late
        finish(worker, NOW)
    return noted


def rollups(dsn: str) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Both tiers."""
    return stored(dsn, rollup_1m), stored(dsn, rollup_1h)


def signed_day(rows: pl.DataFrame) -> pl.DataFrame:
    """What of them is in the signed day."""
    return rows.filter(pl.col("bucket") < MIDNIGHT)


def test_late_readings_are_stored_and_change_nothing_signed(
    database: str, catalogue: Catalogue, engine: sa.Engine
) -> None:
    """Both rollups stay to the bit, for every kind of tag; hours that would change are noted."""
    before = rollups(database)

    arrive(database, catalogue, [(measure, 3630.0, 500.0, 192) for measure in TAGS])
    noted = settle(database)

    for kept, found in zip(before, rollups(database), strict=True):
        assert_frame_equal(signed_day(found), signed_day(kept), check_exact=True)
    with engine.connect() as connection:
        (period,) = periods(connection)
        assert period == find_frozen(connection, DAY)
        late = late_tags(connection, [period], period.start, period.end)
        hours = {row.tag: (row.hours, row.first) for row in late}
        count = connection.scalar(sa.text("SELECT count(*) FROM reading WHERE value = 500"))
    once = (1, START + timedelta(hours=1))
    assert {f"unit/{measure}": once for measure in TAGS}.items() <= hours.items()
    assert "unit/product" in hours
    assert (period.late, count) == (noted, len(TAGS))


def test_what_it_changes_behind_the_period_is_applied(database: str, catalogue: Catalogue) -> None:
    """A value that holds over midnight belongs to the next day from there on."""
    arrive(database, catalogue, [("step", LAST - 20, 99.0, 192)])
    settle(database)

    minutes = stored(database, rollup_1m).filter(pl.col("tag_id") == catalogue.tag_ids["unit/step"])
    expected = direct(catalogue, [*LIVE, ("step", LAST - 20, 99.0, 192)], NOW)
    behind = expected.filter(
        pl.col("tag_id") == catalogue.tag_ids["unit/step"], pl.col("bucket") >= MIDNIGHT
    )
    assert_frame_equal(minutes.filter(pl.col("bucket") >= MIDNIGHT), behind, check_exact=True)
    assert behind["integral"][0] != stored_integral(minutes, MIDNIGHT - MINUTE)


def stored_integral(minutes: pl.DataFrame, bucket: datetime) -> float:
    """The integral of one minute."""
    return float(minutes.filter(pl.col("bucket") == bucket)["integral"].item())


def test_a_reading_that_says_the_same_is_not_late(database: str, catalogue: Catalogue) -> None:
    """A repeat marks its minute and changes nothing, so there is nothing to note."""
    arrive(database, catalogue, [("step", 3600.0, LIVE[len(TAGS)][2], 192)])

    assert settle(database) == 0


def test_opening_it_again_applies_what_was_late(
    database: str, catalogue: Catalogue, engine: sa.Engine
) -> None:
    """Then the rollups are those of all readings, derived tags too; the signature stays listed."""
    rows: list[Row] = [
        ("left", 3650.0, 7.0, 192),
        ("counter", 1800.0, 900.0, 192),
        ("event", 5000.0, 3.0, 192),
    ]
    arrive(database, catalogue, rows)
    noted = settle(database)

    with engine.begin() as connection:
        hours = reopen(connection, DAY, "A. Akhmetova", "meter read again", NOW)
    settle(database)

    assert hours == noted
    assert_complete(database, catalogue, [*LIVE, *rows], NOW)
    with engine.connect() as connection:
        (period,) = periods(connection)
    assert (period.reopened_by, period.reopened_reason) == ("A. Akhmetova", "meter read again")
    assert (period.signed_by, period.late) == ("A. Akhmetova", noted)


def test_it_can_be_signed_anew(database: str, catalogue: Catalogue, engine: sa.Engine) -> None:
    """Each signature is a row of its own; of an open period none is in force."""
    with engine.begin() as connection:
        reopen(connection, DAY, "B", "again", NOW)
    settle(database)
    with engine.begin() as connection:
        sign(connection, "2026-03-01", "C", "corrected", NOW)

    with engine.connect() as connection:
        found = [(row.signed_by, row.reopened_at is None) for row in periods(connection)]
    assert found == [("A. Akhmetova", False), ("C", True)]


def test_what_cannot_be_signed_is_refused(
    database: str, catalogue: Catalogue, engine: sa.Engine
) -> None:
    """No period, one that is not over, one that is signed, one that is still being summarised."""
    arrive(database, catalogue, [("step", -36_600.0, 1.0, 192)])
    for name, said in (
        ("March", "2026-10"),
        ("2026-03", "sign it then"),
        ("2026-03-02", "sign it then"),
        ("2026-03-01", "2026-03-01 is signed"),
        ("2026-02-28", "wait for the rollup worker"),
    ):
        with pytest.raises(RequestError, match=said), engine.begin() as connection:
            sign(connection, name, "A", "because", NOW)


@pytest.mark.usefixtures("catalogue")
def test_only_what_is_signed_can_be_opened(engine: sa.Engine) -> None:
    """The nearest signed one is named."""
    with (
        pytest.raises(RequestError, match="did you mean '2026-03-01'"),
        engine.begin() as connection,
    ):
        reopen(connection, "2026-03-02", "A", "because", NOW)


def test_the_command_line_signs_lists_and_opens(
    database: str, catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What an accountant types; JSON where no terminal is."""
    monkeypatch.setenv("ERTIS_DSN", database)
    arrive(database, catalogue, [("step", 3630.0, 500.0, 192)])
    settle(database)
    why = ["--by", "A", "--reason", "late meter"]

    def run(*words: str) -> str:
        done = CliRunner().invoke(app, ["periods", *words])
        assert done.exit_code == 0, done.output
        return done.output

    (listed,) = map(json.loads, run("list").splitlines())
    (found,) = map(json.loads, run("late", DAY).splitlines())
    assert (listed["name"], listed["late"], found["tag"]) == (DAY, 1, "unit/step")
    assert "open again; 1 hours" in run("reopen", DAY, *why)
    settle(database)
    assert "is signed; 0 gaps" in run("sign", DAY, *why)
    assert len(run("list", "--json").splitlines()) == 2


minutes = st.integers(0, 40)
spans = st.lists(
    st.tuples(st.integers(1, 3), minutes, minutes).map(lambda s: (s[0], s[1], s[1] + s[2] + 1))
)
cuts = st.lists(minutes, max_size=8, unique=True).map(sorted)


@given(spans, cuts)
def test_signed_and_unsigned_minutes_are_all_minutes(
    given_spans: list[tuple[int, int, int]], edges: list[int]
) -> None:
    """Each minute of a span is once in one of both, in a period if and only if that is signed."""
    frame = pl.DataFrame(given_spans, schema=["tag_id", "start", "end"], orient="row").cast(
        pl.Int64
    )
    chosen = [
        Signed(place, low, high)
        for place, (low, high) in enumerate(zip(edges[::2], edges[1::2], strict=False))
    ]

    outside = _minutes(unsigned(frame, chosen))
    inside = [minute for _, part in signed(frame, chosen) for minute in _minutes(part)]

    assert sorted([*outside, *inside]) == sorted(_minutes(frame))
    assert all(any(p.start <= m < p.end for p in chosen) for _, m in inside)
    assert not any(any(p.start <= m < p.end for p in chosen) for _, m in outside)


def _minutes(frame: pl.DataFrame) -> list[tuple[int, int]]:
    return [(tag, m) for tag, low, high in frame.iter_rows() for m in range(low, high)]


def test_summaries_have_no_column_that_is_not_compared() -> None:
    """Whatever a summary holds, a difference in it is noted."""
    assert set(SUMMARY) == {column.name for column in rollup_1m.columns}
