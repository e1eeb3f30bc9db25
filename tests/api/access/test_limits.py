"""The token bucket."""

from hypothesis import given
from hypothesis import strategies as st

from api.access.limits import Limits
from schemas.errors import TooManyRequests


class Clock:
    """A steady clock [s] that a test moves."""

    now = 0.0

    def __call__(self) -> float:
        """The time."""
        return self.now


@given(
    rate=st.floats(0.1, 100),
    burst=st.integers(1, 20),
    waits=st.lists(st.floats(0, 5), min_size=1, max_size=60),
)
def test_no_span_takes_more_than_the_limit(rate: float, burst: int, waits: list[float]) -> None:
    """In any span of time: at most the burst and what fills the bucket meanwhile."""
    clock = Clock()
    limits = Limits(rate, burst, clock)
    taken = []
    for wait in waits:
        clock.now += wait
        try:
            limits.take("one")
        except TooManyRequests:
            continue
        taken.append(clock.now)

    for first, start in enumerate(taken):
        for last in range(first, len(taken)):
            assert last - first + 1 <= burst + (taken[last] - start) * rate + 0.01


@given(rate=st.floats(0.1, 100), burst=st.integers(1, 20))
def test_who_waits_as_told_is_answered(rate: float, burst: int) -> None:
    """Retry-After is enough, and what is left is told truly."""
    clock = Clock()
    limits = Limits(rate, burst, clock)
    left = [limits.take("one").left for _ in range(burst)]
    assert left == list(range(burst - 1, -1, -1))

    try:
        limits.take("one")
    except TooManyRequests as error:
        clock.now += error.retry_after_s
    limits.take("one")


def test_callers_do_not_share_a_bucket() -> None:
    """One that asks too much leaves the others alone; the oldest is forgotten beyond the bound."""
    limits = Limits(1, 1, Clock(), callers=2)
    limits.take("one")
    limits.take("two")
    limits.take("three")
    limits.take("one")

    assert len(limits._full_at) == 2
