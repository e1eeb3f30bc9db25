"""The swinging door: what it keeps, and how far points and averages may be off for it."""

from bisect import bisect_left
from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.exception import ExceptionReport, Rule
from schemas.quality import Quality
from schemas.reading import Reading

Point = tuple[float, float]
#: Rounding of values of some 1e3 over spans of some 1e5 ms, not a weaker bound.
ROUNDING = 1e-9


def kept(
    points: Sequence[tuple[int, float]], deviation: float, silence_ms: int = 1 << 40
) -> list[Point]:
    """What goes out of (time [ms], value) points; the last of all too, to end the line there."""
    report = ExceptionReport({"a": Rule(0.0, silence_ms, linear=True, deviation=deviation)})
    found = [r for ts_ms, value in points for r in report.filter([Reading("a", ts_ms, value)])]
    ends_ms = {r.ts_ms for r in found}
    line = [(float(r.ts_ms), r.value) for r in found if r.value is not None]
    return line if points[-1][0] in ends_ms else [*line, (float(points[-1][0]), points[-1][1])]


def value_at(line: Sequence[Point], at: float) -> float:
    """The height of a line of straight pieces."""
    place = max(1, bisect_left(line, (at,)))
    (t0, v0), (t1, v1) = line[place - 1], line[place]
    return v0 + (v1 - v0) * (at - t0) / (t1 - t0)


def average(line: Sequence[Point], start: float, end: float) -> float:
    """The time average of a line of straight pieces over [start, end]."""
    corners = [start, *(at for at, _ in line if start < at < end), end]
    area = sum((value_at(line, a) + value_at(line, b)) / 2 * (b - a) for a, b in pairwise(corners))
    return area / (end - start)


@st.composite
def series(draw: st.DrawFn) -> list[tuple[int, float]]:
    """Readings at uneven distances: levels, ramps and noise."""
    steps = draw(st.lists(st.integers(1, 5_000), min_size=1, max_size=60))
    values = draw(st.lists(st.floats(-1e3, 1e3), min_size=len(steps) + 1, max_size=len(steps) + 1))
    times = [0]
    for step in steps:
        times.append(times[-1] + step)
    return list(zip(times, values, strict=True))


@given(series(), st.floats(0, 500), st.sampled_from([1 << 40, 7_000]))
def test_no_point_is_off_by_more_than_the_deviation(
    points: list[tuple[int, float]], deviation: float, silence_ms: int
) -> None:
    """At every reading the kept line passes within the deviation."""
    line = kept(points, deviation, silence_ms)

    for at, value in points:
        assert abs(value_at(line, at) - value) <= deviation + ROUNDING


@given(series(), st.floats(0, 500), st.floats(0, 1), st.floats(0, 1))
def test_no_average_is_off_by_more_than_the_deviation(
    points: list[tuple[int, float]], deviation: float, one: float, other: float
) -> None:
    """Over any span, wherever it is cut, the averages differ by the deviation at the most."""
    raw = [(float(at), value) for at, value in points]
    last = raw[-1][0]
    start, end = sorted((one * last, other * last))
    if end - start < 1e-3:  # shorter than a microsecond: a point, which the test above holds
        start, end = 0.0, last
    difference = average(kept(points, deviation), start, end) - average(raw, start, end)

    assert abs(difference) <= deviation + ROUNDING


def test_the_bound_for_averages_cannot_be_smaller() -> None:
    """0, E, E ... E, 0 is kept as its ends alone: off by E (1 - 1/n), which comes near E."""
    steps, deviation = 1000, 2.0
    points = [(k * 1000, 0.0 if k in (0, steps) else deviation) for k in range(steps + 1)]
    line = kept(points, deviation)

    assert line == [(0.0, 0.0), (steps * 1000.0, 0.0)]
    off = average([(float(t), v) for t, v in points], 0, steps * 1000) - average(
        line, 0, steps * 1000
    )
    assert off == pytest.approx(deviation * (1 - 1 / steps))


def test_a_ramp_needs_its_ends_alone() -> None:
    """A tank that fills evenly for an hour: two readings instead of 3600 (a deadband takes 60)."""
    points = [(s * 1000, s / 60) for s in range(3601)]

    assert len(kept(points, 0.1)) == 2


def test_bristols_own_doors_would_let_a_point_off_by_more() -> None:
    """Doors not past parallel at (2, -1) although the line to it misses (1, 1) by 1.5."""
    assert kept([(0, 0.0), (1, 1.0), (2, -1.0)], 1.0) == [(0.0, 0.0), (1.0, 1.0), (2.0, -1.0)]


def test_a_change_of_quality_ends_the_line() -> None:
    """The last good reading goes out, then the bad one, then the first good one again."""
    report = ExceptionReport({"a": Rule(0.0, 60_000, linear=True, deviation=1.0)})
    readings = [
        Reading("a", 0, 1.0),
        Reading("a", 1000, 1.1),
        Reading("a", 2000, 1.2),
        Reading("a", 3000, None, Quality.BAD),
        Reading("a", 4000, None, Quality.BAD),
        Reading("a", 5000, 9.0),
    ]

    assert report.filter(readings) == [readings[k] for k in (0, 2, 3, 4, 5)]


def test_a_silence_is_broken_by_a_reading_of_the_line() -> None:
    """A level that stands still goes out every 20 s, with the time at which it was seen."""
    report = ExceptionReport({"a": Rule(0.0, 20_000, linear=True, deviation=1.0)})
    seen = [Reading("a", second * 1000, 5.0) for second in range(50)]

    assert [reading.ts_ms for reading in report.filter(seen)] == [0, 20_000, 40_000]


def test_a_bad_reading_is_repeated_too() -> None:
    """A transmitter that is broken for a minute is not taken for a dead agent."""
    report = ExceptionReport({"a": Rule(0.0, 20_000, linear=True, deviation=1.0)})
    seen = [Reading("a", second * 1000, None, Quality.BAD) for second in range(50)]

    assert [reading.ts_ms for reading in report.filter(seen)] == [0, 20_000, 40_000]


def test_the_same_scan_read_again_is_nothing_new() -> None:
    """A slow PLC shows one time twice; a clock that was set back begins anew."""
    report = ExceptionReport({"a": Rule(0.0, 20_000, linear=True, deviation=1.0)})
    times = [1000, 1000, 2000, 2000, 500, 600]

    found = [r.ts_ms for ts_ms in times for r in report.filter([Reading("a", ts_ms, 5.0)])]

    assert found == [1000, 2000, 500]


@given(series(), st.floats(0.001, 500))
def test_a_deadband_on_a_line_is_off_by_less_than_twice_its_width(
    points: list[tuple[int, float]], deadband: float
) -> None:
    """What `edge.exception` states of linear tags without a door."""
    report = ExceptionReport({"a": Rule(deadband, 1 << 40, linear=True)})
    found = [r for at, value in points for r in report.filter([Reading("a", at, value)])]
    line = [(float(r.ts_ms), r.value) for r in found if r.value is not None]
    raw = [(float(at), value) for at, value in points if at <= line[-1][0]]
    if len(line) > 1:
        difference = average(line, 0, line[-1][0]) - average(raw, 0, line[-1][0])
        assert abs(difference) < 2 * deadband + ROUNDING
