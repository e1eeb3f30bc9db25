"""What turbines and inverters have in common: trips, curtailment, totalisers and what was lost."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from simulator.command import Fault
from simulator.model import Disturbance, Sums, added, refuse, units, until
from simulator.noise import FloatArray, IntArray, happens
from simulator.register import shown

MEASURES: Final = ("power", "energy", "available", "curtailed", "potential_power")


@dataclass(frozen=True, slots=True)
class Units:
    """Generating units: what they show from this scan on, and their totals until then.

    ``meter_start_kwh`` is where the totalisers stood at the start; they count export alone, in
    whole kWh. ``net_kwh`` of the totals is the integral of the power, house load included.
    """

    meter_start_kwh: FloatArray
    down_until_ms: IntArray
    capped_until_ms: IntArray
    cap: FloatArray
    power: FloatArray
    potential: FloatArray
    available: FloatArray
    curtailed: FloatArray
    sums: Sums

    def meter_kwh(self, modulus: float) -> FloatArray:
        """The totalisers: whole kWh, back to 0 at *modulus*."""
        exported = self.sums.get("energy_kwh", 0.0 * self.power)
        return np.mod(self.meter_start_kwh + np.floor(exported), modulus)

    def values(self, modulus: float) -> FloatArray:
        """`MEASURES` of all units."""
        return np.concatenate(
            [
                self.power,
                self.meter_kwh(modulus),
                self.available,
                self.curtailed,
                self.potential,
            ]
        )


def blank(count: int, rng: np.random.Generator) -> Units:
    """Units of some years of age, before their first scan."""
    zeros, never = np.zeros(count), np.zeros(count, np.int64)
    meters = np.floor(rng.uniform(20e6, 60e6, count))
    return Units(meters, never, never, zeros + 1.0, zeros, zeros, zeros, zeros, {})


def hold(given: Units, dt_s: float) -> Units:
    """Add what the units showed, held for *dt_s* [s]."""
    hours = dt_s / 3600
    lost = np.maximum(given.potential - given.power, 0.0)
    amounts = {
        "energy_kwh": np.maximum(given.power, 0.0) * hours,
        "net_kwh": given.power * hours,
        "available_s": given.available * dt_s,
        "unavailable_kwh": lost * (1.0 - given.available) * hours,
        "curtailed_kwh": lost * given.available * given.curtailed * hours,
    }
    return replace(given, sums=added(given.sums, amounts))


def sense(
    given: Units,
    *,
    potential: FloatArray,
    idle: FloatArray,
    rated_kw: FloatArray,
    mean_times_s: tuple[float, float],
    now_ms: int,
    dt_s: float,
    rng: np.random.Generator,
) -> Units:
    """The units under a *potential* power [kW]: tripped ones give *idle*, held back ones less.

    ``mean_times_s`` are those between two trips and to the end of a trip.
    """
    count = len(rated_kw)
    between_s, repair_s = mean_times_s
    trips = (given.down_until_ms <= now_ms) & happens(between_s, dt_s, count, rng)
    repaired_ms = now_ms + np.rint(1000 * rng.exponential(repair_s, count)).astype(np.int64)
    down_until_ms = np.where(trips, repaired_ms, given.down_until_ms)
    available = down_until_ms <= now_ms
    curtailed = given.capped_until_ms > now_ms
    limit = np.where(curtailed, given.cap * rated_kw, np.inf)
    running = np.minimum(potential, np.maximum(limit, idle))
    return replace(
        given,
        down_until_ms=down_until_ms,
        power=shown("power", np.where(available, running, idle)),
        potential=shown("potential_power", potential),
        available=available.astype(np.float64),
        curtailed=curtailed.astype(np.float64),
    )


def disturb(given: Units, disturbance: Disturbance, known: Sequence[str]) -> Units:
    """Trip or curtail units of *known*."""
    places = units(disturbance, known)
    match disturbance.fault:
        case Fault.UPSET:
            return replace(
                given, down_until_ms=until(given.down_until_ms, places, disturbance.until_ms)
            )
        case Fault.CURTAIL:
            cap = given.cap.copy()
            cap[places] = disturbance.level / 100.0
            times = until(given.capped_until_ms, places, disturbance.until_ms)
            return replace(given, cap=cap, capped_until_ms=times)
        case _:
            raise refuse(disturbance)
