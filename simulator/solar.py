"""Solar farms: clear-sky irradiance in the module plane, clouds, and inverters that clip."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from math import asin, degrees

import numpy as np

from simulator.generation import MEASURES, Units, blank, disturb, hold, sense
from simulator.model import (
    Disturbance,
    Event,
    Moment,
    Power,
    Sums,
    Totals,
    added,
    per_unit,
    tag_paths,
)
from simulator.noise import FloatArray, wander
from simulator.register import shown
from simulator.weather import PAVLODAR, Site, Sun, air_degc, sun

TILT_DEG = 40.0
SOLAR_CONSTANT_W_M2 = 1353.0
DIFFUSE_SHARE = 0.1

INVERTER_EFFICIENCY = 0.98
POWER_PER_K = -0.0035
CELL_K_PER_W_M2 = 0.031
"""Heating of a cell over the air: nominal operating cell temperature 45 degC at 800 W/m^2."""

MEAN_TIME_BETWEEN_TRIPS_S = 1000 * 3600.0
MEAN_TIME_TO_REPAIR_S = 3600.0

SKY = ("irradiance", "air_temperature", "wind_speed")

MOUNT_A, MOUNT_B, MOUNT_DELTA_K = -3.47, -0.0594, 3.0
"""King et al. 2004, glass, cells, glass on an open rack; with them the truth is corrected."""
GAMMA_PER_K = -0.0035


@dataclass(frozen=True, slots=True)
class Farm:
    """A solar farm: its path, and its inverters with rated power and modules' peak power [kW]."""

    path: str
    inverters: Sequence[tuple[str, float, float]]


@dataclass(frozen=True, slots=True)
class SolarState:
    """The farms at one scan.

    ``cleanness`` is the share of the light that dust leaves to the modules of an inverter; ``sky``
    are the rows of `SKY`.
    """

    ts_ms: int
    units: Units
    cleanness: FloatArray
    clouds: FloatArray
    breeze: FloatArray
    sky: FloatArray
    sky_sums: Sums = field(default_factory=dict)


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


def inverter_kw(
    irradiance: FloatArray, air: float, peak_kw: FloatArray, rated_kw: FloatArray
) -> FloatArray:
    """AC power [kW] of modules at *irradiance* [W/m^2] and *air* [degC], clipped at the rating."""
    cell_degc = air + CELL_K_PER_W_M2 * irradiance
    modules_kw = peak_kw * (irradiance / 1000) * (1 + POWER_PER_K * (cell_degc - 25))
    return np.minimum(INVERTER_EFFICIENCY * modules_kw, rated_kw)


class Solar:
    """All solar *farms*; the totalisers start again at *modulus* [kWh]."""

    def __init__(self, farms: Sequence[Farm], modulus: float, site: Site = PAVLODAR) -> None:
        self.farms = tuple(farms)
        self.modulus = modulus
        self.site = site
        self.inverters = tuple(path for farm in farms for path, _, _ in farm.inverters)
        self.rated_kw = np.array([rated for farm in farms for _, rated, _ in farm.inverters])
        self.peak_kw = np.array([peak for farm in farms for _, _, peak in farm.inverters])
        self._farm_of = np.repeat(np.arange(len(farms)), [len(farm.inverters) for farm in farms])
        self._paths = tuple(farm.path for farm in farms)
        self.paths = (*tag_paths(self.inverters, MEASURES), *tag_paths(self._paths, SKY))

    def start(self, now_ms: int, rng: np.random.Generator) -> SolarState:
        """All inverters in service under some sky."""
        count, farms = len(self.inverters), len(self.farms)
        dark = SolarState(
            now_ms,
            blank(count, rng),
            cleanness=rng.uniform(0.96, 1.0, count),
            clouds=rng.standard_normal(farms),
            breeze=rng.standard_normal(farms),
            sky=np.zeros((len(SKY), farms)),
        )
        return self.step(dark, Moment(now_ms, 0.0), rng)

    def step(self, state: SolarState, moment: Moment, rng: np.random.Generator) -> SolarState:
        """Hold power and irradiance, then move sun and clouds on."""
        now_ms, dt_s = moment.now_ms, moment.dt_s
        position = sun(now_ms, self.site)
        clouds = wander(state.clouds, dt_s, 600.0, rng)
        breeze = wander(state.breeze, dt_s, 900.0, rng)
        # Half of the time clear; below, every standard deviation of cloud takes a third of it.
        clearness = np.clip(1.0 + 0.33 * clouds, 0.15, 1.0)
        air = air_degc(position, self.site)
        rows = (
            clear_sky_w_m2(position, self.site) * clearness,
            air + 0.0 * clouds,
            np.maximum(3.0 + 1.5 * breeze, 0.0),
        )
        sky = np.array([shown(measure, row) for measure, row in zip(SKY, rows, strict=True)])
        light = sky[0][self._farm_of] * state.cleanness
        return replace(
            state,
            ts_ms=now_ms,
            units=sense(
                hold(state.units, dt_s),
                potential=inverter_kw(light, air, self.peak_kw, self.rated_kw),
                idle=0.0 * self.rated_kw,
                rated_kw=self.rated_kw,
                mean_times_s=(MEAN_TIME_BETWEEN_TRIPS_S, MEAN_TIME_TO_REPAIR_S),
                now_ms=now_ms,
                dt_s=dt_s,
                rng=rng,
            ),
            clouds=clouds,
            breeze=breeze,
            sky=sky,
            sky_sums=added(state.sky_sums, self._sky_amounts(state.sky, dt_s)),
        )

    def _sky_amounts(self, sky: FloatArray, dt_s: float) -> dict[str, FloatArray]:
        """Irradiation, and what of it counts at 25 degC of the cells."""
        irradiance, air, wind = sky
        cell_degc = air + irradiance * np.exp(MOUNT_A + MOUNT_B * wind)
        cell_degc = cell_degc + irradiance / 1000 * MOUNT_DELTA_K
        corrected = irradiance * (1 + GAMMA_PER_K * (cell_degc - 25))
        hours = dt_s / 3600
        return {
            "insolation_kwh_m2": irradiance * hours / 1000,
            "insolation_corrected_kwh_m2": corrected * hours / 1000,
        }

    def values(self, state: SolarState) -> FloatArray:
        """`MEASURES` of all inverters, then the sky over the farms."""
        return np.concatenate([state.units.values(self.modulus), state.sky.ravel()])

    def events(self, state: SolarState) -> tuple[Event, ...]:  # noqa: ARG002 - has none
        """None."""
        return ()

    def power(self, state: SolarState) -> Power:
        """What the inverters give."""
        return Power(generation_kw=float(state.units.power.sum()))

    def totals(self, state: SolarState) -> Totals:
        """Energy, losses and available time per inverter and farm; the sun on the farms."""
        farms: dict[str, FloatArray] = {
            name: np.bincount(self._farm_of, of, len(self.farms)).astype(np.float64)
            for name, of in state.units.sums.items()
        }
        return dict(
            (
                *per_unit(self._paths, farms | dict(state.sky_sums)),
                *per_unit(self.inverters, state.units.sums),
            )
        )

    def disturb(self, state: SolarState, disturbance: Disturbance) -> SolarState:
        """Trip or curtail inverters."""
        return replace(state, units=disturb(state.units, disturbance, self.inverters))
