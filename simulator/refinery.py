"""A Bayer refinery end to end: what each unit gets is what the one before it gives.

bauxite -> digestion -> clarification -> precipitation -> calcination -> alumina, with the residue
to washing, spent liquor through evaporation back to digestion, and steam from the powerhouse.
Slow, independent swings drive the units. Liquor takes no time on its way.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np

from simulator.bayer import AMOUNTS, SHOWS, Flows, Show, as_shown, digestion, measures_of
from simulator.command import Fault
from simulator.fuel import GAS
from simulator.model import Disturbance, Event, Moment, Power, Totals, refuse, summed, units, until
from simulator.noise import FloatArray, IntArray, happens, wander
from simulator.register import shown

MEASURES: Final[Mapping[str, Sequence[str]]] = {
    "refinery": ("load", "water_intake", "water_discharge"),
    "digestion": (
        "bauxite_feed",
        "spent_flow",
        "pregnant_flow",
        "caustic_concentration",
        "soda_concentration",
        "spent_alumina",
        "pregnant_alumina",
        "steam_flow",
        "temperature",
        "bauxite_alumina",
        "bauxite_iron",
        "mud_alumina",
        "mud_iron",
    ),
    "clarification": ("overflow_solids",),
    "washing": ("residue_flow", "residue_used", "underflow_liquor", "underflow_soda"),
    "precipitation": (
        "feed_flow",
        "feed_alumina",
        "feed_caustic",
        "spent_alumina",
        "spent_caustic",
    ),
    "evaporation": ("condensate_flow", "steam_flow", "caustic_makeup"),
    "calcination": (
        "alumina_produced",
        "alumina_on_spec",
        "running",
        "planned",
        "fuel_flow",
        "fuel_heating_value",
        "fuel_emission_factor",
    ),
    "powerhouse": ("steam_flow", "fuel_flow", "fuel_heating_value", "fuel_emission_factor"),
}
"""What a unit measures, by its type."""

SWINGS: Final = 6
_MEMORY_S: Final = np.array([1800.0, 900.0, 14400.0, 7200.0, 600.0, 28800.0])

CALCINER_GJ_PER_T = 2.9
CALCINER_MAX = 1.1
"""The most that a calciner gives, of its rated rate."""

MEAN_TIME_BETWEEN_TRIPS_S = 300 * 3600.0
MEAN_TIME_TO_REPAIR_S = 4 * 3600.0
OFF_SPEC_S, ON_SPEC_S = 1800.0, 40 * 3600.0


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit of the refinery; ``rate`` [t/h] is the rating of a calciner."""

    path: str
    type: str
    rate: float = 0.0


@dataclass(frozen=True, slots=True)
class RefineryState:
    """The refinery at one scan; ``shown`` is unit path -> measure -> value."""

    ts_ms: int
    swings: FloatArray
    down_until_ms: IntArray
    off_spec_until_ms: IntArray
    produced_t: FloatArray
    on_spec_t: FloatArray
    fresh: FloatArray
    shown: Mapping[str, Show] = field(default_factory=dict)
    sums: Totals = field(default_factory=dict)


