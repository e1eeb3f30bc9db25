"""A wind farm and a solar farm behind one PLC."""

from dataclasses import dataclass, replace
from random import Random

from simulator.model import Event, Totals
from simulator.solar import SolarFarm, SolarState
from simulator.weather import PAVLODAR, Site
from simulator.wind import WindFarm, WindState


@dataclass(frozen=True, slots=True)
class RenewablesState:
    """Both farms at one scan."""

    ts_ms: int
    wind: WindState
    solar: SolarState


class Renewables:
    """The *wind* and *solar* farms at one *site*, under one sky."""

    def __init__(self, wind: WindFarm, solar: SolarFarm, site: Site = PAVLODAR) -> None:
        self.wind = wind
        self.solar = solar
        self.site = site
        self.logged: tuple[str, ...] = ()

    def start(self, now_ms: int, rng: Random) -> RenewablesState:
        """Both farms at *now_ms* [ms]."""
        return RenewablesState(
            now_ms,
            self.wind.start(now_ms, self.site, rng),
            self.solar.start(now_ms, self.site, rng),
        )

    def step(
        self, state: RenewablesState, now_ms: int, dt_s: float, rng: Random
    ) -> RenewablesState:
        """Step both farms."""
        return RenewablesState(
            now_ms,
            self.wind.step(state.wind, now_ms, dt_s, self.site, rng),
            self.solar.step(state.solar, now_ms, dt_s, self.site, rng),
        )

    def values(self, state: RenewablesState) -> dict[str, float]:
        """The wind farm's values, then the solar farm's."""
        return self.wind.values(state.wind) | self.solar.values(state.solar)

    def events(self, state: RenewablesState) -> tuple[Event, ...]:  # noqa: ARG002 - has no log
        """None."""
        return ()

    def totals(self, state: RenewablesState) -> Totals:
        """The totals of both farms."""
        return self.wind.totals(state.wind) | self.solar.totals(state.solar)

    def upset(self, state: RenewablesState, place: int, duration_s: float) -> RenewablesState:
        """Trip a turbine, or an inverter, counted on after the last turbine."""
        turbines, inverters = len(state.wind.turbines), len(state.solar.inverters)
        until_ms = state.ts_ms + 1000 + round(duration_s * 1000)
        if 1 <= place <= turbines:
            return replace(state, wind=self.wind.trip(state.wind, place - 1, until_ms))
        if turbines < place <= turbines + inverters:
            solar = self.solar.trip(state.solar, place - turbines - 1, until_ms)
            return replace(state, solar=solar)
        raise ValueError(f"unit {place} of {turbines} turbines and {inverters} inverters")
