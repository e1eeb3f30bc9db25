"""The solar farm: the sun over Pavlodar, clouds, clipping, nights."""

from datetime import UTC, datetime, timedelta
from math import asin, degrees

import numpy as np
import pytest

from schemas.instant import to_ms
from simulator.command import Fault
from simulator.model import Disturbance, Moment
from simulator.noise import seeded
from simulator.solar import Farm, Solar, SolarState, clear_sky_w_m2, inverter_kw
from simulator.weather import PAVLODAR, air_degc, sun

INVERTERS = [f"solar-1/inv-{n}" for n in range(1, 5)]
FARM = Solar([Farm("solar-1", [(path, 2500.0, 3125.0) for path in INVERTERS])], 2**32)


def elevation(instant: datetime) -> float:
    """Height of the sun at Pavlodar [deg]."""
    return degrees(asin(sun(to_ms(instant), PAVLODAR).sine_of_elevation(PAVLODAR)))


def day(start: datetime, seed: int = 1) -> list[SolarState]:
    """A day of the farm in steps of five minutes."""
    rng = seeded(seed)
    states = [FARM.start(to_ms(start), rng)]
    for step in range(1, 289):
        now_ms = to_ms(start + timedelta(minutes=5 * step))
        states.append(FARM.step(states[-1], Moment(now_ms, 300.0), rng))
    return states


@pytest.mark.parametrize(
    ("date", "height"),
    [
        ((2026, 6, 21), 90 - 52.3 + 23.44),  # summer solstice
        ((2026, 12, 21), 90 - 52.3 - 23.44),  # winter solstice
        ((2026, 3, 20), 90 - 52.3),  # equinox at 14:46 UTC
    ],
)
def test_noon_height_follows_the_season(date: tuple[int, int, int], height: float) -> None:
    """Highest sun of the day = 90 deg - latitude + declination."""
    start = datetime(*date, tzinfo=UTC)
    highest = max(elevation(start + timedelta(minutes=m)) for m in range(1440))

    assert highest == pytest.approx(height, abs=0.25)


def test_true_noon_comes_by_the_longitude() -> None:
    """At 77 deg east the mean sun culminates 5 h 08 min before 12 UTC.

    On 2026-11-21 the true sun is 14 minutes ahead of it: 06:38 UTC.
    """
    start = datetime(2026, 11, 21, tzinfo=UTC)
    noon = max(range(1440), key=lambda m: elevation(start + timedelta(minutes=m)))

    assert noon == pytest.approx(6 * 60 + 38, abs=2)


def test_night_is_zero() -> None:
    """No light, no power, no energy while the sun is down: 16 to 23 UTC in November."""
    states = day(datetime(2026, 11, 21, 16, tzinfo=UTC))[:84]

    assert all(state.sky[0] == 0 for state in states)
    assert all((state.units.power == 0).all() for state in states)
    assert FARM.totals(states[-1])["solar-1"]["energy_kwh"] == 0


def test_clear_sky_stays_below_the_solar_constant() -> None:
    """A June noon: about 1 kW/m^2 in the module plane."""
    noon = sun(to_ms(datetime(2026, 6, 21, 6, 54, tzinfo=UTC)), PAVLODAR)

    assert 950 < clear_sky_w_m2(noon, PAVLODAR) < 1100


def test_inverter_limits() -> None:
    """Dark gives nothing, cold bright modules are clipped at the rating, hot ones give less."""
    peak, rated = np.array([3125.0]), np.array([2500.0])

    def power(irradiance: float, air: float) -> float:
        return float(inverter_kw(np.array([irradiance]), air, peak, rated)[0])

    assert power(0.0, 20.0) == 0
    assert power(1100.0, -10.0) == 2500
    assert power(500.0, 35.0) < power(500.0, -10.0)


def test_energy_is_the_power_held() -> None:
    """Energy and insolation of a June day are the sums of what was shown."""
    states = day(datetime(2026, 6, 21, tzinfo=UTC))
    totals = FARM.totals(states[-1])

    shown = sum(state.units.power.sum() for state in states[:-1])
    assert totals["solar-1"]["energy_kwh"] == pytest.approx(shown / 12)
    light = sum(float(state.sky[0][0]) for state in states[:-1])
    assert totals["solar-1"]["insolation_kwh_m2"] == pytest.approx(light / 12_000)
    # Four inverters of 2500 kW on a long day.
    assert 0.1 < totals["solar-1"]["energy_kwh"] / (10_000 * 24) < 0.45
    assert max(state.units.power.max() for state in states) <= 2500


def test_a_tripped_inverter_gives_nothing() -> None:
    """Its neighbours go on."""
    noon_ms = to_ms(datetime(2026, 6, 21, 7, tzinfo=UTC))
    trip = Disturbance(Fault.UPSET, [INVERTERS[1]], 0.0, noon_ms + 10_000)
    state = FARM.disturb(FARM.start(noon_ms, seeded(1)), trip)
    state = FARM.step(state, Moment(noon_ms + 1000, 1.0), seeded(1))

    assert (state.units.power > 0).tolist() == [True, False, True, True]
    assert state.units.available.tolist() == [1, 0, 1, 1]
    assert state.units.potential[1] > 0


def test_winter_is_cold_and_summer_warm() -> None:
    """Noon of both solstices, within ten degrees of Pavlodar's normals."""
    winter = sun(to_ms(datetime(2026, 12, 21, 7, tzinfo=UTC)), PAVLODAR)
    summer = sun(to_ms(datetime(2026, 6, 21, 7, tzinfo=UTC)), PAVLODAR)

    assert air_degc(winter, PAVLODAR) == pytest.approx(-13, abs=10)
    assert air_degc(summer, PAVLODAR) == pytest.approx(26, abs=10)
