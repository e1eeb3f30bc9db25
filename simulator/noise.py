"""Random variation with a memory, right for any step length."""

from math import exp, sqrt
from random import Random


def wander(value: float, dt_s: float, memory_s: float, rng: Random) -> float:
    """The next value of a unit Ornstein-Uhlenbeck process after *dt_s* [s].

    Mean 0, standard deviation 1, autocorrelation exp(-dt/memory). The transition is the exact one,
    so the statistics do not depend on the step; dt = 0 changes nothing.
    """
    kept = exp(-dt_s / memory_s)
    return value * kept + sqrt(1.0 - kept * kept) * rng.gauss()


def happens(mean_time_s: float, dt_s: float, rng: Random) -> bool:
    """Whether an event that comes once per *mean_time_s* [s] on average comes within *dt_s* [s]."""
    return rng.random() < 1.0 - exp(-dt_s / mean_time_s)


def seeded(seed: int | str) -> Random:
    """A generator that gives the same noise for the same *seed*, in every process."""
    return Random(seed)  # noqa: S311 - noise, no secret
