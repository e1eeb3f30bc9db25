"""Anode effects from the voltage of pots, through readings and summaries."""

from datetime import timedelta

import pytest

from tests.kpi.catalogue.park import Points, held, of_readings, of_sums

LINE = "smelter/line-1"
POTS = [f"{LINE}/pot-1", f"{LINE}/pot-2"]
HOURS = 6
SECONDS = HOURS * 3600


def voltage(*runs: tuple[int, int]) -> Points:
    """4.2 V, 34.2 V during *runs*, reported every 20 s and at each change."""
    edges = {edge for run in runs for edge in run}
    return [
        (float(s), 34.2 if any(low <= s < high for low, high in runs) else 4.2)
        for s in sorted({*range(-120, SECONDS + 1, 20), *edges})
    ]


GIVEN = {
    f"{POTS[0]}/voltage": voltage((3000, 3120), (9000, 9002), (12_000, 12_060)),
    f"{POTS[1]}/voltage": voltage((7190, 7250)),
    f"{POTS[0]}/operating": held(1.0, SECONDS),
    f"{POTS[1]}/operating": held(1.0, SECONDS),
    f"{POTS[0]}/voltage_target": [(-60.0, 4.2)],
    f"{POTS[1]}/voltage_target": [(-60.0, 4.2)],
}
SPAN = timedelta(hours=HOURS)
POT_DAYS = 2 * HOURS / 24


@pytest.mark.parametrize(
    ("kpi", "value"),
    [
        # Three, of 120, 60 and 60 s; the spike of 2 s is none.
        ("anode_effect_frequency", 3 / POT_DAYS),
        ("anode_effect_duration", 240 / 60 / 3),
        ("anode_effect_minutes", 240 / 60 / POT_DAYS),
        # 30 V above the target during 240 s.
        ("anode_effect_overvoltage", 30_000 * (240 / 86_400) / POT_DAYS),
    ],
)
def test_a_line_with_three_anode_effects(kpi: str, value: float) -> None:
    """Frequency times duration is minutes; one of them lies across the hour of a bucket."""
    found = of_readings(kpi, LINE, GIVEN, SPAN)

    assert found["value"] == pytest.approx(value, rel=1e-9)
    assert found["reason"] is None


def test_minutes_of_the_published_example() -> None:
    """GHG Protocol workbook: one anode effect a pot-day, ten minutes long, are ten minutes."""
    given = {
        f"{POTS[0]}/anode_effect_by_voltage": {"active_s": 600.0, "activations": 1},
        f"{POTS[0]}/operating": {"active_s": 86_400.0},
    }
    day = timedelta(days=1)
    frequency = of_sums("anode_effect_frequency", POTS[0], given, day)["value"]
    duration = of_sums("anode_effect_duration", POTS[0], given, day)["value"]
    minutes = of_sums("anode_effect_minutes", POTS[0], given, day)["value"]

    assert (frequency, duration, minutes) == pytest.approx((1.0, 10.0, 10.0))
    assert minutes == pytest.approx(frequency * duration)


def test_a_pot_that_is_cut_out_dilutes_nothing() -> None:
    """Pot-days are those in operation: a pot that is down half the time halves them."""
    given = {
        f"{POTS[0]}/anode_effect_by_voltage": {"active_s": 600.0, "activations": 1},
        f"{POTS[0]}/operating": {"active_s": 43_200.0},
    }
    found = of_sums("anode_effect_frequency", POTS[0], given, timedelta(days=1))
    assert found["value"] == pytest.approx(2.0)


def test_without_an_anode_effect_there_is_no_duration() -> None:
    """Zero by zero is not zero minutes: the answer is null and says which input is zero."""
    given = {f"{POTS[0]}/anode_effect_by_voltage": {"active_s": 0.0, "activations": 0}}
    found = of_sums("anode_effect_duration", POTS[0], given)

    assert found["value"] is None
    assert "effects is zero" in found["reason"]
