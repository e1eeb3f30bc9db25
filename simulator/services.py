"""What serves a smelter beside its potlines: the carbon plant bakes anodes, the casthouse casts."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np

from simulator.fuel import GAS
from simulator.model import Disturbance, Event, Moment, Power, Totals, refuse, summed
from simulator.noise import FloatArray, wander
from simulator.register import shown

MEASURES: Final = ("load", "fuel_flow", "fuel_heating_value", "fuel_emission_factor")

#: Type: electricity [kWh] and heat of gas [GJ] per tonne of metal that the potlines are rated for.
PER_TONNE: Final[Mapping[str, tuple[float, float]]] = {
    "carbon_plant": (62.0, 1.2),
    "casthouse": (45.0, 0.9),
}


@dataclass(frozen=True, slots=True)
class ServicesState:
    """The services at one scan; ``shown`` is a row of `MEASURES` for each."""

    ts_ms: int
    swings: FloatArray
    shown: FloatArray
    sums: Totals = field(default_factory=dict)


class Services:
    """The services at *paths* by type, for potlines that are rated for *metal_t_per_h*."""

    def __init__(self, paths: Mapping[str, str], metal_t_per_h: float) -> None:
        self.assets: Sequence[str] = tuple(paths)
        self._per_tonne = [PER_TONNE[kind] for kind in paths.values()]
        self._metal_t_per_h = metal_t_per_h
        self.paths = tuple(f"{path}/{measure}" for path in paths for measure in MEASURES)

    def start(self, now_ms: int, rng: np.random.Generator) -> ServicesState:
        """Both at work."""
        count = len(self.assets)
        swings = rng.standard_normal((count, 2))
        blank = ServicesState(now_ms, swings, np.zeros((count, len(MEASURES))))
        return self.step(blank, Moment(now_ms, 0.0), rng)

    def step(self, state: ServicesState, moment: Moment, rng: np.random.Generator) -> ServicesState:
        """Hold load and flame, then swing on."""
        swings = wander(state.swings, moment.dt_s, 3600.0, rng)
        rows = []
        for (electric, heat), (load, fire) in zip(self._per_tonne, swings.tolist(), strict=True):
            gas = GAS.burnt(heat * self._metal_t_per_h * (1 + 0.03 * fire), fire)
            rows.append([electric * self._metal_t_per_h * (1 + 0.05 * load), *gas.values()])
        return replace(
            state,
            ts_ms=moment.now_ms,
            swings=swings,
            shown=shown("load", np.array(rows).reshape(-1, len(MEASURES))),
            sums=summed(state.sums, self._amounts(state, moment.dt_s / 3600)),
        )

    def _amounts(
        self, state: ServicesState, hours: float
    ) -> Iterator[tuple[str, dict[str, float]]]:
        for path, row in zip(self.assets, state.shown.tolist(), strict=True):
            given = dict(zip(MEASURES, row, strict=True))
            yield path, {"load_kwh": given["load"] * hours} | GAS.amounts(given, hours)

    def values(self, state: ServicesState) -> FloatArray:
        """`MEASURES` of one service and then of the next."""
        return state.shown.ravel()

    def events(self, state: ServicesState) -> tuple[Event, ...]:  # noqa: ARG002 - has none
        """None."""
        return ()

    def power(self, state: ServicesState) -> Power:
        """What the services draw."""
        return Power(load_kw=float(state.shown[:, 0].sum()))

    def totals(self, state: ServicesState) -> Totals:
        """Load, heat and CO2 of each."""
        return state.sums

    def disturb(self, state: ServicesState, disturbance: Disturbance) -> ServicesState:  # noqa: ARG002 - the same for every state
        """Nothing here can be disturbed: always `ValueError`."""
        raise refuse(disturbance)
