"""Wind farms: turbulent wind, a power curve, stops and a totaliser per turbine, a mast per farm."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

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
from simulator.weather import PAVLODAR, Site, air_degc, air_density, sun

CUT_IN_M_S = 3.0
RATED_M_S = 12.0
CUT_OUT_M_S = 25.0
RESTART_M_S = 22.0
"""A turbine stopped by a storm waits for less wind than stopped it, else it would hunt."""

STANDARD_DENSITY = 1.225
HOUSE_LOAD = 0.003
"""What a standing turbine draws for pumps, heaters and control, as a share of its rated power."""

MEAN_M_S = 8.0
SPREAD_M_S = 2.8
TURBULENCE = 0.12
SHARED = 0.8
"""How much of the weather of a farm is that of all farms."""

MEAN_TIME_BETWEEN_TRIPS_S = 250 * 3600.0
MEAN_TIME_TO_REPAIR_S = 2 * 3600.0

PREVAILING_DEG = 240.0
SWINGS_DEG = 60.0
MAST = ("wind_speed", "wind_direction", "air_temperature", "air_pressure", "humidity")


@dataclass(frozen=True, slots=True)
class Farm:
    """A wind farm: its path, its turbines with their rated power [kW], its mast if it has one."""

    path: str
    turbines: Sequence[tuple[str, float]]
    mast: str | None = None


@dataclass(frozen=True, slots=True)
class WindState:
    """The farms at one scan; ``masts`` are the rows of `MAST`."""

    ts_ms: int
    units: Units
    gust: FloatArray
    wind_speed: FloatArray
    storm: FloatArray
    weather: FloatArray
    farms: FloatArray
    veer: FloatArray
    masts: FloatArray
    mast_sums: Sums = field(default_factory=dict)


def curve_kw(
    speed: FloatArray, rated_kw: FloatArray | float, density: float = STANDARD_DENSITY
) -> FloatArray:
    """Power [kW] of running pitch-regulated turbines at *speed* [m/s].

    Between cut-in and rated it follows the energy flux, the cube of the speed; thinner air is less
    wind: v (rho / rho0)^(1/3) (IEC 61400-12-1). Storm speeds are the controller's business.
    """
    speed = speed * (density / STANDARD_DENSITY) ** (1 / 3)
    share = (speed**3 - CUT_IN_M_S**3) / (RATED_M_S**3 - CUT_IN_M_S**3)
    power = np.where(speed < CUT_IN_M_S, -HOUSE_LOAD, np.minimum(share, 1.0)) * rated_kw
    return np.asarray(power)


class Wind:
    """All wind *farms* under one weather; the totalisers start again at *modulus* [kWh]."""

    def __init__(self, farms: Sequence[Farm], modulus: float, site: Site = PAVLODAR) -> None:
        self.farms = tuple(farms)
        self.modulus = modulus
        self.site = site
        self.turbines = tuple(path for farm in farms for path, _ in farm.turbines)
        self.rated_kw = np.array([rated for farm in farms for _, rated in farm.turbines])
        self._farm_of = np.repeat(np.arange(len(farms)), [len(farm.turbines) for farm in farms])
        self._masts = [place for place, farm in enumerate(farms) if farm.mast]
        self.masts = tuple(farm.mast for farm in farms if farm.mast)
        self.paths = (
            *tag_paths(self.turbines, (*MEASURES, "wind_speed")),
            *tag_paths(self.masts, MAST),
        )

    def start(self, now_ms: int, rng: np.random.Generator) -> WindState:
        """Turbines of some years of age in the wind of the day."""
        count, farms = len(self.turbines), len(self.farms)
        blown = WindState(
            now_ms,
            blank(count, rng),
            gust=rng.standard_normal(count),
            wind_speed=np.zeros(count),
            storm=np.zeros(count),
            weather=rng.standard_normal(1),
            farms=rng.standard_normal(farms),
            veer=rng.standard_normal(1),
            masts=np.zeros((len(MAST), len(self.masts))),
        )
        return self.step(blown, Moment(now_ms, 0.0), rng)

    def step(self, state: WindState, moment: Moment, rng: np.random.Generator) -> WindState:
        """Hold power and wind, then let the wind blow on."""
        now_ms, dt_s = moment.now_ms, moment.dt_s
        units = hold(state.units, dt_s)
        mast_sums = added(state.mast_sums, self._mast_amounts(state.masts, dt_s))
        weather = wander(state.weather, dt_s, 3 * 3600.0, rng)
        farms = wander(state.farms, dt_s, 3600.0, rng)
        veer = wander(state.veer, dt_s, 6 * 3600.0, rng)
        of_farm = SHARED * weather + (1 - SHARED**2) ** 0.5 * farms
        farm_m_s = np.maximum(MEAN_M_S + SPREAD_M_S * of_farm, 0.5)
        degc = air_degc(sun(now_ms, self.site), self.site)
        density = air_density(degc, self.site.pressure_kpa)
        gust = wander(state.gust, dt_s, 15.0, rng)
        gusty = np.maximum(farm_m_s[self._farm_of] * (1 + TURBULENCE * gust), 0.0)
        speed = shown("wind_speed", gusty)
        storm = (speed >= CUT_OUT_M_S) | ((state.storm > 0) & (speed > RESTART_M_S))
        idle = -HOUSE_LOAD * self.rated_kw
        return replace(
            state,
            ts_ms=now_ms,
            units=sense(
                units,
                potential=np.where(storm, idle, curve_kw(speed, self.rated_kw, density)),
                idle=idle,
                rated_kw=self.rated_kw,
                mean_times_s=(MEAN_TIME_BETWEEN_TRIPS_S, MEAN_TIME_TO_REPAIR_S),
                now_ms=now_ms,
                dt_s=dt_s,
                rng=rng,
            ),
            gust=gust,
            wind_speed=speed,
            storm=storm.astype(np.float64),
            weather=weather,
            farms=farms,
            veer=veer,
            masts=self._mast(farm_m_s, degc, veer + 0.2 * farms),
            mast_sums=mast_sums,
        )

    def _mast(self, farm_m_s: FloatArray, degc: float, veer: FloatArray) -> FloatArray:
        """The rows of `MAST`; the direction swings to both sides of north now and then."""
        direction = np.mod(PREVAILING_DEG + SWINGS_DEG * veer, 360.0)
        every = np.ones(len(self.farms))
        rows = (farm_m_s, direction, degc * every, self.site.pressure_kpa * 10 * every, 50 * every)
        return np.array(
            [shown(measure, row[self._masts]) for measure, row in zip(MAST, rows, strict=True)]
        )

    def _mast_amounts(self, masts: FloatArray, dt_s: float) -> dict[str, FloatArray]:
        speed, direction, degc, hpa, humidity = masts
        density = air_density(degc, hpa / 10, humidity / 100)
        radians = np.deg2rad(direction)
        return {
            "air_density_kg_s_m3": density * dt_s,
            "normal_wind_m": speed * (density / STANDARD_DENSITY) ** (1 / 3) * dt_s,
            "east_s": np.sin(radians) * dt_s,
            "north_s": np.cos(radians) * dt_s,
        }

    def values(self, state: WindState) -> FloatArray:
        """`MEASURES` and wind speed [m/s] of all turbines, then the masts."""
        return np.concatenate(
            [state.units.values(self.modulus), state.wind_speed, state.masts.ravel()]
        )

    def events(self, state: WindState) -> tuple[Event, ...]:  # noqa: ARG002 - has none
        """None."""
        return ()

    def power(self, state: WindState) -> Power:
        """What the turbines give."""
        return Power(generation_kw=float(state.units.power.sum()))

    def totals(self, state: WindState) -> Totals:
        """Energy, losses and available time per turbine and farm; the air at the masts."""
        totals = dict(
            (*per_unit(self.turbines, state.units.sums), *per_unit(self.masts, state.mast_sums))
        )
        farms: dict[str, FloatArray] = {
            name: np.bincount(self._farm_of, of, len(self.farms)).astype(np.float64)
            for name, of in state.units.sums.items()
        }
        return totals | dict(per_unit([farm.path for farm in self.farms], farms))

    def disturb(self, state: WindState, disturbance: Disturbance) -> WindState:
        """Trip or curtail turbines."""
        return replace(state, units=disturb(state.units, disturbance, self.turbines))
