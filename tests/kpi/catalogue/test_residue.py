"""Residue: soda, clarity, use."""

from datetime import timedelta

import pytest

from kpi.catalogue.residue import LADDER
from tests.kpi.catalogue.park import Points, of_readings, of_sums

DAY = timedelta(days=1)
SETTLER = "refinery/settler"
WASHERS = "refinery/washers"
MADE = {
    "refinery/calciner-1/alumina_produced": {"increase": 600.0},
    "refinery/calciner-2/alumina_produced": {"increase": 400.0},
}


def test_residue_and_the_soda_with_it() -> None:
    """1.29 t/t of the world (160 Mt, 124 Mt); 1.3 m^3 of 6 kg/m^3 a tonne of mud as NaOH."""
    mud = 160 / 124 * 1000
    given = MADE | {
        f"{WASHERS}/residue_flow": {"mean": mud / 24},
        f"{WASHERS}/underflow_soda_flow": {"mean": mud * 1.3 * 6 / 24},
    }
    factor = of_sums("residue_factor", "refinery", given, DAY)["value"]
    assert factor == pytest.approx(1.29, abs=0.001)
    loss = of_sums("residue_soda_loss", "refinery", given, DAY)["value"]
    assert loss == pytest.approx(factor * 1.3 * 6 * 0.754745, rel=2e-5)


def test_use_of_residue_and_the_clinker_it_displaces() -> None:
    """IPCC 2006: 65 % CaO, 2 % kiln dust, 0.5203 t CO2/t clinker."""
    given = {
        f"{WASHERS}/residue_flow": {"mean": 100.0},
        f"{WASHERS}/residue_used": {"mean": 4.0},
    }
    assert of_sums("residue_utilisation", "refinery", given)["value"] == pytest.approx(4.0)
    avoided = of_sums("avoided_clinker_co2", "refinery", given)["value"]
    assert avoided / 4.0 == pytest.approx(0.5203, abs=5e-5)


def solids(*runs: tuple[float, int]) -> Points:
    """Runs of solids [mg/L] and minutes, one reading a minute."""
    values = [value for value, minutes in runs for _ in range(minutes)]
    return [(60.0 * minute, value) for minute, value in enumerate(values)]


def clarity(kpi: str, points: Points) -> float:
    """The value over the hour."""
    value = of_readings(kpi, SETTLER, {f"{SETTLER}/overflow_solids": points})["value"]
    assert isinstance(value, float)
    return value


def test_mean_and_share_above_the_limit() -> None:
    """54 minutes at 40 mg/L, 6 at 140: mean 50; the plant's limit is 80."""
    points = solids((40.0, 54), (140.0, 6))
    assert clarity("overflow_solids", points) == pytest.approx(50.0)
    assert clarity("overflow_cloudy_share", points) == pytest.approx(10.0)


def test_percentile_from_the_ladder_of_limits() -> None:
    """20 % above 50 mg/L, 2 % above 100: the 95th is five sixths of the way between."""
    points = solids((40.0, 48), (70.0, 11), (150.0, 1))
    above_50, above_100 = 12 / 60, 1 / 60
    expected = 50 + 50 * (above_50 - 0.05) / (above_50 - above_100)

    assert clarity("overflow_solids_p95", points) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(
    ("level", "low", "high"), [(5.0, 0, 10), (30.0, 20, 50), (400.0, 200, 500)]
)
def test_a_steady_overflow_is_between_its_limits(level: float, low: float, high: float) -> None:
    """The ladder knows no more than between which of its limits the solids stay."""
    assert low <= clarity("overflow_solids_p95", solids((level, 60))) <= high


def test_beyond_the_ladder_it_stays_at_its_end() -> None:
    """Nothing is known above the last limit."""
    assert clarity("overflow_solids_p95", solids((900.0, 60))) == LADDER[-1]
