"""The carbon of a tonne of aluminium: its lines and their sum."""

from datetime import timedelta

import pytest

from kpi.binding import bind
from kpi.catalogue.methodology import SMELTER_CARBON
from kpi.catalogue.park import KPIS
from tests.kpi.catalogue.park import IDS, PLANT, of_sums

DAY = timedelta(days=1)
POTS = [f"smelter/line-{line}/pot-{pot}" for line in (1, 2) for pot in (1, 2)]
BURNERS = (
    "smelter/carbon-plant",
    "refinery/calciner-1",
    "refinery/calciner-2",
    "refinery/powerhouse",
)


def park(
    minutes: float = 0.25, net_kg: float = 420.0, fuel_kg: float = 0.0, grid_kg: float = 0.0
) -> dict[str, dict[str, float]]:
    """A day of four pots that make 4 t each; of fuel and grid so much [kg] for each tonne."""
    given: dict[str, dict[str, float]] = {}
    for pot in POTS:
        given[f"{pot}/metal_tapped"] = {"total": 4000.0}
        given[f"{pot}/operating"] = {"active_s": 86_400.0}
        given[f"{pot}/anode_effect_by_voltage"] = {"active_s": 60.0 * minutes}
        given[f"{pot}/anode_set"] = {"total": 4 * (net_kg + 100.0)}
        given[f"{pot}/butt_removed"] = {"total": 4 * 100.0}
    for burner in BURNERS:
        # The plants of the smelter and the refinery have half each.
        share = 0.5 if burner.startswith("smelter") else 0.5 / 3
        unit = 1.0 if burner.endswith("powerhouse") else 1000.0
        given[f"{burner}/fuel_emission"] = {"mean": fuel_kg * 16 * share * unit / 24}
    given["grid/import_emission"] = {"mean": grid_kg * 16 / 24}
    return given


def of_site(
    kpi: str, given: dict[str, dict[str, float]], parameter_set: str | None = None
) -> float:
    """The value of that day."""
    value = of_sums(kpi, "park", given, DAY, parameter_set)["value"]
    assert isinstance(value, float)
    return value


SET = "cbam-2025-cwpb-ar5"
PFC = 0.143 * 0.25 * (6630 + 0.121 * 11_100) / 1000
ANODE = 0.42 * 3.664


def test_the_sum_is_that_of_its_lines() -> None:
    """PFC as in the example of the CBAM engine, anodes as in the template, fuel, grid."""
    given = park(fuel_kg=300.0, grid_kg=5000.0)

    assert of_site("pfc_intensity", given, SET) == pytest.approx(PFC)
    assert pytest.approx(28_503.8325 / 100_000) == PFC
    assert of_site("anode_co2_intensity", given, "cbam-2025") == pytest.approx(ANODE)
    assert of_site("power_carbon_intensity", given) == pytest.approx(5.0)
    assert of_site("fuel_co2", given) == pytest.approx(0.3 * 16)
    assert of_site("carbon_intensity", given, SET) == pytest.approx(PFC + ANODE + 0.3 + 5.0)


def test_a_smelter_on_its_own_wind_has_no_power_line() -> None:
    """Nothing imported, nothing burnt: PFC and anodes are left."""
    assert of_site("carbon_intensity", park(), SET) == pytest.approx(PFC + ANODE)


def test_intensity_is_emission_per_metal() -> None:
    """As the IAI's 10.04 t/t is 1116 Mt over 111.2 Mt: a ratio of sums, never a mean of ratios."""
    per_tonne = 1116 / 111.2
    rest = 1000 * (per_tonne - PFC - ANODE)
    found = of_site("carbon_intensity", park(grid_kg=rest), SET)
    assert found == pytest.approx(10.04, abs=0.005)


def test_cbam_counts_the_fuel_of_the_smelter_alone() -> None:
    """Alumina is no precursor there, and electricity of aluminium is not counted now."""
    given = park(fuel_kg=300.0, grid_kg=5000.0)
    found = of_site("cbam_direct_emission", given, SET)

    assert found == pytest.approx(PFC + ANODE + 0.15)
    fuel = {
        term.tag
        for term in bind(KPIS["cbam_direct_emission"], "park", PLANT, IDS).terms
        if term.input == "fuel"
    }
    assert fuel == {"smelter/carbon-plant/fuel_emission"}


def test_sets_keep_slope_and_carbon_of_one_generation() -> None:
    """What is stored with the answer is one methodology, not a mixture."""
    for given in SMELTER_CARBON:
        oxidation = given.constants["oxidation"].value
        assert oxidation == (3.664 if given.name.startswith("cbam-2025") else 44 / 12)


def test_the_less_anode_effects_the_less_carbon() -> None:
    """Without any, what is left is the anode; DUBAL's DX pots of 2010 are next to it."""
    assert of_site("carbon_intensity", park(minutes=0.0), SET) == pytest.approx(ANODE)
    assert of_site("pfc_intensity", park(minutes=0.007), SET) == pytest.approx(0.008, abs=5e-4)
