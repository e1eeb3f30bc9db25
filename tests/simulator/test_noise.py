"""Random variation that does not depend on the step."""

import numpy as np
import pytest

from simulator.noise import happens, seeded, wander


def test_no_time_no_change() -> None:
    """A step of zero seconds leaves the value and makes nothing happen."""
    rng = seeded(1)

    assert wander(np.array([0.7]), 0.0, 60.0, rng) == 0.7
    assert not happens(1e-6, 0.0, 100, rng).any()


@pytest.mark.parametrize("dt_s", [1.0, 60.0, 3600.0])
def test_spread_is_the_same_for_every_step(dt_s: float) -> None:
    """Mean 0 and deviation 1 hold for steps far below and far above the memory."""
    rng = seeded(3)
    value, seen = np.zeros(100), []
    for _ in range(400):
        value = wander(value, dt_s, 30.0, rng)
        seen.append(value)
    late = np.array(seen)[200:]

    # 200 s of 100 processes hold some 330 independent values at a memory of 30 s: 4 errors.
    assert abs(late.mean()) < 0.23
    assert late.std() == pytest.approx(1.0, abs=0.16)


def test_events_come_at_their_mean_time() -> None:
    """One event per 100 s on average, in steps of 7 s."""
    rng = seeded(5)

    count = happens(100.0, 7.0, 10_000, rng).sum()

    assert count == pytest.approx(10_000 * 0.0676, rel=0.15)


def test_generators_of_other_names_are_others() -> None:
    """A seed of words: the same gives the same noise."""
    assert seeded("1/power").random() == seeded("1/power").random()
    assert seeded("1/power").random() != seeded("2/power").random()
