"""Cursors."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.cursor import Cursor, fingerprint
from schemas.errors import RequestError

numbers = st.integers(0, 2**53 - 2)


@given(numbers, numbers, numbers)
def test_a_cursor_comes_back_as_it_went(first: int, second: int, start: int) -> None:
    """Encoding loses nothing."""
    cursor = Cursor("request", (first, second), (start, start + 1))
    assert Cursor.decode(cursor.encode(), "request") == cursor


@given(st.text(max_size=60))
def test_any_other_text_is_refused(text: str) -> None:
    """A cursor that was not made here is an error of the caller, never of ours."""
    with pytest.raises(RequestError, match="cursor"):
        Cursor.decode(text, "request")


@pytest.mark.parametrize("numbers", [(1, 1, 5, 5), (1, 1, 9, 5), (-1, 0, 0, 1), (1, 2**60, 0, 1)])
def test_numbers_out_of_place_are_refused(numbers: tuple[int, int, int, int]) -> None:
    """A forged cursor reaches neither the database nor the calendar."""
    first, second, start, end = numbers
    forged = Cursor("request", (first, second), (start, end)).encode()
    with pytest.raises(RequestError, match="unchanged"):
        Cursor.decode(forged, "request")


def test_a_cursor_of_another_request_is_refused() -> None:
    """Parameters may not change from page to page."""
    cursor = Cursor(fingerprint("raw", ["a"]), (0, 0))
    with pytest.raises(RequestError, match="another request"):
        Cursor.decode(cursor.encode(), fingerprint("raw", ["b"]))