class Refinery:
    """The refinery with its *units*, the refinery itself among them."""

    def __init__(self, units: Sequence[Unit]) -> None:
        self.units = tuple(units)
        self.calciners = tuple(unit.path for unit in units if unit.type == "calcination")
        self._rates = np.array([unit.rate for unit in units if unit.type == "calcination"])
        self.paths = tuple(
            f"{unit.path}/{measure}" for unit in units for measure in MEASURES[unit.type]
        )

    def start(self, now_ms: int, rng: np.random.Generator) -> RefineryState:
        """A refinery somewhere in its usual swings."""
        count = len(self.calciners)
        never = np.zeros(count, np.int64)
        produced = np.rint(rng.uniform(1e3, 9e3, count))
        still = RefineryState(
            now_ms,
            rng.standard_normal((len(self.units), SWINGS)),
            never,
            never,
            produced,
            np.rint(produced * 0.985),
            np.zeros((2, count)),
        )
        moment = Moment(now_ms, 0.0)
        # The second step of no time sets all totals to zero.
        return self.step(self.step(still, moment, rng), moment, rng)

    def step(self, state: RefineryState, moment: Moment, rng: np.random.Generator) -> RefineryState:
        """Hold the shown flows, then swing on."""
        now_ms, dt_s, count = moment.now_ms, moment.dt_s, len(self.calciners)
        sums = summed(state.sums, self._amounts(state, dt_s))
        swings = wander(state.swings, dt_s, _MEMORY_S, rng)
        down = _struck(state.down_until_ms, now_ms, dt_s, rng, TRIPS)
        off = _struck(state.off_spec_until_ms, now_ms, dt_s, rng, OFF_SPEC)
        made = np.array([state.shown[path]["rate"] for path in self.calciners if state.shown])
        made = made * dt_s / 3600 if len(made) else np.zeros(count)
        produced = state.produced_t + made
        on_spec = state.on_spec_t + made * (state.off_spec_until_ms <= state.ts_ms)
        counters = shown("alumina_produced", np.array([produced, on_spec]))
        before = shown("alumina_produced", np.array([state.produced_t, state.on_spec_t]))
        return replace(
            state,
            ts_ms=now_ms,
            swings=swings,
            down_until_ms=down,
            off_spec_until_ms=off,
            produced_t=produced,
            on_spec_t=on_spec,
            fresh=counters - before,
            shown=dict(self._show(swings, down <= now_ms, counters)),
            sums=sums,
        )

    def _show(
        self, swings: FloatArray, running: np.ndarray, counters: FloatArray
    ) -> Iterator[tuple[str, Show]]:
        """What all units show, in the order of the liquor, by path."""
        of = {unit.path: row.tolist() for unit, row in zip(self.units, swings, strict=True)}
        digestions = [digestion(of[path]) for path in self._of("digestion")]
        flows = Flows.of([given for given, _ in digestions])
        for path, (given, assays) in zip(self._of("digestion"), digestions, strict=True):
            yield path, as_shown(measures_of(given) | assays)
        for kind, show in SHOWS.items():
            paths = self._of(kind)
            for path in paths:
                yield path, as_shown(show(flows, of[path], len(paths)))
        for place, path in enumerate(self.calciners):
            wanted = flows.hydrate / len(self.calciners) * (1 + 0.02 * of[path][0])
            rate = min(wanted, CALCINER_MAX * self._rates[place]) * bool(running[place])
            heat = rate * CALCINER_GJ_PER_T * (1 + 0.01 * of[path][1])
            yield (
                path,
                as_shown(
                    {
                        "rate": float(rate),
                        "alumina_produced": float(counters[0][place]),
                        "alumina_on_spec": float(counters[1][place]),
                        "running": float(running[place]),
                        "planned": 1.0,
                        **GAS.burnt(heat, of[path][5]),
                    }
                ),
            )

    def _of(self, kind: str) -> list[str]:
        return [unit.path for unit in self.units if unit.type == kind]

    def _amounts(self, state: RefineryState, dt_s: float) -> Iterator[tuple[str, Show]]:
        """What each unit has done since the last scan."""
        hours = dt_s / 3600
        for unit in self.units:
            given = state.shown.get(unit.path)
            if given is None:
                continue
            if unit.type == "calcination":
                place = self.calciners.index(unit.path)
                counted = {
                    "alumina_t": float(state.fresh[0][place]),
                    "on_spec_t": float(state.fresh[1][place]),
                    "produced_t": given["rate"] * hours,
                    "running_s": given["running"] * dt_s,
                    "planned_s": given["planned"] * dt_s,
                    "possible_t": given["running"] * hours * unit.rate,
                }
                yield unit.path, counted | GAS.amounts(given, hours)
            else:
                yield unit.path, AMOUNTS[unit.type](given, hours)

    def values(self, state: RefineryState) -> FloatArray:
        """What each unit shows, unit by unit."""
        return np.array(
            [
                state.shown[unit.path][measure]
                for unit in self.units
                for measure in MEASURES[unit.type]
            ]
        )

    def events(self, state: RefineryState) -> tuple[Event, ...]:  # noqa: ARG002 - has none
        """None: a refinery runs continuously."""
        return ()

    def power(self, state: RefineryState) -> Power:
        """What the refinery draws."""
        draws = (given.get("load", 0.0) for given in state.shown.values())
        return Power(load_kw=sum(draws))

    def totals(self, state: RefineryState) -> Totals:
        """What went through every unit."""
        return state.sums

    def disturb(self, state: RefineryState, disturbance: Disturbance) -> RefineryState:
        """Trip a calciner."""
        if disturbance.fault is not Fault.UPSET:
            raise refuse(disturbance)
        places = units(disturbance, self.calciners)
        times = until(state.down_until_ms, places, disturbance.until_ms)
        return replace(state, down_until_ms=times)


TRIPS: Final = (MEAN_TIME_BETWEEN_TRIPS_S, MEAN_TIME_TO_REPAIR_S)
OFF_SPEC: Final = (ON_SPEC_S, OFF_SPEC_S)


def _struck(
    times: IntArray,
    now_ms: int,
    dt_s: float,
    rng: np.random.Generator,
    mean_times_s: tuple[float, float],
) -> IntArray:
    """Until when [ms] each calciner is struck, some newly: means between two times and of one."""
    between_s, lasting_s = mean_times_s
    new = (times <= now_ms) & happens(between_s, dt_s, len(times), rng)
    ends = now_ms + np.rint(1000 * rng.exponential(lasting_s, len(times))).astype(np.int64)
    return np.where(new, ends, times)
