"""Sets of positions against sets of numbers."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from ingest.positions import Ranges

spans = st.lists(
    st.tuples(st.integers(1, 60), st.integers(0, 9)).map(lambda span: (span[0], sum(span)))
)


def members(ranges: Ranges) -> set[int]:
    """The positions in *ranges*."""
    return {position for start, end in ranges for position in range(start, end)}


@given(spans)
def test_ranges_hold_what_was_added(added: list[tuple[int, int]]) -> None:
    """Whatever the order, the set is the union; ranges are disjoint, in order, not touching."""
    ranges = Ranges(added)

    expected = {position for start, end in added for position in range(start, end)}
    assert members(ranges) == expected
    assert all(position in ranges for position in expected)
    assert not any(position in ranges for position in set(range(80)) - expected)
    kept = list(ranges)
    assert all(before[1] < after[0] for before, after in pairwise(kept))


@given(spans, st.integers(1, 60), st.integers(0, 30))
def test_missing_is_the_complement(added: list[tuple[int, int]], start: int, width: int) -> None:
    """Holes and members make up the span."""
    ranges = Ranges(added)

    holes = Ranges(ranges.missing(start, start + width))

    assert members(holes) == set(range(start, start + width)) - members(ranges)


@given(spans)
def test_through_is_the_end_of_the_unbroken_start(added: list[tuple[int, int]]) -> None:
    """The highest n with 1 to n all in the set."""
    have = members(Ranges(added))

    through = Ranges(added).through()

    assert set(range(1, through + 1)) <= have
    assert through + 1 not in have


def test_text_is_postgresql_s() -> None:
    """As int8multirange writes it."""
    assert str(Ranges([(1, 4), (6, 7)])) == "{[1,4),[6,7)}"
    assert str(Ranges()) == "{}"
