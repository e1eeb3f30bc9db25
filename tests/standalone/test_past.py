"""The past of a simulated park is one that its agents could have told."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl
import psycopg
import pytest

from schemas.plant.file import load_plant
from schemas.reading import Kind
from simulator.memory import Memory
from simulator.park import Park
from standalone.__main__ import prepare
from standalone.past import STEP_MS, write_past

PLANT: Final = load_plant(Path(__file__).parents[2] / "plants" / "pavlodar.toml")
HOURS: Final = 0.5


@pytest.fixture
def memory(tmp_path: Path) -> Path:
    """Where the PLCs of the simulated park keep what they know."""
    return tmp_path / "simulator.json"


@pytest.fixture
def dsn(database: str, memory: Path) -> str:
    """A database with the plant and its past."""
    prepare(database, PLANT)
    write_past(database, PLANT, memory, HOURS)
    return database


@pytest.fixture
def connection(dsn: str) -> Iterator[psycopg.Connection]:
    """To that database."""
    with psycopg.connect(dsn) as opened:
        yield opened


def readings(connection: psycopg.Connection) -> pl.DataFrame:
    """All readings: path, ts [UTC ms], value; by tag and time."""
    rows = connection.execute(
        "SELECT path, (1000 * extract(epoch FROM ts))::int8, value, quality"
        " FROM reading JOIN tag ON tag.id = tag_id ORDER BY 1, 2"
    ).fetchall()
    return pl.DataFrame(rows, ["path", "ts", "value", "quality"], orient="row")


def test_every_measured_tag_has_readings_that_hold(connection: psycopg.Connection) -> None:
    """No tag is silent for longer than its last value holds, from the start to the end."""
    found = readings(connection)
    end = found["ts"].max()
    assert isinstance(end, int)
    for (path,), rows in found.group_by("path"):
        tag = PLANT.tags[str(path)]
        if tag.kind is not Kind.EVENT:
            times = [*rows["ts"], end]
            assert max(np.diff(times)) <= 1000 * tag.stale_after_s, path
            assert times[0] <= end - HOURS * 3_600_000 + 2 * STEP_MS

    measured = {tag.path for tag in PLANT.tags.values() if tag.derivation is None}
    silent = measured - set(found["path"])
    # A pot's turn to be tapped has not come yet.
    assert {PLANT.tags[path].kind for path in silent} <= {Kind.EVENT}
    assert set(found["quality"]) == {192}


def test_totalisers_go_on(connection: psycopg.Connection, memory: Path) -> None:
    """The simulator starts where the past ends: no totaliser falls."""
    found = readings(connection).group_by("path").agg(pl.last("value"), pl.last("ts"))
    last = dict(zip(found["path"], found["value"], strict=True))
    now_ms = found["ts"].max()
    assert isinstance(now_ms, int)
    park = Park(PLANT, now_ms + 1000, 1, memory=Memory(memory).load())
    counters = 0
    for path, value in zip(park.paths, park.values(), strict=True):
        tag = PLANT.tags[path]
        if tag.kind is Kind.COUNTER:
            counters += 1
            # What is within the deadband was not told.
            assert value >= last[path] - tag.deadband, path

    assert counters > 0


def test_every_minute_waits_to_be_summarised(connection: psycopg.Connection) -> None:
    """All of them, with the tags that have readings in it, and no others."""
    marked = connection.execute("SELECT bucket, unnest(tag_ids) FROM dirty").fetchall()
    had = connection.execute(
        "SELECT DISTINCT date_trunc('minute', ts), tag_id FROM reading"
    ).fetchall()

    assert sorted(marked) == sorted(had)


def test_a_park_that_has_run_keeps_its_own_past(dsn: str, memory: Path) -> None:
    """A second start writes nothing; nor does one without hours."""
    with psycopg.connect(dsn) as connection:
        before = connection.execute("SELECT count(*), max(ts) FROM reading").fetchone()
        kept = memory.read_bytes()
        write_past(dsn, PLANT, memory, HOURS)
        memory.unlink()
        write_past(dsn, PLANT, memory, 0)

        assert connection.execute("SELECT count(*), max(ts) FROM reading").fetchone() == before
        assert not memory.exists()
        assert kept
