"""The catalogue as a whole: nothing of the table is missing, and it says what it is."""

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from api.__main__ import app
from kpi.binding import bind, kpis_of
from kpi.catalogue.park import AREAS, KPIS
from kpi.derivation.rules import RULES
from kpi.document import document
from kpi.kpi import Input, Kpi
from kpi.part13.names import Aggregate
from kpi.units import factor
from tests.kpi.catalogue.park import IDS, PLANT

DOCS = Path(__file__).parents[3] / "docs"

#: The most important KPIs of the park, as they are numbered in its reference.
TABLE = {
    1: ["faraday_production"],
    2: ["current_efficiency"],
    3: ["dc_specific_energy"],
    4: ["ac_specific_energy"],
    5: ["rectification_efficiency"],
    6: ["line_current", "load_factor"],
    7: ["pots_operating", "pot_availability"],
    8: ["pot_voltage"],
    9: ["pot_resistance"],
    10: ["normal_voltage", "voltage_slope"],
    11: ["noise_fast", "noise_slow", "noise_alarm_share"],
    12: ["anode_effect_frequency"],
    13: ["anode_effect_duration"],
    14: ["anode_effect_minutes"],
    15: ["anode_effect_overvoltage"],
    16: ["cf4_emission", "c2f6_emission"],
    17: ["cf4_emission_by_overvoltage"],
    18: ["pfc_intensity", "pfc_emission"],
    19: ["net_anode_consumption", "gross_anode_consumption"],
    20: ["anode_co2", "anode_co2_intensity"],
    21: ["alumina_consumption"],
    22: ["alf3_consumption"],
    23: ["superheat", "excess_alf3"],
    24: ["metal_purity", "on_grade_share"],
    25: ["alumina_caustic_ratio", "caustic_soda_ratio", "caustic_molar_ratio"],
    26: ["precipitation_yield", "liquor_productivity"],
    27: ["extraction_efficiency"],
    28: ["bauxite_factor", "alumina_production"],
    29: ["caustic_consumption"],
    30: ["refinery_energy", "refinery_electricity"],
    31: ["calciner_energy", "refinery_steam", "steam_per_tonne"],
    32: [
        "residue_factor",
        "residue_soda_loss",
        "overflow_solids",
        "overflow_solids_p95",
        "overflow_cloudy_share",
    ],
    33: ["evaporation_economy", "water_consumption"],
    34: ["capacity_factor", "energy_delivered"],
    35: ["energy_availability", "unavailability_loss", "curtailment_loss"],
    36: ["time_availability"],
    37: ["density_corrected_wind_speed", "air_density", "wind_direction"],
    38: ["performance_ratio", "performance_ratio_corrected"],
    39: [
        "hourly_matched_share",
        "carbon_free_score",
        "volumetric_renewable_share",
        "renewable_factor",
        "self_consumption",
        "self_sufficiency",
    ],
    40: ["scope2_location", "scope2_market"],
    41: ["carbon_intensity", "cbam_direct_emission", "power_carbon_intensity", "fuel_co2"],
    42: ["battery_round_trip"],
    43: ["oee", "availability_ratio", "effectiveness", "quality_ratio", "potline_oee"],
    50: ["residue_utilisation", "avoided_clinker_co2"],
}
#: Those of a single tag are aggregates of the standard; a counter's increase is in its summaries.
OF_ANY_TAG = {
    44: [Aggregate.TIME_AVERAGE_2, Aggregate.TOTAL_2],
    45: [Aggregate.DELTA],
    46: [Aggregate.PERCENT_GOOD, Aggregate.WORST_QUALITY],
}

each_kpi = pytest.mark.parametrize("kpi", KPIS.values(), ids=list(KPIS))


def test_the_table_is_whole() -> None:
    """1 to 46 and 50, and no KPI that stands nowhere in it."""
    assert sorted([*TABLE, *OF_ANY_TAG]) == [*range(1, 47), 50]
    assert {kpi for kpis in TABLE.values() for kpi in kpis} == set(KPIS)


@each_kpi
def test_every_kpi_is_answered_somewhere(kpi: Kpi) -> None:
    """The small park has a tag of a fitting unit for every input, and binds every KPI."""
    assets = [path for path in PLANT.assets if kpi in kpis_of({kpi.id: kpi}, path, PLANT)]

    assert assets
    for asset in assets:
        assert bind(kpi, asset, PLANT, IDS).terms


@each_kpi
def test_parameter_sets_are_named_once(kpi: Kpi) -> None:
    """A name that is stored with an answer means one set of constants."""
    names = [given.name for given in kpi.parameter_sets]
    assert len(set(names)) == len(names)


def test_a_parameter_set_means_the_same_in_every_kpi() -> None:
    """Constants of one name under one set are one number, whichever KPI takes them."""
    known: dict[tuple[str, str], float] = {}
    for kpi in KPIS.values():
        for given in kpi.parameter_sets:
            for name, constant in given.constants.items():
                assert known.setdefault((given.name, name), constant.value) == constant.value


def test_the_page_of_kpis_is_what_the_catalogue_says() -> None:
    """``make docs`` was run after the last change."""
    assert (DOCS / "kpis.md").read_text() == document(AREAS, RULES)


def test_the_page_is_what_the_command_prints() -> None:
    """The catalogue needs no database to be read."""
    assert CliRunner().invoke(app, ["kpis"]).output == document(AREAS, RULES)


def measures() -> dict[tuple[str, str], list[str]]:
    """Asset type and measure -> its units, from the page of measures."""
    found: dict[tuple[str, str], list[str]] = {}
    types: list[str] = []
    for line in (DOCS / "measures.md").read_text().splitlines():
        if line.startswith("### "):
            types = re.findall(r"\w+", line)
        elif row := re.match(r"\| (`\w+`(?:, `\w+`)*)[^|]*\| ([^|]+) \| (\w+) \|", line):
            for measure in re.findall(r"`(\w+)`", row[1]):
                # overflow_above_10, _20 ...: the rest of a name, after the first.
                name = f"overflow_above{measure}" if measure.startswith("_") else measure
                units = re.findall(r"[^ ()]+", row[2].replace(" or ", " "))
                for type_ in types:
                    found[type_, name] = units
    return found


@each_kpi
def test_what_a_kpi_reads_is_a_named_measure(kpi: Kpi) -> None:
    """Each source stands in the page of measures, of a type that it is looked for at."""
    named = measures()
    sources = [
        source for given in kpi.inputs if isinstance(given, Input) for source in given.sources
    ]

    for source in sources:
        units = [unit for type_ in source.of for unit in named.get((type_, source.measure), [])]
        assert units, f"{source.measure} of {sorted(source.of)}"


def test_the_measures_of_the_page_fit_the_kpis() -> None:
    """A unit of the page can be converted into that of every input that is summed from it."""
    named = measures()
    for kpi in KPIS.values():
        for given in kpi.inputs:
            for source in given.sources if isinstance(given, Input) else ():
                rated = " * kW" if source.rated == "dc_power" else ""
                rated = " * t/h" if source.rated == "rate" else rated
                for type_ in source.of:
                    for unit in named.get((type_, source.measure), []):
                        of_sum = f"({source.amount.unit(unit)}){rated}"
                        assert factor(of_sum, given.unit, f"{kpi.id} {given.name}") > 0


def test_the_small_park_has_the_named_measures_alone() -> None:
    """Tags of the park of these tests are called as the page calls them."""
    named = measures()
    types = {path: asset.type for path, asset in PLANT.assets.items()}

    assert {(types[tag.asset], tag.measure) for tag in PLANT.tags.values()} <= set(named)
