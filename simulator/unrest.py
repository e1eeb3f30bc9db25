"""The unrest of the pots: statistics over windows of time, held until the next window ends.

A window is ``slots`` slots of ``slot_s``, counted from 1970. A slot has the time-weighted mean of
the level; the statistic is taken over the means of a whole window. It is the truth of what the
rules `deviation`, `swing` and `slope` find in readings.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from simulator.noise import FloatArray


@dataclass(frozen=True, slots=True)
class Window:
    """What is computed: the *statistic* of an array of ``slots, units``, in *unit*."""

    unit: str
    slot_s: int
    slots: int
    statistic: Callable[[FloatArray], FloatArray]


def _deviation(means: FloatArray) -> FloatArray:
    deviation: FloatArray = np.std(means, axis=0)
    return deviation


def _swing(means: FloatArray) -> FloatArray:
    swing: FloatArray = np.ptp(means, axis=0)
    return swing


def _slope_of_5_s(means: FloatArray) -> FloatArray:
    """The slope [1/min] of the straight line through means of 5 s."""
    minutes = np.arange(len(means)) * 5.0 / 60.0
    centred = minutes - minutes.mean()
    slope: FloatArray = centred @ means / (centred @ centred)
    return slope


WINDOWS: Final[Mapping[str, Window]] = {
    "noise_fast": Window("v", 1, 60, _deviation),
    "noise_slow": Window("v", 10, 30, _swing),
    "voltage_slope": Window("v_min", 5, 60, _slope_of_5_s),
}
ALARM_V: Final = 0.03
"""Slow noise above it is an alarm, as the plant file declares."""


@dataclass(frozen=True, slots=True)
class Running:
    """A window that fills: the integral over the slot so far, and the means of the slots before.

    ``filled`` counts the slots since the window began that were seen from their start; ``held`` is
    the statistic of the last whole window, NaN while there is none.
    """

    amount: FloatArray
    means: FloatArray
    filled: int
    held: FloatArray


def begin(window: Window, units: int) -> Running:
    """A window nothing of which was seen."""
    empty = np.zeros(units)
    return Running(empty, np.zeros((window.slots, units)), -window.slots, empty * np.nan)


def carry(
    window: Window, state: Running, level: FloatArray, from_ms: int, to_ms: int
) -> tuple[Running, FloatArray, FloatArray]:
    """Hold *level* over ``[from_ms, to_ms)``.

    Returns
    -------
    tuple
        The window, the integral [level s] of what it held meanwhile, and the time [s] for which
        that was above `ALARM_V`.
    """
    amount, means, filled, held = state.amount, state.means.copy(), state.filled, state.held
    integral, alarm = np.zeros_like(level), np.zeros_like(level)
    width = window.slot_s * 1000
    at = from_ms
    while at < to_ms:
        slot = at // width
        end = min((slot + 1) * width, to_ms)
        seconds = (end - at) / 1000
        if at == slot * width:
            amount = np.zeros_like(level)
            if slot % window.slots == 0:
                filled = 0
        integral += np.nan_to_num(held) * seconds
        alarm += (held > ALARM_V) * seconds
        amount = amount + level * seconds
        if end == (slot + 1) * width:
            means[slot % window.slots] = amount / window.slot_s
            filled += 1
            if (slot + 1) % window.slots == 0:
                held = window.statistic(means) if filled == window.slots else held * np.nan
        at = end
    return Running(amount, means, filled, held), integral, alarm
