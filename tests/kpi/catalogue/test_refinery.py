"""Bayer liquor and refinery against published liquors and balances."""

from datetime import timedelta

import pytest

from kpi.catalogue.methodology import BASES, MOLAR
from tests.kpi.catalogue.park import held, of_readings, of_sums

DAY = timedelta(days=1)
CALCINER = "refinery/calciner-1"
MADE = {
    f"{CALCINER}/alumina_produced": {"increase": 1000.0},
    "refinery/calciner-2/alumina_produced": {"increase": 0.0},
}


def per_tonne(kpi: str, given: dict[str, dict[str, float]]) -> float:
    """The value of a day in which 1000 t of alumina were made."""
    value = of_sums(kpi, "refinery", given | MADE, DAY)["value"]
    assert isinstance(value, float)
    return value


def liquor(a: float, c: float, s: float = 300.0) -> dict[str, dict[str, float]]:
    """Pregnant liquor of so much A, C and S."""
    return {
        "refinery/digestion/pregnant_alumina_flow": {"mean": 1000 * a},
        "refinery/digestion/pregnant_caustic_flow": {"mean": 1000 * c},
        "refinery/digestion/pregnant_soda_flow": {"mean": 1000 * s},
    }


def of_liquor(kpi: str, a: float, c: float, parameter_set: str | None = None) -> float:
    """The value for that liquor."""
    value = of_sums(kpi, "refinery/digestion", liquor(a, c), DAY, parameter_set)["value"]
    assert isinstance(value, float)
    return value


@pytest.mark.parametrize(("ratio", "molar"), [(0.70, 1.3743), (0.6413, 1.50)])
def test_molar_ratio_is_the_inverse_of_a_to_c(ratio: float, molar: float) -> None:
    """0.962 / (A/C): A/C 0.70 is 1.3743, and 1.50 is A/C 0.6413."""
    assert of_liquor("alumina_caustic_ratio", ratio * 250, 250) == pytest.approx(ratio)
    assert of_liquor("caustic_molar_ratio", ratio * 250, 250) == pytest.approx(molar, rel=1e-4)


def test_the_basis_of_caustic_is_declared() -> None:
    """One liquor, C as Na2CO3, Na2O or NaOH: the same A/C under the set of that name alone."""
    as_na2co3 = 250.0
    for basis, c in (
        ("caustic-as-na2co3", as_na2co3),
        ("caustic-as-na2o", as_na2co3 * 0.584772),
        ("caustic-as-naoh", as_na2co3 * 0.754745),
    ):
        assert of_liquor("alumina_caustic_ratio", 175, c, basis) == pytest.approx(0.70, rel=2e-5)
        molar = of_liquor("caustic_molar_ratio", 175, c, basis)
        assert molar == pytest.approx(0.962001 / 0.70, rel=3e-5)


def test_alumina_is_what_the_calciners_totalise() -> None:
    """Two of them, of which one stands still; a silent one makes it unknown, not less."""
    assert of_sums("alumina_production", "refinery", MADE, DAY)["value"] == pytest.approx(1000)
    assert of_sums("alumina_production", CALCINER, MADE, DAY)["value"] == pytest.approx(1000)
    alone = {f"{CALCINER}/alumina_produced": {"increase": 1000.0}}
    assert of_sums("alumina_production", "refinery", alone, DAY)["value"] is None


def test_the_constants_of_liquor_are_those_of_the_handbooks() -> None:
    """Na2O to Na2CO3 1.710068, NaOH to Na2CO3 1.324951, 0.962001 mol/mol a g/g."""
    factors = [given.constants["to_soda"].value for given in BASES]
    assert factors == pytest.approx([1.0, 1.710068, 1.324951], rel=2e-5)
    assert MOLAR[0].constants["moles"].value == pytest.approx(0.962001, rel=2e-5)


def test_carbonate_is_what_is_missing_to_one() -> None:
    """C 250 of S 300: C/S 0.8333."""
    assert of_liquor("caustic_soda_ratio", 175, 250) == pytest.approx(250 / 300)


def test_yield_of_the_published_precipitation() -> None:
    """Den Hond et al. 2007, table I: C 265 g/L, A/C 0.800 to 0.190: 160 g/L (161.65)."""
    unit = "refinery/precipitation"
    given = {
        f"{unit}/feed_flow": held(2000.0, 3600),
        f"{unit}/feed_alumina": held(265 * 0.8, 3600, 600),
        f"{unit}/feed_caustic": held(265.0, 3600, 600),
        f"{unit}/spent_alumina": held(265 * 0.19, 3600, 600),
        f"{unit}/spent_caustic": held(265.0, 3600, 600),
    }
    found = of_readings("precipitation_yield", unit, given)["value"]
    assert found == pytest.approx(161.65, rel=1e-9)
    assert found == pytest.approx(160, rel=0.011)


