"""Clock skew."""

from hypothesis import given
from hypothesis import strategies as st

from ingest.skew import WINDOW_MS, ClockSkew


@given(st.integers(-(10**9), 10**9), st.lists(st.integers(0, 5000), min_size=1))
def test_estimate_is_offset_and_shortest_delay(offset_ms: int, delays: list[int]) -> None:
    """Delays only ever add to the offset, so the smallest difference is nearest to it."""
    skew = ClockSkew()
    sent_ms = 10 * WINDOW_MS
    for delay in delays:
        skew.see(sent_ms - offset_ms, sent_ms + min(delay, WINDOW_MS - 1))

    assert skew.estimate_ms == offset_ms + min(delays)


def test_a_clock_that_is_set_shows_after_a_window() -> None:
    """An old estimate does not outlive the next full window."""
    skew = ClockSkew()
    for minute in range(4):
        offset_ms = 90_000 if minute == 0 else 0
        skew.see(minute * WINDOW_MS - offset_ms, minute * WINDOW_MS)

    assert skew.estimate_ms == 0
