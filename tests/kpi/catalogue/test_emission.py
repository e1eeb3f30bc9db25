"""Perfluorocarbons and anode carbon against the published examples, and their traps."""

from datetime import timedelta

import pytest

from kpi.catalogue.methodology import ANODE_CARBON, FARADAY, GWP_REPORTS, PFC, SLOPES
from kpi.catalogue.park import KPIS
from tests.kpi.catalogue.park import of_sums

POT = "smelter/line-1/pot-1"
DAY = timedelta(days=1)


def effects(minutes: float, metal_t: float) -> dict[str, dict[str, float]]:
    """A pot-day with so many anode effect minutes and so much metal."""
    return {
        f"{POT}/anode_effect_by_voltage": {"active_s": 60.0 * minutes, "activations": 1},
        f"{POT}/operating": {"active_s": 86_400.0},
        f"{POT}/metal_tapped": {"total": 1000.0 * metal_t},
    }


def of_pot(kpi: str, minutes: float, metal_t: float, parameter_set: str) -> float:
    """The value of a pot-day."""
    value = of_sums(kpi, POT, effects(minutes, metal_t), DAY, parameter_set)["value"]
    assert isinstance(value, float)
    return value


def test_slope_example_of_the_workbook() -> None:
    """GHG Protocol/IAI workbook 2.0, sheet 8: VSS, 1000 t, AEM 10; potentials of the SAR."""
    assert of_pot("cf4_emission", 10, 1000, "ipcc-2006-vss") == pytest.approx(920.0)
    assert of_pot("c2f6_emission", 10, 1000, "ipcc-2006-vss") == pytest.approx(48.76)
    emission = of_pot("pfc_emission", 10, 1000, "ipcc-2006-vss-sar")
    assert emission == pytest.approx(6428.59, abs=0.01)
    assert of_pot("pfc_intensity", 10, 1000, "ipcc-2006-vss-sar") == pytest.approx(emission / 1000)


def test_slope_example_of_a_cbam_engine() -> None:
    """AEM 0.25, 100 000 t, CWPB, AR5: 3.575 t CF4, 0.432575 t C2F6, 28 503.8325 t CO2e."""
    assert of_pot("cf4_emission", 0.25, 1e5, "cbam-2025-cwpb") == pytest.approx(3575.0)
    assert of_pot("c2f6_emission", 0.25, 1e5, "cbam-2025-cwpb") == pytest.approx(432.575)
    found = of_pot("pfc_emission", 0.25, 1e5, "cbam-2025-cwpb-ar5")
    assert found == pytest.approx(28_503.8325, rel=1e-9)


def overvoltage(efficiency: float, parameter_set: str = "ipcc-2006-cwpb") -> float:
    """CF4 [kg] of 1000 t at 5 mV and this current efficiency, as a fraction."""
    metal_kg = 1e6
    charge = metal_kg / (FARADAY.constants["yield_"].value * efficiency)
    given = {
        f"{POT}/overvoltage": {"mean": 0.005},
        f"{POT}/operating": {"active_s": 86_400.0},
        f"{POT}/metal_tapped": {"total": metal_kg},
        f"{POT}/pot_current": {"mean": charge / 24},
    }
    value = of_sums("cf4_emission_by_overvoltage", POT, given, DAY, parameter_set)["value"]
    assert isinstance(value, float)
    return value


def test_overvoltage_wants_the_current_efficiency_in_per_cent() -> None:
    """The workbook's cell shows 0.95 and means 95: 61.0526 kg CF4, not a hundred times as much."""
    assert overvoltage(0.95) == pytest.approx(61.0526, abs=5e-5)
    assert overvoltage(0.95, "cbam-2025-cwpb") == pytest.approx(61.0526, abs=5e-5)


def test_overvoltage_example_of_the_workbook_in_co2e() -> None:
    """F 0.121 and the potentials of the SAR: 7.38737 kg C2F6, 464.806 t CO2e."""
    cf4 = overvoltage(0.95)
    c2f6 = 0.121 * cf4

    assert c2f6 == pytest.approx(7.38737, abs=5e-6)
    assert (cf4 * 6500 + c2f6 * 9200) / 1000 == pytest.approx(464.806, abs=5e-4)


def test_a_worse_current_efficiency_emits_more() -> None:
    """The same overvoltage on fewer tonnes: the coefficient is divided by the efficiency."""
    assert overvoltage(0.90) / overvoltage(0.95) == pytest.approx(0.95 / 0.90)


def test_the_set_of_potentials_is_part_of_the_answer() -> None:
    """One emission, 6429 to 7394 t CO2e by report."""
    found = {
        report: of_pot("pfc_emission", 10, 1000, f"ipcc-2006-vss-{report}")
        for report in GWP_REPORTS
    }
    assert {report: round(value) for report, value in found.items()} == {
        "sar": 6429,
        "ar4": 7394,
        "ar5": 6641,
        "ar6": 7394,
    }


