"""Random variation that does not depend on the step."""

from statistics import fmean, pstdev

import pytest

from simulator.noise import happens, seeded, wander


def test_no_time_no_change() -> None:
    """A step of zero seconds leaves the value and makes nothing happen."""
    rng = seeded(1)

    assert wander(0.7, 0.0, 60.0, rng) == 0.7
    assert not any(happens(1e-6, 0.0, rng) for _ in range(100))


@pytest.mark.parametrize("dt_s", [1.0, 60.0, 3600.0])
def test_spread_is_the_same_for_every_step(dt_s: float) -> None:
    """Mean 0 and deviation 1 hold for steps far below and far above the memory."""
    rng = seeded(3)
    value, seen = 0.0, []
    for _ in range(40_000):
        value = wander(value, dt_s, 30.0, rng)
        seen.append(value)

    # 40 000 s hold some 670 independent values at a memory of 30 s: 4 standard errors.
    assert abs(fmean(seen)) < 0.16
    assert pstdev(seen) == pytest.approx(1.0, abs=0.11)


def test_events_come_at_their_mean_time() -> None:
    """One event per 100 s on average, in steps of 7 s."""
    rng = seeded(5)

    count = sum(happens(100.0, 7.0, rng) for _ in range(10_000))

    assert count == pytest.approx(10_000 * 0.0676, rel=0.15)
