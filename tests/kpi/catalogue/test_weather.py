"""Wind and sun: density, direction, performance ratio."""

from datetime import timedelta

import pytest

from tests.kpi.catalogue.park import Points, held, hourly, of_readings, of_sums

MAST = "power/wind/mast"
SOLAR = "power/solar"


def test_density_and_wind_speed_in_normal_air() -> None:
    """OpenOA: 280 K and 90 kPa are 1.11741 kg/m^3; 8 m/s carry as much as 7.759 in 1.225."""
    given = {
        f"{MAST}/air_temperature": held(280 - 273.15, 3600),
        f"{MAST}/air_pressure": held(900.0, 3600),
        f"{MAST}/humidity": held(50.0, 3600),
        f"{MAST}/wind_speed": held(8.0, 3600),
    }
    assert of_readings("air_density", MAST, given)["value"] == pytest.approx(1.11741, abs=5e-6)
    found = of_readings("density_corrected_wind_speed", MAST, given)["value"]
    assert found == pytest.approx(8 * (1.11741 / 1.225) ** (1 / 3), rel=2e-6)


@pytest.mark.parametrize(
    ("directions", "mean"),
    [((-60.0, -90.0, 5.0), 310.066954), ((45.0, -5.0, 30.0), 23.552040), ((350.0, 10.0), 0.0)],
)
def test_circular_mean(directions: tuple[float, ...], mean: float) -> None:
    """OpenOA, test_met_data_processing_toolkit.py; each direction for an hour."""
    given = {f"{MAST}/wind_direction": hourly(directions)}
    found = of_readings("wind_direction", MAST, given, timedelta(hours=len(directions)))
    off = (found["value"] - mean + 180) % 360 - 180

    assert off == pytest.approx(0.0, abs=1e-6)
    assert 0 <= found["value"] < 360


def test_opposite_winds_have_no_mean_direction() -> None:
    """The vectors of east and west cancel: no direction is nearer than another."""
    given = {f"{MAST}/wind_north": {"mean": 0.0}, f"{MAST}/wind_east": {"mean": 0.0}}
    found = of_sums("wind_direction", MAST, given)
    assert found["value"] is None
    assert found["reason"].startswith("undefined")


#: NREL RSF II as pvanalytics' test_performance_ratio_nrel has it, hour by hour.
POA = (921.75575, 916.11225, 914.8590833, 914.86375, 913.6426667, 889.6296667, 751.4611667)
AIR = (28.89891667, 29.69258333, 30.21441667, 30.5815, 31.14808333, 31.5445, 31.63208333)
WIND = (1.796333333, 2.496916667, 2.413333333, 2.023666667, 1.844416667, 1.605583333, 1.18625)
P_AC = (39389.6625, 39425.3525, 39460.9625, 39125.315, 38888.59, 37520.8925, 27303.8025)
P_DC0 = 61_056.0
#: The solar farm of the park has 4 MW of modules, in two inverters of 3 and 1.
SCALE = 4000.0 / P_DC0
HOURS = timedelta(hours=7)


def sunny() -> dict[str, Points]:
    """Those seven hours, with the power shared by the two inverters."""
    return {
        f"{SOLAR}/irradiance": hourly(POA),
        f"{SOLAR}/air_temperature": hourly(AIR),
        f"{SOLAR}/wind_speed": hourly(WIND),
        f"{SOLAR}/inv-1/power": hourly(0.75 * SCALE * power for power in P_AC),
        f"{SOLAR}/inv-2/power": hourly(0.25 * SCALE * power for power in P_AC),
    }


def test_performance_ratio_of_a_real_array() -> None:
    """pvanalytics: 0.6873059."""
    found = of_readings("performance_ratio", SOLAR, sunny(), HOURS)
    assert found["value"] == pytest.approx(0.6873059, abs=1e-7)
    assert found["reason"] is None


def test_performance_ratio_of_an_inverter() -> None:
    """The sun of the farm counts by the peak power of the one inverter."""
    found = of_readings("performance_ratio", f"{SOLAR}/inv-2", sunny(), HOURS)
    assert found["value"] == pytest.approx(0.6873059, abs=1e-7)


def test_performance_ratio_at_25_degrees() -> None:
    """The same hours against 25 degC instead of their own mean of 53: 0.7461350."""
    found = of_readings("performance_ratio_corrected", SOLAR, sunny(), HOURS)
    assert found["value"] == pytest.approx(0.7461350, abs=5e-8)


def test_corrected_to_its_own_temperature_it_is_the_plain_ratio() -> None:
    """Why the reference is 25 degC: with the irradiance-weighted mean the correction is none."""
    cells = [
        air + poa * 2.718281828459045 ** (-3.58 - 0.113 * wind) + poa / 1000 * 3
        for poa, air, wind in zip(POA, AIR, WIND, strict=True)
    ]
    mean = sum(poa * cell for poa, cell in zip(POA, cells, strict=True)) / sum(POA)
    corrected = sum(
        poa * (1 - 0.0028 * (cell - mean)) for poa, cell in zip(POA, cells, strict=True)
    )

    assert mean == pytest.approx(53.1589, abs=5e-5)
    assert corrected == pytest.approx(sum(POA), rel=1e-12)


def test_a_night_has_no_performance_ratio() -> None:
    """No sun, no ratio: null with the reason, not zero."""
    given = {f"{SOLAR}/irradiance": {"mean": 0.0}}
    given |= {f"{SOLAR}/inv-{n}/power": {"mean": 0.0} for n in (1, 2)}
    found = of_sums("performance_ratio", SOLAR, given)

    assert found["value"] is None
    assert "sun is zero" in found["reason"]
