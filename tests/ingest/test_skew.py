"""Clock skew."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.skew import RECENT, ClockSkew


@given(st.integers(-(10**9), 10**9), st.lists(st.integers(0, 10**7), max_size=RECENT // 2))
def test_late_messages_do_not_move_it(offset_ms: int, late: list[int]) -> None:
    """As long as most messages come at once, the estimate is the offset of the clock."""
    skew = ClockSkew()
    for delay in [*late, *[0] * (RECENT - len(late))]:
        skew.see(-offset_ms, delay)

    assert skew.estimate_ms == offset_ms


def test_a_clock_that_is_set_is_followed() -> None:
    """After half as many messages as are kept, the old offset is forgotten."""
    skew = ClockSkew()
    for _ in range(RECENT):
        skew.see(0, 90_000)
    for _ in range(RECENT // 2 + 1):
        skew.see(0, 0)

    assert skew.estimate_ms == 0


def test_before_the_first_message() -> None:
    """Nothing is known, so nothing is claimed."""
    assert ClockSkew().estimate_ms == 0


@pytest.mark.parametrize("sent_ms", [0, 1, 2**63, 2**64 - 1])
def test_a_clock_beyond_any_calendar_fits_its_column(sent_ms: int) -> None:
    """A device whose clock begins in 1970 must not hold the writer up: the column is an int4."""
    skew = ClockSkew()
    skew.see(sent_ms, 1_800_000_000_000)

    assert abs(skew.estimate_ms) == 2**31 - 1
