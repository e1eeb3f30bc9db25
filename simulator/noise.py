"""Random variation with a memory, right for any step length, for many units at once."""

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

FloatArray: TypeAlias = npt.NDArray[np.float64]
IntArray: TypeAlias = npt.NDArray[np.int64]
BoolArray: TypeAlias = npt.NDArray[np.bool_]


def wander(
    value: FloatArray, dt_s: float, memory_s: FloatArray | float, rng: np.random.Generator
) -> FloatArray:
    """The next values of independent unit Ornstein-Uhlenbeck processes after *dt_s* [s].

    Mean 0, standard deviation 1, autocorrelation exp(-dt/memory). The transition is the exact one,
    so the statistics do not depend on the step; dt = 0 changes nothing.
    """
    kept = np.exp(-dt_s / np.asarray(memory_s))
    blown: FloatArray = value * kept + np.sqrt(1.0 - kept**2) * rng.standard_normal(value.shape)
    return blown


def happens(
    mean_time_s: FloatArray | float, dt_s: float, count: int, rng: np.random.Generator
) -> BoolArray:
    """At which of *count* units an event comes within *dt_s* [s]: once in *mean_time_s* [s]."""
    chance = -np.expm1(-dt_s / np.asarray(mean_time_s))
    found: BoolArray = rng.random(count) < chance
    return found


def seeded(seed: int | str) -> np.random.Generator:
    """A generator that gives the same noise for the same *seed*, in every process."""
    return np.random.default_rng(list(str(seed).encode()))
