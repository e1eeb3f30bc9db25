"""The traps of the KPI reference, one test each: where two sources, or two readings of one, differ.

More of each stands beside what it is about; here is the number by which it would be seen.
"""

import polars as pl
import pytest

import kpi
from kpi.catalogue.emission import pfc_emission
from kpi.catalogue.methodology import GWP_REPORTS, MOLAR, SLOPES
from kpi.catalogue.park import KPIS
from kpi.part13.configuration import AggregateConfiguration
from kpi.summary import summarise
from schemas.reading import Kind
from tests.kpi.catalogue.park import of_readings, of_sums
from tests.kpi.catalogue.test_weather import HOURS, SOLAR, sunny
from tests.kpi.frames import HOUR, START, readings, tags
from tests.kpi.part13.annex import HISTORIANS, NOON
from tests.kpi.part13.annex import readings as samples


def test_1_current_efficiency_is_per_cent_in_the_overvoltage_method() -> None:
    """1000 t, 5 mV, 95 %, coefficient 1.16: 61.0526 kg CF4 (GHG Protocol workbook), not 6105."""
    formula = KPIS["cf4_emission_by_overvoltage"].formula
    yield_ = 0.33557273
    charge = 1_000_000 / (0.95 * yield_)

    found = formula(
        overvoltage=5.0,
        pot_time=1.0,
        metal=1_000_000.0,
        charge=charge,
        coefficient=1.16 / 1000,
        yield_=yield_,
    )

    assert found == pytest.approx(61.0526, abs=5e-5)


def test_2_carbon_becomes_dioxide_by_a_factor_of_the_methodology() -> None:
    """44/12 in IPCC 2006, 3.664 in CBAM: 0.07 % apart, each under its name."""
    sets = {
        given.name: given.constants["oxidation"].value for given in KPIS["anode_co2"].parameter_sets
    }
    ipcc = {value for name, value in sets.items() if name.startswith("ipcc-2006")}
    cbam = {value for name, value in sets.items() if name.startswith("cbam-2025")}

    assert ipcc == {44 / 12}
    assert cbam == {3.664}


def test_3_the_warming_potentials_are_named_in_the_answer() -> None:
    """920 kg CF4 and 48.76 kg C2F6 are 6429 t CO2e by the SAR and 7394 by AR4."""
    by_name = {given.name: given.constants for given in pfc_emission.parameter_sets}
    found = {
        report: 0.920 * by_name[f"ipcc-2006-vss-{report}"]["gwp_cf4"].value
        + 0.04876 * by_name[f"ipcc-2006-vss-{report}"]["gwp_c2f6"].value
        for report in GWP_REPORTS
    }

    assert found["sar"] == pytest.approx(6428.592)
    assert found["ar4"] == pytest.approx(7393.672)


def test_4_the_slopes_have_two_generations() -> None:
    """VSS fell from 0.092 to 0.058, HSS rose from 0.099 to 0.165."""
    slopes = {given.name: given.constants["slope"].value for given in SLOPES}

    assert (slopes["ipcc-2006-vss"], slopes["cbam-2025-vss"]) == (0.092, 0.058)
    assert (slopes["ipcc-2006-hss"], slopes["cbam-2025-hss"]) == (0.099, 0.165)


def test_5_time_average_is_sloped_even_where_the_signal_is_stepped() -> None:
    """Historian 3 of annex A, 12:00:05: TimeAverage 12.391, TimeAverage2 10; Total is stepped."""
    historian = HISTORIANS["H3"]
    assert historian.configuration.stepped

    def second(aggregate: str) -> float:
        answers = kpi.aggregate(
            samples(historian.samples),
            aggregate,
            NOON,
            NOON + 20 * HOUR / 3600,
            5 * HOUR / 3600,
            historian.configuration,
        )
        return float(answers["value"][1])

    assert second("TimeAverage") == pytest.approx(12.391, abs=5e-4)
    assert second("TimeAverage2") == 10.0
    assert second("Total") == 50.0


def test_6_a_total_is_in_unit_seconds_and_reaches_the_edges() -> None:
    """PI would take 24 for a day's total of 1 per hour; one value that holds has a mean at once."""
    held = AggregateConfiguration(stepped=True)
    points = samples([(0, 1.0, 192), (3600, 1.0, 192)])

    total = kpi.aggregate(points, "Total2", NOON, NOON + HOUR, HOUR, held)["value"].item()
    one = summarise(readings([(-30, 7.0)]), tags(stale_after_s=60), START, START + HOUR, HOUR)

    assert total == 3600.0
    assert one["integral"].item() / one["covered_s"].item() == 7.0
    assert one["covered_s"].item() == 30.0


def test_7_a_decrease_is_a_wrap_or_a_reset_by_tag() -> None:
    """999 990 to 12: 22 where the counter wraps at a million, 12 where it was reset."""
    points = readings([(0, 999_990.0), (60, 12.0)])

    def increase(modulus: float | None) -> float:
        counter = tags(kind=Kind.COUNTER, modulus=modulus, stale_after_s=300)
        found = summarise(points, counter, START, START + HOUR, HOUR)
        return float(found.select(pl.col("increase").sum()).item())

    assert increase(1e6) == 22.0
    assert increase(None) == 12.0


def test_8_the_molar_ratio_is_the_inverse_of_a_to_c() -> None:
    """0.9620 over A/C: A/C 0.70 is a molar ratio of 1.3743."""
    (moles,) = {given.constants["moles"].value for given in MOLAR}

    assert moles / 0.70 == pytest.approx(1.3743, abs=5e-5)


def test_9_temperature_is_corrected_to_25_degrees() -> None:
    """0.7461350; to the weighted mean of the same hours it would be the plain ratio, 0.6873059."""
    plain, corrected = (
        of_readings(name, SOLAR, sunny(), HOURS)["value"]
        for name in ("performance_ratio", "performance_ratio_corrected")
    )

    assert plain == pytest.approx(0.6873059, abs=1e-7)
    assert corrected == pytest.approx(0.7461350, abs=5e-8)


def test_10_ac_energy_has_auxiliaries_and_no_casthouse() -> None:
    """A tonne by 13 MWh of rectifier and 0.5 of gas treatment; the casthouse's is not in it."""
    given = {
        "smelter/line-1/rectifier/load": {"mean": 13_000.0},
        "smelter/line-1/gas-treatment/load": {"mean": 500.0},
        "smelter/line-2/rectifier/load": {"mean": 0.0},
        "smelter/line-2/gas-treatment/load": {"mean": 0.0},
        "smelter/potroom/load": {"mean": 0.0},
        "smelter/casthouse/load": {"mean": 1000.0},
        "smelter/carbon-plant/load": {"mean": 1000.0},
        "smelter/line-1/pot-1/metal_tapped": {"total": 1000.0},
        "smelter/line-1/pot-2/metal_tapped": {"total": 0.0},
    }

    assert of_sums("ac_specific_energy", "smelter/line-1", given)["value"] == pytest.approx(13_500)