def test_extraction_by_the_iron_tie_from_readings() -> None:
    """Bauxite 50 / 15, mud 12 / 42 per cent Al2O3 / Fe2O3: 91.43 %."""
    unit = "refinery/digestion"
    given = {f"{unit}/bauxite_feed": held(300.0, 3600)}
    for measure, value in (
        ("bauxite_alumina", 50.0),
        ("bauxite_iron", 15.0),
        ("mud_alumina", 12.0),
        ("mud_iron", 42.0),
    ):
        given[f"{unit}/{measure}"] = [(-60.0, value)]
    found = of_readings("extraction_efficiency", unit, given)["value"]
    assert found == pytest.approx(100 * (1 - (12 / 42) / (50 / 15)), rel=1e-12)


def test_bauxite_factor() -> None:
    """0.45 available, 0.95 extracted, 0.99 of that kept: 2.363 t/t."""
    fed = 1000 / (0.45 * 0.95 * 0.99)
    given = {"refinery/digestion/bauxite_feed": {"mean": fed / 24}}
    assert per_tonne("bauxite_factor", given) == pytest.approx(2.363, abs=5e-4)


def test_caustic_of_the_world() -> None:
    """IAI: some 100 kg/t."""
    given = {"refinery/evaporation/caustic_makeup": {"mean": 100_000 / 24}}
    assert per_tonne("caustic_consumption", given) == pytest.approx(100.0)


def test_refining_energy_of_the_world() -> None:
    """IAI 2024: 1 188 250 TJ for 138.59 Mt of alumina are 8.57 GJ/t."""
    heat = 1_188_250 / 138.59  # GJ for 1000 t, as TJ for Mt
    given = {
        "refinery/powerhouse/fuel_heat": {"mean": 0.65 * heat / 24},
        f"{CALCINER}/fuel_heat": {"mean": 0.35 * heat * 1000 / 24},
        "refinery/calciner-2/fuel_heat": {"mean": 0.0},
    }
    assert per_tonne("refinery_energy", given) == pytest.approx(8.57, abs=0.005)
    calciner = of_sums("calciner_energy", "refinery", given | MADE, DAY)["value"]
    assert calciner == pytest.approx(0.35 * heat / 1000)


def test_heat_is_flow_times_heating_value() -> None:
    """10 000 m^3/h of 35 MJ/m^3 for an hour, 100 t of alumina: 3.5 GJ/t."""
    given = {
        f"{CALCINER}/fuel_flow": held(10_000.0, 3600),
        f"{CALCINER}/fuel_heating_value": [(-60.0, 35.0)],
        f"{CALCINER}/alumina_produced": [(n * 300.0, 100.0 * n / 12) for n in range(13)],
    }
    found = of_readings("calciner_energy", CALCINER, given)["value"]
    # The last twelfth is counted at the instant that ends the hour, and belongs to the next.
    assert found == pytest.approx(350 / (100 * 11 / 12), rel=1e-9)


def test_electricity_by_the_meter_of_the_refinery() -> None:
    """150 kWh/t; the meter stands for all below it."""
    given = {"refinery/load": {"mean": 150_000 / 24}}
    assert per_tonne("refinery_electricity", given) == pytest.approx(150.0)


def test_water_of_the_world() -> None:
    """IAI: 2.6 m^3/t in, 1.2 out, 1.4 consumed."""
    given = {
        "refinery/water_intake": {"mean": 2600 / 24},
        "refinery/water_discharge": {"mean": 1200 / 24},
    }
    assert per_tonne("water_consumption", given) == pytest.approx(1.4)


def test_steam_and_its_economy() -> None:
    """Four effects evaporate some 3.4 t a tonne of steam; without steam nothing is defined."""
    steam, water = "refinery/evaporation/steam_flow", "refinery/evaporation/condensate_flow"
    given = {steam: {"mean": 50.0}, water: {"mean": 170.0}}
    assert of_sums("evaporation_economy", "refinery", given)["value"] == pytest.approx(3.4)
    given = {steam: {"mean": 0.0}, water: {"mean": 0.0}}
    assert of_sums("evaporation_economy", "refinery", given)["reason"].startswith("undefined")
    raised = {"refinery/powerhouse/steam_flow": {"mean": 125.0}}
    assert per_tonne("refinery_steam", raised) == pytest.approx(3.0)


def test_digestion_steam_is_not_that_of_the_powerhouse() -> None:
    """Both raise or take `steam_flow`; the KPI of digestion takes its own."""
    given = {
        "refinery/digestion/steam_flow": {"mean": 100.0},
        "refinery/digestion/pregnant_alumina_flow": {"mean": 150_000.0},
        "refinery/digestion/spent_alumina_flow": {"mean": 50_000.0},
    }
    assert of_sums("steam_per_tonne", "refinery", given)["value"] == pytest.approx(1.0)
