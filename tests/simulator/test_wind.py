"""The wind farm: power curve, stops, totaliser."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator import wind
from simulator.command import Fault
from simulator.model import Disturbance, Moment
from simulator.noise import seeded
from simulator.weather import air_density
from simulator.wind import Farm, Wind, WindState, curve_kw
from tests.simulator.conftest import NOON_MS

RATED = 4800.0
TURBINES = [f"wind-1/wtg-{n}" for n in range(1, 9)]
FARM = Wind([Farm("wind-1", [(path, RATED) for path in TURBINES], "wind-1/mast")], 2**32)


def days(farm: Wind, state: WindState, steps: int, dt_s: int, seed: int) -> list[WindState]:
    """All states from *state* on."""
    rng, states = seeded(seed), [state]
    for number in range(1, steps + 1):
        now_ms = NOON_MS + number * dt_s * 1000
        states.append(farm.step(states[-1], Moment(now_ms, dt_s), rng))
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
    assert curve_kw(np.array([speed]), RATED) == pytest.approx(power)


@given(st.floats(3, 11), st.floats(1.0, 1.4))
def test_denser_air_gives_more(speed: float, density: float) -> None:
    """Below rated, power never falls with density nor with speed."""
    given = np.array([speed])
    assert curve_kw(given, RATED, density + 0.05) >= curve_kw(given, RATED, density)
    assert curve_kw(given + 0.5, RATED, density) >= curve_kw(given, RATED, density)


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
    state = FARM.start(NOON_MS, seeded(1))
    seen = []
    for speed in (24.0, 25.0, 23.0, 21.9):
        monkeypatch.setattr(wind, "MEAN_M_S", speed)
        state = FARM.step(state, Moment(NOON_MS, 0.0), seeded(1))
        seen.append((bool(state.units.power[0] > 0), bool(state.units.available[0])))

    assert seen == [(True, True), (False, True), (False, True), (True, True)]


def test_totaliser_counts_export_and_wraps() -> None:
    """The register is the start plus the exported energy, modulo its modulus, and does wrap."""
    farm = Wind([Farm("wind-1", [("wind-1/wtg-1", RATED)])], modulus=10_000)
    first = farm.start(NOON_MS, seeded(1))
    first = replace(first, units=replace(first.units, meter_start_kwh=np.array([9_990.0])))
    states = days(farm, first, 1440, 60, seed=1)
    meters = [int(state.units.meter_kwh(10_000)[0]) for state in states]
    exported = int(states[-1].units.sums["energy_kwh"][0])

    assert meters[0] == 9_990
    wraps = sum(later < earlier for earlier, later in pairwise(meters))
    assert wraps == (9_990 + exported) // 10_000 > 0
    assert all(0 <= meter < 10_000 for meter in meters)
    assert sum((b - a) % 10_000 for a, b in pairwise(meters)) == exported


def test_energy_is_the_power_held() -> None:
    """Net energy is the sum of the shown power; export leaves the house load out."""
    states = days(FARM, FARM.start(NOON_MS, seeded(4)), 1440, 60, seed=4)
    totals = FARM.totals(states[-1])

    for place, path in enumerate(FARM.turbines):
        powers = [float(state.units.power[place]) for state in states[:-1]]
        assert totals[path]["net_kwh"] == pytest.approx(sum(powers) / 60)
        assert totals[path]["energy_kwh"] == pytest.approx(sum(max(p, 0.0) for p in powers) / 60)
    assert totals["wind-1"]["net_kwh"] == pytest.approx(
        sum(totals[path]["net_kwh"] for path in FARM.turbines)
    )


def test_a_tripped_turbine_draws_its_house_load() -> None:
    """Not available means no power, no available seconds, and a loss of all the wind offers."""
    trip = Disturbance(Fault.UPSET, [TURBINES[2]], 0.0, NOON_MS + 61_000)
    state = FARM.disturb(FARM.start(NOON_MS, seeded(1)), trip)
    states = days(FARM, state, 90, 1, seed=1)
    available = [float(state.units.available[2]) for state in states[1:]]
    powers = [float(state.units.power[2]) for state in states[1:61]]
    totals = FARM.totals(states[-1])[TURBINES[2]]

    assert available == [0.0] * 60 + [1.0] * 30
    assert powers == pytest.approx([-14.4] * 60)
    # Shown from the first step on: one second before it, 29 after the 60 down.
    assert totals["available_s"] == 1 + 29
    lost = sum(float(state.units.potential[2]) + 14.4 for state in states[1:61]) / 3600
    assert totals["unavailable_kwh"] == pytest.approx(lost, rel=1e-6)


def test_curtailment_holds_back_what_the_wind_offers() -> None:
    """At 2 % a turbine gives 96 kW at most; the rest is counted as curtailed, not as a trip."""
    held = Disturbance(Fault.CURTAIL, TURBINES, 2.0, NOON_MS + 3_600_000)
    states = days(FARM, FARM.disturb(FARM.start(NOON_MS, seeded(4)), held), 600, 1, seed=4)
    last = states[-1].units

    assert (last.power <= 96 + 1e-3).all()
    assert (last.potential > 96).any()
    assert (last.sums["curtailed_kwh"] > 0).any()
    assert (last.sums["unavailable_kwh"] == 0).all()


def test_the_mast_shows_the_air_that_the_turbines_turn_in() -> None:
    """Direction from 0 to 360 degrees; density by the gas law; north and east within a second."""
    states = days(FARM, FARM.start(NOON_MS, seeded(2)), 500, 600, seed=2)
    speed, direction, degc, hpa, _ = np.array([state.masts[:, 0] for state in states]).T
    totals = FARM.totals(states[-1])["wind-1/mast"]

    assert ((direction >= 0) & (direction <= 360)).all()
    assert ((speed > 0) & (speed < 30)).all()
    mean = totals["air_density_kg_s_m3"] / 300_000
    assert mean == pytest.approx(100 * hpa.mean() / 287.05 / (degc.mean() + 273.15), rel=0.01)
    assert abs(totals["east_s"]) <= 300_000


def test_farms_share_most_of_their_weather() -> None:
    """Two farms: correlated, not alike."""
    two = Wind([Farm(f"w-{n}", [(f"w-{n}/t", RATED)], f"w-{n}/mast") for n in (1, 2)], 2**32)
    states = days(two, two.start(NOON_MS, seeded(3)), 3000, 3600, seed=3)
    first, second = np.array([state.masts[0] for state in states]).T

    assert 0.45 < np.corrcoef(first, second)[0, 1] < 0.8


def test_a_month_of_wind_is_plausible() -> None:
    """Capacity factor between 0.15 and 0.5, availability above 0.95, always within limits."""
    states = days(FARM, FARM.start(NOON_MS, seeded(1)), 2000, 1296, seed=1)
    totals = FARM.totals(states[-1])["wind-1"]
    powers = np.array([state.units.power for state in states])
    speeds = np.array([state.wind_speed for state in states])

    assert 0.15 < totals["net_kwh"] / (8 * RATED * 720) < 0.5
    assert 0.95 < totals["available_s"] / (8 * 2000 * 1296) < 1.0
    assert ((powers >= -200) & (powers <= 5200)).all()
    assert ((speeds >= 0) & (speeds <= 60)).all()
