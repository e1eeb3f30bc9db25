"""Charts: first, min, max and last of every pixel, whatever it is made of."""

from collections.abc import Iterator
from datetime import timedelta
from itertools import pairwise

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.app import create_app
from api.plot import edges as pixel_edges
from api.span import Span
from ingest.rollup.worker import RollupWorker
from tests.api.answers import get, rows
from tests.api.conftest import SETTINGS, frozen, own_database, serving
from tests.api.demo import LINE, NOW, insert, instants, store_pavlodar

TAG = f"{LINE}/line_current"


@given(st.integers(1, 3000), st.integers(1, 400 * 86_400_000), st.integers(0, 10**9))
def test_pixels_tile_the_span(count: int, length_ms: int, offset_s: int) -> None:
    """In order, without a hole, never more than asked for, none moved by more than half of one."""
    start = NOW - timedelta(days=800) + timedelta(milliseconds=offset_s % 1000)
    span = Span(start, start + timedelta(milliseconds=length_ms))

    edges = pixel_edges(span, count)

    assert (edges[0], edges[-1]) == (span.start, span.end)
    assert all(before < after for before, after in pairwise(edges))
    assert len(edges) - 1 <= count
    width = (span.end - span.start) / count
    if width >= timedelta(milliseconds=1):
        assert len(edges) - 1 >= count - 1
        assert max(b - a for a, b in pairwise(edges)) <= 2 * width + timedelta(microseconds=1)


@pytest.fixture(scope="module")
def rolled_up(server: str, migrated: str) -> Iterator[httpx.Client]:
    """Two days of a saw tooth with one peak, rolled up but for the last hours."""
    start = NOW - timedelta(days=2)
    with own_database(server, migrated) as dsn:
        insert(
            dsn,
            store_pavlodar(dsn),
            (
                (TAG, ts, 999.0 if i == 3333 else 100.0 + i % 11, 192)
                for i, ts in enumerate(instants(start, NOW - timedelta(minutes=5), 30))
            ),
        )
        worker = RollupWorker(dsn)
        while worker.step(NOW - timedelta(hours=3)).marked:
            pass
        worker.close()
        with serving(create_app(SETTINGS, dsn, frozen)) as client:
            yield client


@pytest.mark.parametrize("pixels", [1, 7, 40, 1000])
def test_a_pixel_is_that_of_the_raw_readings(rolled_up: httpx.Client, pixels: int) -> None:
    """Of hours, of minutes or of readings: between its own edges every value is theirs."""
    readings = rows(get(rolled_up, tag=TAG, **{"from": "-2d", "to": "now"}))
    found = rows(
        get(rolled_up, tag=TAG, mode="plot", pixels=pixels, **{"from": "-2d", "to": "now"})
    )

    for pixel in found:
        inside = [
            reading
            for reading in readings
            if str(pixel["start"]) <= str(reading["ts"]) < str(pixel["end"])
        ]
        values = [float(str(reading["value"])) for reading in inside]
        assert pixel["count"] == len(inside)
        if not inside:
            continue
        assert (pixel["min"], pixel["max"]) == (min(values), max(values))
        assert (pixel["first"], pixel["first_ts"]) == (values[0], inside[0]["ts"])
        assert (pixel["last"], pixel["last_ts"]) == (values[-1], inside[-1]["ts"])
    assert sum(int(str(pixel["count"])) for pixel in found) == len(readings)
    assert 999.0 in [pixel["max"] for pixel in found]


def test_the_time_of_an_extreme_is_given_where_it_is_known(rolled_up: httpx.Client) -> None:
    """Of readings always; of a rollup where the extreme is its first or last value."""
    peak = NOW - timedelta(days=2) + timedelta(seconds=30 * 3333)
    around = {"from": (peak - timedelta(hours=1)).isoformat(), "to": peak.isoformat()}
    around["to"] = (peak + timedelta(hours=1)).isoformat()
    fine = rows(get(rolled_up, tag=TAG, mode="plot", pixels=1000, **around))
    (coarse,) = rows(get(rolled_up, tag=TAG, mode="plot", pixels=1, **around))

    (pixel,) = [pixel for pixel in fine if pixel["max"] == 999.0]
    assert pixel["max_ts"] == peak.isoformat().replace("+00:00", "Z")
    assert (coarse["max"], coarse["max_ts"]) == (999.0, None)
    for pixel in fine:
        if pixel["count"]:
            assert str(pixel["start"]) <= str(pixel["min_ts"]) < str(pixel["end"])


def test_a_pixel_without_readings_says_whether_a_value_held(rolled_up: httpx.Client) -> None:
    """No reading, yet covered: the last one still holds. A silence is not covered."""
    span = {"from": "-10m", "to": "now"}
    found = rows(get(rolled_up, tag=TAG, mode="plot", pixels=60, **span))

    held = [pixel for pixel in found if pixel["count"] == 0 and pixel["coverage"] == 1.0]
    silent = [pixel for pixel in found if pixel["coverage"] == 0.0]
    assert held
    assert silent
    assert all(pixel["min"] is None for pixel in (*held, *silent))
