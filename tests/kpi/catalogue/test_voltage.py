"""Voltage, resistance, slope and noise of pots, from readings."""

import pytest

from tests.kpi.catalogue.park import Points, held, of_readings

POT = "smelter/line-1/pot-1"
CURRENT = "smelter/line-1/line_current"


def of_pot(kpi: str, voltage: Points, current: Points | None = None) -> float:
    """The value over an hour at the nominal current."""
    given = {f"{POT}/voltage": voltage, CURRENT: current or held(500.0, 3600, 10)}
    found = of_readings(kpi, POT, given)
    assert found["reason"] is None, found
    value = found["value"]
    assert isinstance(value, float)
    return value


def test_means_are_weighted_by_time() -> None:
    """45 minutes at 4.2 V and 15 at 4.4 V are 4.25 V, however often each was reported."""
    voltage = [(float(s), 4.2) for s in range(0, 2700, 50)]
    voltage += [(float(s), 4.4) for s in range(2700, 3600)]
    assert of_pot("pot_voltage", voltage) == pytest.approx(4.25, rel=1e-12)


def test_resistance_of_a_published_formula() -> None:
    """Banta et al. 2003, V0 1.65 V: 4.20 V at 175 kA are 14.571 micro-ohm."""
    found = of_pot("pot_resistance", held(4.2, 3600, 10), held(175.0, 3600, 10))
    assert found == pytest.approx(14.571, abs=5e-4)


def test_normal_voltage_is_the_voltage_at_the_nominal_current() -> None:
    """At 500 kA it is the measured one; at less, a resistance pulls it up from the measured."""
    assert of_pot("normal_voltage", held(4.2, 3600, 10)) == pytest.approx(4.2, rel=1e-12)
    found = of_pot("normal_voltage", held(4.2, 3600, 10), held(490.0, 3600, 10))
    assert found == pytest.approx(2.55 * 500 / 490 + 1.65, rel=1e-12)


def test_slope_of_the_published_line() -> None:
    """GeniSim: 0.68 mV/min, 4.1011 V rising to 4.1045 V in 5 min."""
    voltage = [(5.0 * n, 4.1011 + 0.00068 * 5.0 * n / 60) for n in range(-60, 721)]
    current = [(5.0 * n, 500.0) for n in range(-60, 721)]
    assert of_pot("voltage_slope", voltage, current) == pytest.approx(0.68, rel=1e-6)


def test_a_steady_pot_is_quiet() -> None:
    """No noise in either band, and no alarm."""
    voltage = [(float(s), 4.2) for s in range(-600, 3601, 10)]
    current = [(float(s), 500.0) for s in range(-600, 3601, 10)]
    for kpi in ("noise_fast", "noise_slow", "noise_alarm_share"):
        assert of_pot(kpi, voltage, current) == pytest.approx(0.0, abs=1e-9)


def test_a_pot_with_waves_is_above_the_alarm() -> None:
    """50 mV from trough to crest over 40 s, alarm at 30 mV: slow noise, little of it fast."""
    voltage = [(float(s), 4.2 + 0.05 * (s // 20 % 2)) for s in range(-600, 3601)]
    current = [(float(s), 500.0) for s in range(-600, 3601, 10)]

    assert of_pot("noise_slow", voltage, current) == pytest.approx(50.0, rel=1e-9)
    assert of_pot("noise_alarm_share", voltage, current) == pytest.approx(100.0)