@pytest.mark.parametrize(
    ("technology", "of_2006", "of_2025"),
    [
        ("cwpb", (0.143, 0.121), (0.143, 0.121)),
        ("swpb", (0.272, 0.252), (0.233, 0.280)),
        ("vss", (0.092, 0.053), (0.058, 0.086)),
        ("hss", (0.099, 0.085), (0.165, 0.077)),
        ("pfpb-l", None, (0.122, 0.097)),
        ("pfpb-m", None, (0.104, 0.057)),
    ],
)
def test_two_generations_of_slopes(
    technology: str, of_2006: tuple[float, float] | None, of_2025: tuple[float, float]
) -> None:
    """IPCC 2006 table 4.16 and Annex II table 2 of (EU) 2025/2547 differ, and both are there."""
    known = {
        given.name: (given.constants["slope"].value, given.constants["c2f6_share"].value)
        for given in SLOPES
    }
    assert known[f"cbam-2025-{technology}"] == of_2025
    assert known.get(f"ipcc-2006-{technology}") == of_2006


def test_no_anode_effect_no_pfc() -> None:
    """The slope method knows no other source; low-voltage anode effects escape it."""
    assert of_pot("pfc_emission", 0.0, 1000, PFC[0].name) == 0.0


ANODES = {
    f"{POT}/anode_set": {"total": 200e6},
    f"{POT}/butt_removed": {"total": 200e6 - 0.42 * 342e6},
    f"{POT}/metal_tapped": {"total": 342e6},
}
YEAR = timedelta(days=365)


def test_anode_carbon_of_the_cbam_template() -> None:
    """342 000 t at 0.42 t C/t and 3.664: 526 300 t CO2 (526 297 exactly), no sulfur or ash."""
    found = of_sums("anode_co2", POT, ANODES, YEAR, "cbam-2025")["value"]
    assert found == pytest.approx(526_297, abs=1)
    assert found == pytest.approx(526_300, rel=1e-5)


def test_anode_carbon_by_the_ipcc_defaults() -> None:
    """Equation 4.21 with 2 % sulfur, 0.4 % ash and 44/12: 514 039.7 t, 1.50304 t/t."""
    assert of_sums("anode_co2", POT, ANODES, YEAR, "ipcc-2006")["value"] == pytest.approx(
        514_039.7, abs=0.1
    )
    found = of_sums("anode_co2_intensity", POT, ANODES, YEAR, "ipcc-2006")["value"]
    assert found == pytest.approx(1.50304, abs=5e-6)


def test_two_factors_from_carbon_to_its_dioxide() -> None:
    """44/12 and 3.664 are 0.07 % apart: the factor belongs to the methodology."""
    factors = {given.name: given.constants["oxidation"].value for given in ANODE_CARBON}
    assert factors["ipcc-2006"] / factors["cbam-2025"] == pytest.approx(1.000728, abs=1e-6)


def test_net_anode_consumption_of_a_published_smelter() -> None:
    """Qatalum: 300 kt anodes a year, 63 kt butts, some 0.5 t anodes a tonne: 0.395 net."""
    metal = 300e6 / 0.5
    given = {
        f"{POT}/anode_set": {"total": 300e6},
        f"{POT}/butt_removed": {"total": 63e6},
        f"{POT}/metal_tapped": {"total": metal},
    }
    assert of_sums("net_anode_consumption", POT, given, YEAR)["value"] == pytest.approx(395.0)
    assert of_sums("gross_anode_consumption", POT, given, YEAR)["value"] == pytest.approx(500.0)


def test_the_reaction_alone_emits_1_2233_tonnes() -> None:
    """3 C for 4 Al: 333.87 kg C and 1.22331 t CO2 a tonne at 100 % efficiency and pure carbon."""
    carbon = 3 * 12.011 / (4 * 26.9815384)
    given = {
        f"{POT}/anode_set": {"total": 1000 * carbon},
        f"{POT}/butt_removed": {"total": 0.0},
        f"{POT}/metal_tapped": {"total": 1000.0},
    }
    found = of_sums("anode_co2_intensity", POT, given, DAY, "cbam-2025")["value"]
    assert found == pytest.approx(1.22331, abs=5e-5)


def test_every_pfc_kpi_offers_both_generations() -> None:
    """Whoever reports for 2006 and for CBAM takes the numbers from the same pot-days."""
    for kpi in ("cf4_emission", "c2f6_emission", "pfc_emission", "pfc_intensity"):
        generations = {given.name[:9] for given in KPIS[kpi].parameter_sets}
        assert generations == {"cbam-2025", "ipcc-2006"}
