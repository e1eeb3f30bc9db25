"""Wind and solar units against a real wind farm, and at their limits."""

from datetime import timedelta

import pytest

from kpi.summary import summarise
from tests.kpi.catalogue.park import held, of_readings, of_sums
from tests.kpi.frames import START, at, readings, tags

FARM = "power/metered"
TURBINE = "power/wind/wtg-1"

LA_HAUTE_BORNE = {
    f"{FARM}/energy_net": {"total": 692_400.0},
    f"{FARM}/energy_unavailable": {"total": 29_417.0},
    f"{FARM}/energy_curtailed": {"total": 13_250.0},
}


@pytest.mark.parametrize(
    ("kpi", "published"),
    [
        ("capacity_factor", 0.117276),
        ("unavailability_loss", 0.040019),
        ("curtailment_loss", 0.018026),
        ("energy_availability", 692_400 / (692_400 + 29_417)),
        ("energy_delivered", 692.4),
    ],
)
def test_a_month_of_la_haute_borne(kpi: str, published: float) -> None:
    """2014-06, 8.2 MW: sums of the shipped data, OpenOA's shares in the sixth decimal."""
    found = of_sums(kpi, FARM, LA_HAUTE_BORNE, timedelta(days=30))
    assert found["value"] == pytest.approx(published, abs=1e-6)


def test_losses_from_the_states_of_a_turbine() -> None:
    """Half an hour down and half an hour held back to a third, at 3000 kW possible."""
    given = {
        f"{TURBINE}/potential_power": held(3000.0, 3600),
        f"{TURBINE}/power": [(float(s), 0.0 if s < 1800 else 1000.0) for s in range(0, 3601, 60)],
        f"{TURBINE}/available": [(float(s), 0.0 if s < 1800 else 1.0) for s in range(0, 3601, 60)],
        f"{TURBINE}/curtailed": [(0.0, 1.0), (1800.0, 1.0)],
    }
    delivered, down, held_back = 500.0, 1500.0, 1000.0
    possible = delivered + down + held_back
    for kpi, value in (
        ("unavailability_loss", down / possible),
        ("curtailment_loss", held_back / possible),
        ("energy_availability", delivered / (delivered + down)),
        ("time_availability", 50.0),
    ):
        assert of_readings(kpi, TURBINE, given)["value"] == pytest.approx(value, rel=1e-12), kpi


def test_time_of_which_nothing_is_known_is_no_unavailability() -> None:
    """36 minutes available, 12 down, 12 without a word: 75 % of the time that is known."""
    states = [(60.0 * n, 1.0 if n < 36 else 0.0) for n in range(48)]
    found = of_readings("time_availability", TURBINE, {f"{TURBINE}/available": states})
    assert found["value"] == pytest.approx(75.0)
    assert found["coverage"] == pytest.approx(0.8)


@pytest.mark.parametrize(("power", "factor"), [(4800.0, 1.0), (0.0, 0.0), (-24.0, -0.005)])
def test_capacity_factor_at_its_limits(power: float, factor: float) -> None:
    """Rated power is one, calm is zero, and a turbine that draws is below it."""
    found = of_sums("capacity_factor", TURBINE, {f"{TURBINE}/power": {"mean": power}})
    assert found["value"] == pytest.approx(factor, abs=1e-12)


def test_a_totaliser_knows_what_an_outage_delivered() -> None:
    """Silent for 40 minutes across its modulus: the power is unknown, the energy is not."""
    energy = [(60.0 * n, 999_990.0 + n) for n in range(10)]
    energy += [(60.0 * n, float(n - 10)) for n in range(50, 61)]
    given = {f"{TURBINE}/energy": energy}
    found = of_readings("energy_delivered", TURBINE, given, timedelta(hours=1))

    assert found["value"] is None  # too little of the hour is covered to vouch for it
    tag = tags("counter", stale_after_s=300, modulus=1e6)
    rows = summarise(readings(energy), tag, START, at(3600), timedelta(hours=1))
    assert rows["increase"].item() == pytest.approx(59.0)


#: rdtools, energy_from_power_test.py: 1, 2, 3, 2, 1 kW from 12:00, 15 minutes apart.
POWER = (1.0, 2.0, 3.0, 2.0, 1.0)


def energy(points: list[tuple[float, float]], interpolation: str, minutes: int) -> list[float]:
    """Energy [kWh] of each so many minutes of an hour."""
    tag = tags("gauge", interpolation, stale_after_s=900)
    every = timedelta(minutes=minutes)
    rows = summarise(readings(points), tag, START, at(3600), every)
    return [amount / 3600 for amount in rows["integral"]]


def test_energy_from_sampled_power() -> None:
    """rdtools, instantaneous power: by trapezoids 0.375, 0.625, 0.625, 0.375 kWh."""
    points = [(900.0 * n, value) for n, value in enumerate(POWER)]
    assert energy(points, "linear", 15) == pytest.approx([0.375, 0.625, 0.625, 0.375])


def test_energy_from_averaged_power() -> None:
    """rdtools, right-labelled means: each holds before its stamp; 20 min 0.75, 0.8333, 0.4167."""
    points = [(900.0 * n, value) for n, value in enumerate(POWER[1:])]
    assert energy(points, "step", 15) == pytest.approx([0.5, 0.75, 0.5, 0.25])
    assert energy(points, "step", 20) == pytest.approx([0.75, 0.8333333, 0.4166667])


def test_a_gap_longer_than_a_reading_holds_is_not_filled() -> None:
    """Where rdtools gives NaN (max_timedelta), the time here is not covered and gives nothing."""
    points = [(0.0, 1.0), (900.0, 2.0), (2700.0, 2.0)]
    assert energy(points, "linear", 60) == pytest.approx([0.375 + 0.5 + 0.5])
