"""A wind farm: turbulent wind, a power curve, stops and a totaliser per turbine."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import floor
from random import Random

from simulator.model import Totals
from simulator.noise import happens, wander
from simulator.register import single
from simulator.weather import Site, air_degc, air_density, sun

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
MEAN_TIME_BETWEEN_TRIPS_S = 250 * 3600.0
MEAN_TIME_TO_REPAIR_S = 2 * 3600.0


@dataclass(frozen=True, slots=True)
class Turbine:
    """One turbine: what it shows from this scan on, and its totals until then.

    ``energy_kwh`` counts export alone, as the totaliser does, which stood at ``meter_start_kwh``;
    ``net_kwh`` is the integral of the power, house load included.
    """

    meter_start_kwh: int
    gust: float = 0.0
    wind_speed: float = 0.0
    power: float = 0.0
    storm: bool = False
    down_until_ms: int = 0
    available: bool = True
    energy_kwh: float = 0.0
    net_kwh: float = 0.0
    available_s: float = 0.0

    def meter_kwh(self, modulus: int) -> int:
        """The totaliser: whole kWh, back to 0 at *modulus*."""
        return (self.meter_start_kwh + floor(self.energy_kwh)) % modulus


@dataclass(frozen=True, slots=True)
class WindState:
    """The farm at one scan."""

    turbines: tuple[Turbine, ...]
    weather: float = 0.0


def curve_kw(speed: float, rated_kw: float, density: float = STANDARD_DENSITY) -> float:
    """Power [kW] of a running pitch-regulated turbine at *speed* [m/s].

    Between cut-in and rated it follows the energy flux, the cube of the speed; thinner air is less
    wind: v (rho / rho0)^(1/3) (IEC 61400-12-1). Storm speeds are the controller's business.
    """
    speed *= (density / STANDARD_DENSITY) ** (1 / 3)
    if speed < CUT_IN_M_S:
        return -HOUSE_LOAD * rated_kw
    share = (speed**3 - CUT_IN_M_S**3) / (RATED_M_S**3 - CUT_IN_M_S**3)
    return rated_kw * min(share, 1.0)


class WindFarm:
    """The turbines of the farm at *path*, each with its rated power [kW]."""

    def __init__(self, path: str, rated_kw: Sequence[tuple[str, float]], modulus: int) -> None:
        self.path = path
        self.turbines = tuple(turbine for turbine, _ in rated_kw)
        self.rated_kw = tuple(rated for _, rated in rated_kw)
        self.modulus = modulus
        self._paths = tuple(
            f"{turbine}/{measure}"
            for measure in ("power", "wind_speed", "energy", "available")
            for turbine in self.turbines
        )

    def start(self, now_ms: int, site: Site, rng: Random) -> WindState:
        """Turbines of some years of age in the wind of the day."""
        turbines = tuple(
            Turbine(meter_start_kwh=rng.randrange(20_000_000, 60_000_000), gust=rng.gauss())
            for _ in self.turbines
        )
        return self.step(WindState(turbines, weather=rng.gauss()), now_ms, 0.0, site, rng)

    def step(
        self, state: WindState, now_ms: int, dt_s: float, site: Site, rng: Random
    ) -> WindState:
        """Hold power and wind for *dt_s* [s], then let the wind blow on."""
        weather = wander(state.weather, dt_s, 3 * 3600.0, rng)
        farm_m_s = max(MEAN_M_S + SPREAD_M_S * weather, 0.5)
        density = air_density(air_degc(sun(now_ms, site), site), site.pressure_kpa)
        return WindState(
            tuple(
                _sense(
                    _hold(turbine, dt_s),
                    farm_m_s=farm_m_s,
                    rated_kw=rated,
                    density=density,
                    now_ms=now_ms,
                    dt_s=dt_s,
                    rng=rng,
                )
                for turbine, rated in zip(state.turbines, self.rated_kw, strict=True)
            ),
            weather,
        )

    def values(self, state: WindState) -> dict[str, float]:
        """Power [kW], wind speed [m/s], totaliser [kWh] and availability of all turbines."""
        shown = (
            *(turbine.power for turbine in state.turbines),
            *(turbine.wind_speed for turbine in state.turbines),
            *(float(turbine.meter_kwh(self.modulus)) for turbine in state.turbines),
            *(float(turbine.available) for turbine in state.turbines),
        )
        return dict(zip(self._paths, shown, strict=True))

    def totals(self, state: WindState) -> Totals:
        """Energy exported and net, and available time, per turbine and farm."""
        turbines = {
            path: {
                "energy_kwh": turbine.energy_kwh,
                "net_kwh": turbine.net_kwh,
                "available_s": turbine.available_s,
            }
            for path, turbine in zip(self.turbines, state.turbines, strict=True)
        }
        farm = {
            quantity: sum(of[quantity] for of in turbines.values())
            for quantity in ("energy_kwh", "net_kwh", "available_s")
        }
        return {self.path: farm, **turbines}

    def trip(self, state: WindState, place: int, until_ms: int) -> WindState:
        """Take turbine *place* (from 0) out of service until *until_ms* [ms]."""
        turbine = replace(state.turbines[place], down_until_ms=until_ms)
        return replace(
            state, turbines=(*state.turbines[:place], turbine, *state.turbines[place + 1 :])
        )


def _hold(turbine: Turbine, dt_s: float) -> Turbine:
    hours = dt_s / 3600
    return replace(
        turbine,
        energy_kwh=turbine.energy_kwh + max(turbine.power, 0.0) * hours,
        net_kwh=turbine.net_kwh + turbine.power * hours,
        available_s=turbine.available_s + turbine.available * dt_s,
    )


def _sense(
    turbine: Turbine,
    *,
    farm_m_s: float,
    rated_kw: float,
    density: float,
    now_ms: int,
    dt_s: float,
    rng: Random,
) -> Turbine:
    until = turbine.down_until_ms
    if until <= now_ms and happens(MEAN_TIME_BETWEEN_TRIPS_S, dt_s, rng):
        until = now_ms + round(1000 * rng.expovariate(1 / MEAN_TIME_TO_REPAIR_S))
    gust = wander(turbine.gust, dt_s, 15.0, rng)
    speed = single(max(farm_m_s * (1 + TURBULENCE * gust), 0.0))
    storm = speed >= CUT_OUT_M_S or (turbine.storm and speed > RESTART_M_S)
    available = until <= now_ms
    running = available and not storm
    power = curve_kw(speed, rated_kw, density) if running else -HOUSE_LOAD * rated_kw
    return replace(
        turbine,
        gust=gust,
        wind_speed=speed,
        power=single(power),
        storm=storm,
        down_until_ms=until,
        available=available,
    )
