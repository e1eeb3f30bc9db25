"""Report by exception: which readings go out."""

from hypothesis import given
from hypothesis import strategies as st

from edge.exception import ExceptionReport, Rule
from schemas.quality import Quality
from schemas.reading import Reading


def run(rule: Rule, *points: tuple[int, float | None]) -> list[tuple[int, float | None]]:
    """What is reported of (time [s], value) points of one tag."""
    report = ExceptionReport({"a": rule})
    return [
        (reading.ts_ms // 1000, reading.value)
        for second, value in points
        for reading in report.filter(
            [Reading("a", second * 1000, value, Quality.BAD if value is None else Quality.GOOD)]
        )
    ]


def test_changes_within_the_deadband_are_withheld() -> None:
    """A change of exactly the deadband is none; the sum of small ones is."""
    rule = Rule(1.0, 60_000)

    assert run(rule, (0, 10.0), (1, 11.0), (2, 10.4), (3, 11.01)) == [(0, 10.0), (3, 11.01)]


def test_a_deadband_of_zero_reports_every_change() -> None:
    """The smallest step goes out, a repeat does not."""
    assert run(Rule(0.0, 60_000), (0, 1.0), (1, 1.0), (2, 1.0000001)) == [(0, 1.0), (2, 1.0000001)]


def test_a_silence_is_broken_with_the_time_of_the_scan() -> None:
    """After 20 s without a change the value goes out again, as seen then."""
    points = [(second, 5.0) for second in range(50)]

    assert run(Rule(1.0, 20_000), *points) == [(0, 5.0), (20, 5.0), (40, 5.0)]


def test_a_maximum_silence_of_zero_reports_every_scan() -> None:
    """Every scan with a time of its own goes out, the same scan read twice does not."""
    assert run(Rule(0.0, 0), (0, 5.0), (1, 5.0), (1, 5.0), (2, 5.0)) == [
        (0, 5.0),
        (1, 5.0),
        (2, 5.0),
    ]


def test_a_scan_read_twice_makes_no_corner() -> None:
    """The reading withheld before a change is an older one than that reported, never the same."""
    rule = Rule(0.0, 60_000, linear=True)

    assert run(rule, (0, 5.0), (0, 5.0), (1, 6.0), (2, 6.0), (2, 6.0), (3, 7.0)) == [
        (0, 5.0),
        (1, 6.0),
        (2, 6.0),
        (3, 7.0),
    ]


def test_corners_are_counted() -> None:
    """Two readings go out for the one that changed; one of them was withheld before."""
    report = ExceptionReport({"a": Rule(0.0, 60_000, linear=True)})
    reported = [
        len(report.filter([Reading("a", ts_ms, value)]))
        for ts_ms, value in ((0, 1.0), (1000, 1.0), (2000, 2.0))
    ]

    assert reported == [1, 0, 2]
    assert report.corners == 1


def test_a_clock_that_is_set_back_begins_a_new_series() -> None:
    """An hour back, the value is reported at once, and then silent again."""
    assert run(Rule(1.0, 20_000), (3600, 5.0), (0, 5.0), (1, 5.0)) == [(3600, 5.0), (0, 5.0)]


def test_a_change_of_quality_is_always_reported() -> None:
    """Bad after good and good after bad go out whatever the value."""
    assert run(Rule(9.0, 60_000), (0, 5.0), (1, None), (2, None), (3, 5.0)) == [
        (0, 5.0),
        (1, None),
        (3, 5.0),
    ]


def test_a_straight_line_keeps_its_corner() -> None:
    """Before the jump of a linear tag the last value withheld goes out, of a step tag it does not.

    Without it the line from (0, 10) to (9, 20) would add 45 unit-seconds that never were.
    """
    points = [(0, 10.0), (4, 10.1), (8, 10.2), (9, 20.0)]

    assert run(Rule(1.0, 60_000, linear=True), *points) == [(0, 10.0), (8, 10.2), (9, 20.0)]
    assert run(Rule(1.0, 60_000), *points) == [(0, 10.0), (9, 20.0)]


def test_a_lost_device_leaves_one_bad_reading_for_each_tag_that_was_seen() -> None:
    """The last value seen, bad, behind it in time; nothing twice and nothing of unseen tags."""
    report = ExceptionReport({"a": Rule(1.0, 60_000), "b": Rule(1.0, 60_000)})
    report.filter([Reading("a", 5_000, 10.0)])
    report.filter([Reading("a", 6_000, 10.5)])

    assert report.lost(4_000) == [Reading("a", 6_001, 10.5, Quality.BAD)]
    assert report.lost(7_000) == []


@given(
    st.lists(st.floats(-10, 10), min_size=1, max_size=50),
    st.floats(0, 3),
    st.booleans(),
)
def test_what_is_held_is_never_further_off_than_the_deadband(
    values: list[float], deadband: float, linear: bool
) -> None:
    """At every scan the last reported value is within the deadband of the value seen."""
    report = ExceptionReport({"a": Rule(deadband, 10_000, linear)})
    held = float("nan")
    for second, value in enumerate(values):
        for reading in report.filter([Reading("a", second * 1000, value)]):
            assert reading.value is not None
            held = reading.value
        assert abs(held - value) <= deadband
