"""The wind farm: power curve, stops, totaliser."""

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator import wind
from simulator.noise import seeded
from simulator.weather import PAVLODAR, air_density
from simulator.wind import Turbine, WindFarm, WindState, curve_kw
from tests.simulator.conftest import NOON_MS

RATED = 4800.0
FARM = WindFarm("wind-1", [(f"wind-1/wtg-{n}", RATED) for n in range(1, 9)], 2**32)


def days(farm: WindFarm, state: WindState, steps: int, dt_s: int, seed: int) -> list[WindState]:
    """All states from *state* on."""
    rng, states = seeded(seed), [state]
    for number in range(1, steps + 1):
        now_ms = NOON_MS + number * dt_s * 1000
        states.append(farm.step(states[-1], now_ms, dt_s, PAVLODAR, rng))
    return states


@pytest.mark.parametrize(
    ("speed", "power"),
    [
        (0.0, -14.4),  # a calm: pumps and heaters draw from the grid
        (2.99, -14.4),  # the wind does not overcome friction yet
        (3.0, 0.0),  # cut-in: nothing is left to export yet
        (12.0, 4800.0),  # rated: the generator is full
        (20.0, 4800.0),  # the blades pitch out what is too much
        (7.5, 4800 * (7.5**3 - 27) / (1728 - 27)),  # between: the cube of the speed
    ],
)
def test_power_curve(speed: float, power: float) -> None:
    """The limits of the curve at standard density."""
    assert curve_kw(speed, RATED) == pytest.approx(power)


@given(st.floats(3, 11), st.floats(1.0, 1.4))
def test_denser_air_gives_more(speed: float, density: float) -> None:
    """Below rated, power never falls with density nor with speed."""
    assert curve_kw(speed, RATED, density + 0.05) >= curve_kw(speed, RATED, density)
    assert curve_kw(speed + 0.5, RATED, density) >= curve_kw(speed, RATED, density)


@pytest.mark.parametrize(
    ("kelvin", "kpa", "density"),
    [(280, 90, 1.11741), (285, 95, 1.15807), (290, 100, 1.19702), (295, 105, 1.23424)],
)
def test_published_air_densities(kelvin: float, kpa: float, density: float) -> None:
    """The values of OpenOA's own test of the IEC 61400-12-1 equation."""
    assert air_density(kelvin - 273.15, kpa) == pytest.approx(density, abs=5e-6)


def test_storm_stop_needs_less_wind_to_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stopped at 25 m/s, still stopped at 23, running again below 22; stopping is not a fault."""
    monkeypatch.setattr(wind, "TURBULENCE", 0.0)
    monkeypatch.setattr(wind, "SPREAD_M_S", 0.0)
    state = FARM.start(NOON_MS, PAVLODAR, seeded(1))
    seen = []
    for speed in (24.0, 25.0, 23.0, 21.9):
        monkeypatch.setattr(wind, "MEAN_M_S", speed)
        state = FARM.step(state, NOON_MS, 0.0, PAVLODAR, seeded(1))
        seen.append((state.turbines[0].power > 0, state.turbines[0].available))

    assert seen == [(True, True), (False, True), (False, True), (True, True)]


def test_totaliser_counts_export_and_wraps() -> None:
    """The register is the start plus the exported energy, modulo its modulus, and does wrap."""
    farm = WindFarm("wind-1", [("wind-1/wtg-1", RATED)], modulus=10_000)
    first = replace(farm.start(NOON_MS, PAVLODAR, seeded(1)), turbines=(Turbine(9_990),))
    states = days(farm, first, 1440, 60, seed=1)
    meters = [state.turbines[0].meter_kwh(10_000) for state in states]

    assert meters[0] == 9_990
    wraps = sum(later < earlier for earlier, later in pairwise(meters))
    last = states[-1].turbines[0]
    assert wraps == (9_990 + int(last.energy_kwh)) // 10_000 > 0
    assert all(0 <= meter < 10_000 for meter in meters)
    increase = sum((b - a) % 10_000 for a, b in pairwise(meters))
    assert increase == int(last.energy_kwh)


def test_energy_is_the_power_held() -> None:
    """Net energy is the sum of the shown power; export leaves the house load out."""
    states = days(FARM, FARM.start(NOON_MS, PAVLODAR, seeded(4)), 1440, 60, seed=4)
    totals = FARM.totals(states[-1])

    for place, path in enumerate(FARM.turbines):
        powers = [state.turbines[place].power for state in states[:-1]]
        assert totals[path]["net_kwh"] == pytest.approx(sum(powers) / 60)
        assert totals[path]["energy_kwh"] == pytest.approx(sum(max(p, 0.0) for p in powers) / 60)
    assert totals["wind-1"]["net_kwh"] == pytest.approx(
        sum(totals[path]["net_kwh"] for path in FARM.turbines)
    )


def test_a_tripped_turbine_draws_its_house_load() -> None:
    """Not available means no power, and no available seconds either."""
    state = FARM.start(NOON_MS, PAVLODAR, seeded(1))
    states = days(FARM, FARM.trip(state, 2, NOON_MS + 61_000), 90, 1, seed=1)
    seen = [state.turbines[2] for state in states[1:]]

    assert [turbine.available for turbine in seen] == [False] * 60 + [True] * 30
    assert all(turbine.power == pytest.approx(-14.4) for turbine in seen[:60])
    # Shown from the first step on: one second before it, 29 after the 60 down.
    assert states[-1].turbines[2].available_s == 1 + 29


def test_a_month_of_wind_is_plausible() -> None:
    """Capacity factor between 0.15 and 0.5, availability above 0.95, always within limits."""
    states = days(FARM, FARM.start(NOON_MS, PAVLODAR, seeded(1)), 2000, 1296, seed=1)
    totals = FARM.totals(states[-1])["wind-1"]

    assert 0.15 < totals["net_kwh"] / (8 * RATED * 720) < 0.5
    assert 0.95 < totals["available_s"] / (8 * 2000 * 1296) < 1.0
    assert all(
        -200 <= turbine.power <= 5200 and 0 <= turbine.wind_speed <= 60
        for state in states
        for turbine in state.turbines
    )
