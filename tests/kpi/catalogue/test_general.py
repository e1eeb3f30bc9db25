"""Overall equipment effectiveness against published examples."""

from datetime import timedelta

import pytest

from kpi.catalogue.methodology import FARADAY
from tests.kpi.catalogue.park import of_sums

CALCINER = "refinery/calciner-1"
LINE = "smelter/line-1"


def calciner(
    *, planned_min: float, running_min: float, produced: float, good: float
) -> dict[str, dict[str, float]]:
    """A calciner, rated at 60 t/h: one tonne a minute."""
    return {
        f"{CALCINER}/planned": {"active_s": 60 * planned_min},
        f"{CALCINER}/running": {"active_s": 60 * running_min},
        f"{CALCINER}/alumina_produced": {"increase": produced},
        f"{CALCINER}/alumina_on_spec": {"increase": good},
    }


def ratios(given: dict[str, dict[str, float]]) -> list[float]:
    """Availability, effectiveness, quality and OEE [%] of a shift."""
    kpis = ("availability_ratio", "effectiveness", "quality_ratio", "oee")
    return [of_sums(kpi, CALCINER, given, timedelta(hours=8))["value"] for kpi in kpis]


def test_a_shift_of_480_minutes() -> None:
    """waycalculator.com: 420 of 480 min, 400 pieces of 1 min, 380 good: 87.5, 95.2, 95, 79.1 %."""
    given = calciner(planned_min=480, running_min=420, produced=400, good=380)
    assert ratios(given) == pytest.approx([87.5, 95.238, 95.0, 79.167], abs=5e-4)


def test_the_example_of_oee_com() -> None:
    """19 271 pieces of 1 s in 373 min, 18 848 of them good: 0.8611 and 0.9780."""
    made, good = 19_271 / 60, 18_848 / 60  # at one tonne a minute, 1 s is 1/60 t
    given = calciner(planned_min=420, running_min=373, produced=made, good=good)
    availability, effectiveness, quality, oee = ratios(given)

    assert effectiveness == pytest.approx(86.11, abs=0.005)
    # 18 848 / 19 271 is 0.97805; the source cuts it off.
    assert quality == pytest.approx(97.80, abs=0.006)
    assert availability == pytest.approx(88.81, abs=0.005)
    assert oee == pytest.approx(74.79, abs=0.005)


def test_the_example_of_tpm() -> None:
    """TPM, A Route to World-Class Performance, p. 127: 783 of 910 are 86.0 %, 203 of 261 77.8."""
    given = calciner(planned_min=910, running_min=783, produced=261, good=203)
    availability, _, quality, _ = ratios(given)
    assert availability == pytest.approx(86.0, abs=0.05)
    assert quality == pytest.approx(77.8, abs=0.05)


def test_several_calciners_are_judged_by_their_sums() -> None:
    """A small one at its best does not lift a large one that stands: rates times times add up."""
    given = calciner(planned_min=480, running_min=480, produced=480, good=480)
    other = {path.replace("-1/", "-2/"): dict(values) for path, values in given.items()}
    other["refinery/calciner-2/alumina_produced"]["increase"] = 240.0
    other["refinery/calciner-2/alumina_on_spec"]["increase"] = 240.0
    found = of_sums("oee", "refinery", given | other, timedelta(hours=8))
    assert found["value"] == pytest.approx(75.0)


def potline(operating: float, current: float, efficiency: float, grade: float) -> float:
    """OEE of a line of two pots, rated at 500 kA, over a day."""
    made = FARADAY.constants["yield_"].value * 24 * current * efficiency * operating
    given = {}
    for pot in ("pot-1", "pot-2"):
        given[f"{LINE}/{pot}/metal_on_grade"] = {"total": made * grade}
        given[f"{LINE}/{pot}/operating"] = {"active_s": 86_400 * operating}
    value = of_sums("potline_oee", LINE, given, timedelta(days=1))["value"]
    assert isinstance(value, float)
    return value


def test_oee_of_a_potline_is_the_product_of_its_losses() -> None:
    """At target it is 100 %; each loss counts once."""
    assert potline(1.0, 500.0, 0.95, 1.0) == pytest.approx(100.0)
    assert potline(0.5, 500.0, 0.95, 1.0) == pytest.approx(50.0)
    found = potline(0.9, 475.0, 0.9025, 0.98)
    assert found == pytest.approx(100 * 0.9 * 0.95 * 0.95 * 0.98)
