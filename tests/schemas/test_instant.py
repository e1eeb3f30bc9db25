"""Instants on the wire and in Python."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.instant import from_ms, to_ms

#: Year 1 to year 9999 in milliseconds since 1970.
MILLISECONDS = st.integers(-62_135_596_800_000, 253_402_300_799_999)


@given(MILLISECONDS)
def test_milliseconds_survive_the_round_trip(ms: int) -> None:
    """Every millisecond that a datetime can hold, exactly: no float is on the way."""
    assert to_ms(from_ms(ms)) == ms


@given(MILLISECONDS, st.integers(-23, 23))
def test_the_zone_does_not_change_the_instant(ms: int, hours: int) -> None:
    """One instant has one number, in whatever zone it is written."""
    instant = from_ms(ms)
    try:
        elsewhere = instant.astimezone(timezone(timedelta(hours=hours)))
    except OverflowError:
        return

    assert to_ms(elsewhere) == ms


def test_parts_of_a_millisecond_are_rounded_down() -> None:
    """Before 1970 too: an instant never moves into the future."""
    assert to_ms(datetime(1970, 1, 1, 0, 0, 0, 1999, tzinfo=UTC)) == 1
    assert to_ms(datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)) == -1


def test_a_naive_time_is_refused() -> None:
    """A local time without its zone is not an instant."""
    with pytest.raises(ValueError, match="no time zone"):
        to_ms(datetime(2026, 11, 21))  # noqa: DTZ001 - what must be refused
