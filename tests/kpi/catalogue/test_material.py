"""Materials, bath and metal of the pots."""

import pytest

from kpi.catalogue.methodology import FARADAY
from tests.kpi.catalogue.park import held, of_readings, of_sums

LINE = "smelter/line-1"
POT = f"{LINE}/pot-1"


def test_alumina_of_the_reaction() -> None:
    """Al2O3 to 2 Al is 1.88944 t/t (IUPAC); feeders give kilograms."""
    stoichiometric = 101.96008 / (2 * 26.9815384)
    given = {
        f"{POT}/alumina_fed": {"increase": 1000 * stoichiometric},
        f"{POT}/metal_tapped": {"total": 1000.0},
    }
    found = of_sums("alumina_consumption", POT, given)["value"]
    assert found == pytest.approx(1.88944, abs=1e-5)


def test_alumina_by_the_feeders_totaliser() -> None:
    """A counter that is reset on the way counts on from zero: 120 kg and then 80 kg."""
    counted = [(0.0, 900.0), (600.0, 1020.0), (1200.0, 0.0), (1800.0, 80.0), (3599.0, 80.0)]
    given = {f"{POT}/alumina_fed": counted, f"{POT}/metal_tapped": [(-60.0, 0.0), (1000.0, 100.0)]}
    found = of_readings("alumina_consumption", POT, given)["value"]
    assert found is None  # the feeder was silent for longer than it may be
    counted = [(0.0, 900.0), *((n * 300.0, 900.0 + 10.0 * n) for n in range(1, 13))]
    given = {f"{POT}/alumina_fed": counted, f"{POT}/metal_tapped": [(-60.0, 0.0), (1000.0, 57.0)]}
    assert of_readings("alumina_consumption", POT, given)["value"] == pytest.approx(110 / 57)


def test_fluoride_in_kilograms_a_tonne() -> None:
    """17 kg for each tonne tapped."""
    given = {f"{POT}/alf3_fed": {"increase": 34.0}, f"{POT}/metal_tapped": {"total": 2000.0}}
    assert of_sums("alf3_consumption", POT, given)["value"] == pytest.approx(17.0)


def test_purity_is_weighted_by_the_mass_of_the_taps() -> None:
    """1800 kg of 99.80 % and 200 kg of 99.50 % are 99.77 %, not 99.65 %."""
    given = {
        f"{LINE}/pot-1/metal_iron": [(-3600.0, 0.15)],
        f"{LINE}/pot-1/metal_silicon": [(-3600.0, 0.05)],
        f"{LINE}/pot-2/metal_iron": [(-3600.0, 0.35)],
        f"{LINE}/pot-2/metal_silicon": [(-3600.0, 0.15)],
        f"{LINE}/pot-1/metal_tapped": [(-3000.0, 0.0), (600.0, 1000.0), (1200.0, 800.0)],
        f"{LINE}/pot-2/metal_tapped": [(-3000.0, 0.0), (900.0, 200.0)],
    }
    assert of_readings("metal_purity", LINE, given)["value"] == pytest.approx(99.77, rel=1e-12)
    assert of_readings("on_grade_share", LINE, given)["value"] == pytest.approx(90.0)


def test_a_late_assay_changes_the_taps_after_its_sample_alone() -> None:
    """The laboratory's result is dated by the sample: taps before keep the assay before."""
    given = {
        f"{POT}/metal_iron": [(-3600.0, 0.10), (1000.0, 0.30)],
        f"{POT}/metal_silicon": [(-3600.0, 0.05)],
        f"{POT}/metal_tapped": [(-3000.0, 0.0), (600.0, 1000.0), (1200.0, 1000.0)],
    }
    found = of_readings("metal_purity", POT, given)["value"]
    assert found == pytest.approx((99.85 + 99.65) / 2, rel=1e-12)
    assert of_readings("on_grade_share", POT, given)["value"] == pytest.approx(50.0)


def test_superheat_of_a_published_bath() -> None:
    """A bath of x 11, c 5, a 3 melts at 961.53 degC; Qatalum's 956 degC would lie below it."""
    bath = {
        f"{POT}/bath_excess_alf3": [(-60.0, 11.0)],
        f"{POT}/bath_caf2": [(-60.0, 5.0)],
        f"{POT}/bath_alumina": [(-60.0, 3.0)],
    }
    warm = of_readings("superheat", POT, bath | {f"{POT}/bath_temperature": [(-60.0, 970.0)]})
    cold = of_readings("superheat", POT, bath | {f"{POT}/bath_temperature": [(-60.0, 956.0)]})

    assert warm["value"] == pytest.approx(970 - 961.53, abs=0.006)
    assert cold["value"] < 0
    assert of_readings("excess_alf3", POT, bath)["value"] == pytest.approx(11.0)


def test_one_efficiency_ties_metal_and_carbon() -> None:
    """What the charge cannot make in metal it does not take in carbon: 2.98 kAh a kilogram."""
    given = {
        f"{LINE}/line_current": held(500.0, 3600),
        f"{POT}/operating": held(1.0, 3600),
    }
    made = of_readings("faraday_production", POT, given)["value"]
    assert made * 1000 == pytest.approx(500 / 2.9799799, rel=1e-7)
    assert FARADAY.constants["yield_"].unit == "kg/(kA h)"
