"""A solar farm: clear-sky irradiance in the module plane, clouds, and inverters that clip."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import asin, degrees
from random import Random

from simulator.model import Totals
from simulator.noise import happens, wander
from simulator.register import single
from simulator.weather import Site, Sun, air_degc, sun

TILT_DEG = 40.0
SOLAR_CONSTANT_W_M2 = 1353.0
DIFFUSE_SHARE = 0.1

MODULES_PER_INVERTER = 1.25
"""Peak power of the modules per rated power of the inverter: on bright days it clips."""

INVERTER_EFFICIENCY = 0.98
POWER_PER_K = -0.0035
CELL_K_PER_W_M2 = 0.031
"""Heating of a cell over the air: nominal operating cell temperature 45 degC at 800 W/m^2."""

MEAN_TIME_BETWEEN_TRIPS_S = 1000 * 3600.0
MEAN_TIME_TO_REPAIR_S = 3600.0


@dataclass(frozen=True, slots=True)
class Inverter:
    """One inverter: what it shows from this scan on, and its totals until then.

    ``cleanness`` is the share of the light that dust leaves to its modules.
    """

    cleanness: float
    power: float = 0.0
    down_until_ms: int = 0
    available: bool = True
    energy_kwh: float = 0.0
    available_s: float = 0.0


@dataclass(frozen=True, slots=True)
class SolarState:
    """The farm at one scan."""

    inverters: tuple[Inverter, ...]
    clouds: float = 0.0
    irradiance: float = 0.0
    insolation_kwh_m2: float = 0.0


def clear_sky_w_m2(position: Sun, site: Site) -> float:
    """Irradiance in the module plane under a clear sky [W/m^2]; 0 while the sun is down.

    Direct beam 1353 * 0.7^(AM^0.678) (Meinel 1976) with the air mass of Kasten and Young (1989),
    and a tenth of it as diffuse light.
    """
    height = position.sine_of_elevation(site)
    if height <= 0:
        return 0.0
    elevation_deg = degrees(asin(min(height, 1.0)))
    air_mass = 1 / (height + 0.50572 * (elevation_deg + 6.07995) ** -1.6364)
    beam: float = SOLAR_CONSTANT_W_M2 * 0.7 ** (air_mass**0.678)
    return beam * (max(position.cosine_of_incidence(site, TILT_DEG), 0.0) + DIFFUSE_SHARE)


def inverter_kw(irradiance: float, air: float, rated_kw: float) -> float:
    """AC power [kW] at *irradiance* [W/m^2] and *air* temperature [degC], clipped at the rating."""
    cell_degc = air + CELL_K_PER_W_M2 * irradiance
    modules_kw = (
        rated_kw * MODULES_PER_INVERTER * (irradiance / 1000) * (1 + POWER_PER_K * (cell_degc - 25))
    )
    return min(INVERTER_EFFICIENCY * modules_kw, rated_kw)


class SolarFarm:
    """The inverters of the farm at *path*, each with its rated power [kW]."""

    def __init__(self, path: str, rated_kw: Sequence[tuple[str, float]]) -> None:
        self.path = path
        self.inverters = tuple(inverter for inverter, _ in rated_kw)
        self.rated_kw = tuple(rated for _, rated in rated_kw)
        self._paths = (
            f"{path}/irradiance",
            *(f"{inverter}/power" for inverter in self.inverters),
            *(f"{inverter}/available" for inverter in self.inverters),
        )

    def start(self, now_ms: int, site: Site, rng: Random) -> SolarState:
        """All inverters in service under some sky."""
        inverters = tuple(Inverter(cleanness=rng.uniform(0.96, 1.0)) for _ in self.inverters)
        blank = SolarState(inverters, clouds=rng.gauss())
        return self.step(blank, now_ms, 0.0, site, rng)

    def step(
        self, state: SolarState, now_ms: int, dt_s: float, site: Site, rng: Random
    ) -> SolarState:
        """Hold power and irradiance for *dt_s* [s], then move sun and clouds on."""
        position = sun(now_ms, site)
        clouds = wander(state.clouds, dt_s, 600.0, rng)
        # Half of the time clear; below, every standard deviation of cloud takes a third of it.
        clearness = min(max(1.0 + 0.33 * clouds, 0.15), 1.0)
        irradiance = single(clear_sky_w_m2(position, site) * clearness)
        air = air_degc(position, site)
        return SolarState(
            tuple(
                _sense(
                    _hold(inverter, dt_s),
                    irradiance=irradiance,
                    air=air,
                    rated_kw=rated,
                    now_ms=now_ms,
                    dt_s=dt_s,
                    rng=rng,
                )
                for inverter, rated in zip(state.inverters, self.rated_kw, strict=True)
            ),
            clouds,
            irradiance,
            state.insolation_kwh_m2 + state.irradiance * dt_s / 3_600_000,
        )

    def values(self, state: SolarState) -> dict[str, float]:
        """Irradiance [W/m^2], then power [kW] and availability of all inverters."""
        shown = (
            state.irradiance,
            *(inverter.power for inverter in state.inverters),
            *(float(inverter.available) for inverter in state.inverters),
        )
        return dict(zip(self._paths, shown, strict=True))

    def totals(self, state: SolarState) -> Totals:
        """Energy and available time per inverter and farm, and insolation of the farm."""
        inverters = {
            path: {"energy_kwh": inverter.energy_kwh, "available_s": inverter.available_s}
            for path, inverter in zip(self.inverters, state.inverters, strict=True)
        }
        farm = {
            quantity: sum(of[quantity] for of in inverters.values())
            for quantity in ("energy_kwh", "available_s")
        }
        farm["insolation_kwh_m2"] = state.insolation_kwh_m2
        return {self.path: farm, **inverters}

    def trip(self, state: SolarState, place: int, until_ms: int) -> SolarState:
        """Take inverter *place* (from 0) out of service until *until_ms* [ms]."""
        inverter = replace(state.inverters[place], down_until_ms=until_ms)
        return replace(
            state, inverters=(*state.inverters[:place], inverter, *state.inverters[place + 1 :])
        )


def _hold(inverter: Inverter, dt_s: float) -> Inverter:
    return replace(
        inverter,
        energy_kwh=inverter.energy_kwh + inverter.power * dt_s / 3600,
        available_s=inverter.available_s + inverter.available * dt_s,
    )


def _sense(
    inverter: Inverter,
    *,
    irradiance: float,
    air: float,
    rated_kw: float,
    now_ms: int,
    dt_s: float,
    rng: Random,
) -> Inverter:
    until = inverter.down_until_ms
    if until <= now_ms and happens(MEAN_TIME_BETWEEN_TRIPS_S, dt_s, rng):
        until = now_ms + round(1000 * rng.expovariate(1 / MEAN_TIME_TO_REPAIR_S))
    available = until <= now_ms
    power = inverter_kw(irradiance * inverter.cleanness, air, rated_kw) if available else 0.0
    return replace(inverter, power=single(power), down_until_ms=until, available=available)
