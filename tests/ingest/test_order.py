"""The order check against a plain model."""

from hypothesis import given
from hypothesis import strategies as st

from ingest.order import Arrival, Order


@given(st.integers(0, 255), st.lists(st.integers(0, 3), max_size=100))
def test_any_order_within_a_small_window_completes(birth: int, jumps: list[int]) -> None:
    """Messages that overtake each other by a few places leave no gap once all came."""
    seqs = list(range(len(jumps)))
    for place, jump in enumerate(jumps):
        other = min(place + jump, len(seqs) - 1)
        seqs[place], seqs[other] = seqs[other], seqs[place]
    order = Order(birth, 0)

    arrivals = [order.see((birth + 1 + seq) % 256, 0) for seq in seqs]

    assert order.waiting_since_ms is None
    assert Arrival.REPEATED not in arrivals


@given(st.integers(0, 255), st.integers(1, 100))
def test_a_hole_is_waited_for_until_it_is_given_up(birth: int, lost: int) -> None:
    """After giving up the sequence goes on behind the newest message."""
    order = Order(birth, 0)
    newest = (birth + 1 + lost) % 256

    assert order.see(newest, 5) is Arrival.AHEAD
    assert order.waiting_since_ms == 5
    order.give_up(10)

    assert order.waiting_since_ms is None
    assert order.see((newest + 1) % 256, 11) is Arrival.IN_ORDER


def test_a_repeat_changes_nothing() -> None:
    """A message seen before is neither progress nor a gap."""
    order = Order(0, 0)
    order.see(1, 0)

    assert order.see(1, 0) is Arrival.REPEATED
    assert order.see(2, 0) is Arrival.IN_ORDER
