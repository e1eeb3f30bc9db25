"""Batteries and the connection to the grid: they take what is left over and give what is missing.

The batteries follow the balance of the park within their power and energy; the grid does the rest.
So import - export = load + charge - generation - discharge at every scan.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from math import cos, pi
from typing import Final

import numpy as np

from simulator.model import Disturbance, Event, Moment, Power, Sums, Totals, added, per_unit, refuse
from simulator.noise import FloatArray, wander
from simulator.register import shown

CHARGE_EFFICIENCY = DISCHARGE_EFFICIENCY = 0.94
BATTERY: Final = ("charge_power", "discharge_power", "stored_energy")
GRID: Final = (
    "import_power",
    "export_power",
    "emission_factor",
    "renewable_share",
    "carbon_free_share",
    "contracted_power",
    "contract_emission_factor",
    "residual_emission_factor",
)

NEAR_THE_END_PER_H = 12.0
"""A battery takes and gives no more than it has room or energy for during five minutes."""

AVERAGE_KG_PER_KWH = 0.636
"""Of the grid of Kazakhstan, by location; it falls a little at noon."""
CONTRACT_KG_PER_KWH, RESIDUAL_KG_PER_KWH = 0.0, 0.68
CONTRACT_SHARE = 0.1
"""Power under contract, of the rated power of the connection."""


@dataclass(frozen=True, slots=True)
class Battery:
    """A battery: its path, its power [kW] and its energy [kWh]."""

    path: str
    power_kw: float
    energy_kwh: float


@dataclass(frozen=True, slots=True)
class GridState:
    """Batteries and grid at one scan; ``flows`` are the rows of `BATTERY`, ``grid`` is `GRID`.

    ``stored_kwh`` is what is in the batteries, ``gained_kwh`` by how much its reading grew with
    this scan.
    """

    ts_ms: int
    stored_kwh: FloatArray
    gained_kwh: FloatArray
    flows: FloatArray
    mix: FloatArray
    grid: FloatArray
    battery_sums: Sums = field(default_factory=dict)
    grid_sums: Sums = field(default_factory=dict)


class Grid:
    """The connection at *path*, rated *rated_kw*, with *batteries* before it."""

    def __init__(self, path: str, rated_kw: float, batteries: Sequence[Battery]) -> None:
        self.path = path
        self.rated_kw = rated_kw
        self.batteries = tuple(battery.path for battery in batteries)
        self._power_kw = np.array([battery.power_kw for battery in batteries])
        self._energy_kwh = np.array([battery.energy_kwh for battery in batteries])
        self.paths = (
            *(f"{battery}/{measure}" for measure in BATTERY for battery in self.batteries),
            *(f"{path}/{measure}" for measure in GRID),
        )

    def start(self, now_ms: int, rng: np.random.Generator) -> GridState:
        """Batteries half full."""
        count = len(self.batteries)
        stored = self._energy_kwh * rng.uniform(0.4, 0.6, count)
        blank = GridState(
            now_ms,
            stored,
            np.zeros(count),
            np.array([np.zeros(count), np.zeros(count), shown("stored_energy", stored)]),
            mix=rng.standard_normal(1),
            grid=np.zeros(len(GRID)),
        )
        return self.step(blank, Moment(now_ms, 0.0), rng)

    def step(self, state: GridState, moment: Moment, rng: np.random.Generator) -> GridState:
        """Hold the powers, then settle what the park draws and generates now."""
        hours = moment.dt_s / 3600
        charge, discharge, before = state.flows
        flow = CHARGE_EFFICIENCY * charge - discharge / DISCHARGE_EFFICIENCY
        stored = np.clip(state.stored_kwh + flow * hours, 0.0, self._energy_kwh)
        surplus = moment.generation_kw - moment.load_kw
        ratio = self._power_kw / (self._power_kw.sum() or 1.0)
        room = (self._energy_kwh - stored) * NEAR_THE_END_PER_H / CHARGE_EFFICIENCY
        charge = np.clip(surplus * ratio, 0.0, np.minimum(self._power_kw, np.maximum(room, 0.0)))
        most = NEAR_THE_END_PER_H * DISCHARGE_EFFICIENCY
        reach = np.minimum(self._power_kw, np.maximum(stored, 0.0) * most)
        discharge = np.clip(-surplus * ratio, 0.0, reach)
        rows = zip(BATTERY, (charge, discharge, stored), strict=True)
        flows = np.array([shown(measure, row) for measure, row in rows])
        left = float(surplus - flows[0].sum() + flows[1].sum())
        mix = wander(state.mix, moment.dt_s, 6 * 3600.0, rng)
        return replace(
            state,
            ts_ms=moment.now_ms,
            stored_kwh=stored,
            gained_kwh=flows[2] - before,
            flows=flows,
            mix=mix,
            grid=self._grid(left, float(mix[0]), moment.now_ms),
            battery_sums=added(
                state.battery_sums,
                {
                    "charged_kwh": state.flows[0] * hours,
                    "discharged_kwh": state.flows[1] * hours,
                    "stored_gain_kwh": state.gained_kwh,
                },
            ),
            grid_sums=added(state.grid_sums, _grid_amounts(state.grid, hours)),
        )

    def _grid(self, left_kw: float, mix: float, now_ms: int) -> FloatArray:
        """`GRID` with so much left over [kW]; the sun in the grid follows the hour."""
        hour = now_ms / 3_600_000 % 24 + 5
        renewable = 0.13 + 0.05 * cos((hour - 13) / 12 * pi) + 0.02 * mix
        renewable = min(max(renewable, 0.02), 0.4)
        return shown(
            "import_power",
            np.array(
                [
                    max(-left_kw, 0.0),
                    max(left_kw, 0.0),
                    AVERAGE_KG_PER_KWH * (1 - renewable) / 0.87,
                    renewable,
                    renewable + 0.02,
                    CONTRACT_SHARE * self.rated_kw,
                    CONTRACT_KG_PER_KWH,
                    RESIDUAL_KG_PER_KWH,
                ]
            ),
        )

    def values(self, state: GridState) -> FloatArray:
        """`BATTERY` of all batteries, then `GRID`."""
        return np.concatenate([state.flows.ravel(), state.grid])

    def events(self, state: GridState) -> tuple[Event, ...]:  # noqa: ARG002 - has none
        """None."""
        return ()

    def power(self, state: GridState) -> Power:  # noqa: ARG002 - the same for every state
        """None of its own: it settles that of the others."""
        return Power()

    def totals(self, state: GridState) -> Totals:
        """Energy in and out of batteries and park; renewable energy and emission of the import."""
        return dict(
            (
                *per_unit(self.batteries, state.battery_sums),
                *per_unit([self.path], state.grid_sums),
            )
        )

    def disturb(self, state: GridState, disturbance: Disturbance) -> GridState:  # noqa: ARG002 - the same for every state
        """Nothing here can be disturbed: always `ValueError`."""
        raise refuse(disturbance)


def _grid_amounts(grid: FloatArray, hours: float) -> dict[str, FloatArray]:
    imported, exported, factor, renewable, free, contracted, contract, residual = grid[:, None]
    covered = np.minimum(imported, contracted)
    return {
        "import_kwh": imported * hours,
        "export_kwh": exported * hours,
        "import_co2_kg": imported * factor * hours,
        "renewable_kwh": imported * renewable * hours,
        "carbon_free_kwh": imported * free * hours,
        "market_co2_kg": (covered * contract + (imported - covered) * residual) * hours,
    }
