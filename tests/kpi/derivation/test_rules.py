"""Each rule against published numbers, and at the limits that physics gives."""

from collections.abc import Sequence

import polars as pl
import pytest

from kpi.derivation.rules import RULES
from kpi.derive import Derived, derive
from tests.kpi.frames import Row, at, readings, tags

STALE_S = 3600.0


def apply(
    rule: str, *operands: Sequence[Row | tuple[float, float | None]], **constants: float
) -> dict[float, float | None]:
    """Seconds since START -> value, of a tag by *rule* from readings of its operands."""
    ids = range(2, 2 + len(operands))
    known = pl.concat(tags(stale_after_s=STALE_S, tag_id=id_) for id_ in (1, *ids))
    made = {1: Derived(1, RULES[rule], tuple(ids), constants, 1, {})}
    given = pl.concat([readings(points, id_) for id_, points in zip(ids, operands, strict=True)])
    found = derive(given, [1], made, known)
    return {
        (row["ts"] - at(0)).total_seconds(): row["value"] for row in found.iter_rows(named=True)
    }


def once(rule: str, *operands: float, **constants: float) -> float | None:
    """What *rule* makes of one value of each operand."""
    return apply(rule, *([(0.0, value)] for value in operands), **constants)[0.0]


# --- the pot ----------------------------------------------------------------------------------


def test_pseudo_resistance() -> None:
    """(4.20 V - 1.65 V) / 175 kA with the extrapolated voltage of Banta et al. 2003."""
    assert once("pseudo_resistance", 4.20, 175.0, external_voltage=1.65) == pytest.approx(
        14.571, abs=5e-4
    )


def test_a_line_without_current_has_no_resistance() -> None:
    """Division by zero is no number, and so a bad reading rather than an infinite one."""
    assert once("pseudo_resistance", 1.2, 0.0, external_voltage=1.65) is None


def test_normal_voltage_is_free_of_the_line_current() -> None:
    """A pot of constant resistance has one normalised voltage at any current."""
    constants = {"external_voltage": 1.65, "nominal_current": 500.0}
    at_any = [
        once("normal_voltage", 1.65 + 5.1e-3 * current, current, **constants)
        for current in (430.0, 500.0, 515.0)
    ]
    assert at_any == pytest.approx([1.65 + 5.1e-3 * 500.0] * 3, rel=1e-12)


@pytest.mark.parametrize(("ratio", "excess"), [(1.10, 11.68), (1.15, 9.98), (1.20, 8.36)])
def test_excess_alf3(ratio: float, excess: float) -> None:
    """Of a bath of which 92 % are NaF and AlF3."""
    found = once("excess_alf3", ratio, 3.0, 5.0, lif=0.0, mgf2=0.0)
    assert found == pytest.approx(excess, abs=0.01)


def test_cryolite_has_no_excess() -> None:
    """Three NaF to one AlF3 by mole is 1.5 by mass."""
    assert once("excess_alf3", 1.5, 3.0, 5.0, lif=0.0, mgf2=0.0) == 0.0


def test_superheat_above_the_published_liquidus() -> None:
    """A bath of x 11, a 3, c 5 melts at 961.53 degC by the equation of J. Min. Metall. B 2014."""
    bath = (11.0, 3.0, 5.0)
    assert once("superheat", 961.53, *bath, lif=0.0, kf=0.0) == pytest.approx(0.0, abs=0.006)
    assert once("superheat", 971.53, *bath, lif=0.0, kf=0.0) == pytest.approx(10.0, abs=0.006)


def test_pure_cryolite_melts_at_1011_degrees() -> None:
    """With nothing dissolved the equation gives its constant."""
    assert once("superheat", 1011.0, 0.0, 0.0, 0.0, lif=0.0, kf=0.0) == pytest.approx(0.0)


def test_purity_is_what_is_no_impurity() -> None:
    """Any number of impurities."""
    assert once("purity", 0.12, 0.05) == pytest.approx(99.83)
    assert once("purity", 0.12, 0.05, 0.02, 0.01) == pytest.approx(99.80)


@pytest.mark.parametrize(
    ("purity", "iron", "silicon", "kept"),
    [
        (99.70, 0.20, 0.10, 1200.0),
        (99.69, 0.20, 0.10, 0.0),
        (99.70, 0.21, 0.09, 0.0),
        (99.75, 0.15, 0.101, 0.0),
    ],
)
def test_p1020a(purity: float, iron: float, silicon: float, kept: float) -> None:
    """LME: 99.70 % at least, iron 0.20 and silicon 0.10 at most; the limits belong to it."""
    limits = {"purity_limit": 99.70, "iron_limit": 0.20, "silicon_limit": 0.10}
    assert once("on_grade", 1200.0, purity, iron, silicon, **limits) == kept


# --- anode effects ----------------------------------------------------------------------------

RULE = {"threshold": 8.0, "start_s": 3.0, "end_s": 60.0}


def effect(*runs: tuple[float, float], until: float = 400.0) -> dict[float, float | None]:
    """The detection over a voltage of 4.2 V, and of 30 V during *runs*, read every second."""
    points = [
        (float(s), 30.0 if any(low <= s < high for low, high in runs) else 4.2)
        for s in range(int(until))
    ]
    return apply("anode_effect", points, **RULE)


def seconds(found: dict[float, float | None]) -> list[float]:
    """When the state is 1."""
    return [s for s, value in found.items() if value == 1.0]


def test_a_spike_is_no_anode_effect() -> None:
    """Two seconds above 8 V are less than the three that the rule wants."""
    assert seconds(effect((100, 102))) == []


def test_an_anode_effect_lasts_from_the_first_crossing_to_the_last() -> None:
    """Neither the three seconds of its confirmation nor the sixty after it are lost or added."""
    assert seconds(effect((100, 103))) == [100.0, 101.0, 102.0]
    assert seconds(effect((100, 220))) == [float(s) for s in range(100, 220)]


def test_what_flickers_is_one_anode_effect() -> None:
    """59 s between two runs are bridged, 60 s are not."""
    assert seconds(effect((100, 110), (169, 180))) == [float(s) for s in range(100, 180)]
    assert seconds(effect((100, 110), (170, 180))) == [
        float(s) for s in (*range(100, 110), *range(170, 180))
    ]


def test_a_spike_between_two_runs_does_not_keep_them_together() -> None:
    """Only what lasts counts: 130 s apart are two anode effects in spite of a spike between."""
    found = seconds(effect((100, 110), (170, 171), (240, 250)))
    assert found == [float(s) for s in (*range(100, 110), *range(240, 250))]


def test_at_the_threshold_is_not_above() -> None:
    """The rule says above 8 V."""
    found = apply("anode_effect", [(0.0, 8.0), (10.0, 8.001), (20.0, 8.0)], **RULE)
    assert [found[s] for s in (0.0, 10.0, 20.0)] == [0.0, 1.0, 0.0]


def test_an_anode_effect_is_unknown_where_the_voltage_is() -> None:
    """A bad voltage gives a bad reading; it does not cut the anode effect around it in two."""
    points = [(0.0, 30.0, 192), (10.0, None, 0), (20.0, 30.0, 192), (30.0, 4.2, 192)]
    found = apply("anode_effect", points, **RULE)
    assert [found[s] for s in (0.0, 10.0, 20.0, 30.0)] == [1.0, None, 1.0, 0.0]


def test_overvoltage_counts_during_anode_effects_alone() -> None:
    """V - V target, and 0 outside."""
    points = [(0.0, 4.2), (10.0, 30.2), (20.0, 4.2)]
    state = [(0.0, 0.0), (10.0, 1.0), (20.0, 0.0)]
    found = apply("overvoltage", points, [(0.0, 4.2)], state)
    assert [found[s] for s in (0.0, 10.0, 20.0)] == pytest.approx([0.0, 26.0, 0.0])


# --- windows ----------------------------------------------------------------------------------


def test_slope_of_the_published_line() -> None:
    """GeniSim: 4.1011 V + 0.00068 V/min is 4.1045 V after 5 min; 60 points, 5 s apart."""
    points = [(5.0 * k, 4.1011 + 0.00068 * (5.0 * k) / 60.0) for k in range(61)]
    slope = apply("slope", points, slot_s=5.0, slots=60.0)[300.0]

    assert slope == pytest.approx(0.00068, rel=1e-9)
    assert slope is not None
    assert 4.1011 + slope * 5 == pytest.approx(4.1045, abs=1e-12)


def test_bubbles_are_fast_and_waves_are_slow() -> None:
    """+-10 mV from second to second deviates by 10 mV and has no swing over 10 s means."""
    points = [(float(s), 4.2 + 0.01 * (-1) ** s) for s in range(301)]
    fast = apply("deviation", points, slot_s=1.0, slots=60.0)[60.0]
    slow = apply("swing", points, slot_s=10.0, slots=30.0)[300.0]

    assert fast == pytest.approx(0.01, rel=1e-9)
    assert slow == pytest.approx(0.0, abs=1e-12)


def test_a_wave_of_the_metal_shows_in_the_slow_band() -> None:
    """A square wave of 40 s and 50 mV from trough to crest."""
    points = [(float(s), 4.2 + 0.05 * (s // 20 % 2)) for s in range(301)]
    assert apply("swing", points, slot_s=10.0, slots=30.0)[300.0] == pytest.approx(0.05)


def test_a_window_is_known_as_a_whole_or_not_at_all() -> None:
    """A bad second in the first minute: no deviation of that minute, but of the next."""
    points: list[Row] = [(float(s), 4.2, 0 if s == 30 else 192) for s in range(180)]
    found = apply("deviation", points, slot_s=1.0, slots=60.0)

    assert found[60.0] is None
    assert found[120.0] == pytest.approx(0.0, abs=1e-12)


# --- amounts ----------------------------------------------------------------------------------


def test_changes_add_up_to_the_gain() -> None:
    """Whatever lies between, their sum is last less first."""
    points = [(0.0, 8000.0), (600.0, 8150.0), (1200.0, 7990.0), (3000.0, 8060.0)]
    changes = apply("change", points)

    assert changes == {0.0: None, 600.0: 150.0, 1200.0: -160.0, 3000.0: 70.0}


def test_a_bad_reading_does_not_break_the_chain_but_silence_does() -> None:
    """A bad reading is passed over; a level that went stale has an unknown change."""
    points: list[Row] = [(0.0, 10.0, 192), (60.0, None, 0), (120.0, 14.0, 192)]
    assert apply("change", points)[120.0] == 4.0

    late = [(0.0, 10.0), (STALE_S + 1, 14.0)]
    assert apply("change", late)[STALE_S + 1] is None


def test_taps_are_weighted_by_the_assay_that_holds() -> None:
    """Readings at the taps alone, each with the last assay; none before the first."""
    taps = [(10.0, 1000.0), (20.0, 500.0), (30.0, 800.0)]
    found = apply("weighted", taps, [(15.0, 99.8), (25.0, 99.7)])

    assert found == {10.0: None, 20.0: pytest.approx(49_900.0), 30.0: pytest.approx(79_760.0)}


def test_limits_and_codes() -> None:
    """Above a limit excludes it; a code is met exactly."""
    assert [once("above", value, limit=50.0) for value in (49.9, 50.0, 50.1)] == [0.0, 0.0, 1.0]
    assert [once("equal", value, code=3.0) for value in (2.0, 3.0)] == [0.0, 1.0]


# --- liquor -----------------------------------------------------------------------------------


def test_precipitation_of_the_published_liquor() -> None:
    """Den Hond et al. 2007: C 265 g/L from A/C 0.800 to 0.190 gives 160 g/L (161.65 exactly)."""
    found = once("precipitated", 1.0, 265 * 0.8, 265.0, 265 * 0.19, 265.0)
    assert found == pytest.approx(161.65, rel=1e-12)
    assert found == pytest.approx(160.0, rel=0.011)


def test_evaporated_water_precipitates_nothing() -> None:
    """Liquor that only becomes stronger keeps its ratio, and gives no alumina."""
    assert once("precipitated", 1000.0, 150.0, 250.0, 165.0, 275.0) == pytest.approx(0.0)


def test_extraction_by_the_iron_tie() -> None:
    """Bauxite 50 % Al2O3, 15 % Fe2O3; mud 12 % and 42 %: 1 - (12/42)/(50/15) of the alumina."""
    share = 1 - (12 / 42) / (50 / 15)
    assert once("extracted", 100.0, 50.0, 15.0, 12.0, 42.0) == pytest.approx(100 * 50 * share)


def test_mud_like_bauxite_gave_nothing() -> None:
    """Whatever was only ground was not digested."""
    assert once("extracted", 100.0, 50.0, 15.0, 50.0, 15.0) == pytest.approx(0.0)


# --- weather ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kelvin", "kilopascal", "density"),
    [(280, 90, 1.11741), (285, 95, 1.15807), (290, 100, 1.19702), (295, 105, 1.23424)],
)
def test_air_density(kelvin: float, kilopascal: float, density: float) -> None:
    """OpenOA, test_met_data_processing_toolkit.py, at its default of 50 % humidity."""
    found = once("air_density", kelvin - 273.15, kilopascal * 10.0, 50.0)
    assert found == pytest.approx(density, abs=5e-6)


def test_normal_wind_speed() -> None:
    """OpenOA, the same file: 2 m/s at 1.12 kg/m^3, reference 1.14, is 1.988235 m/s."""
    found = once("normal_wind_speed", 2.0, 1.12, reference_density=1.14)
    assert found == pytest.approx(1.988235, abs=5e-7)


def test_air_of_the_reference_density_changes_nothing() -> None:
    """It is what the wind speed is normalised to."""
    assert once("normal_wind_speed", 9.0, 1.225, reference_density=1.225) == 9.0


def test_a_module_in_the_dark_has_the_temperature_of_the_air() -> None:
    """No irradiance, no heating; at 1000 W/m^2 and no wind exp(a) kelvin a watt, and delta."""
    constants = {"a": -3.58, "b": -0.113, "delta": 3.0}
    assert once("cell_temperature", 0.0, 12.0, 5.0, **constants) == 12.0
    assert once("cell_temperature", 1000.0, 12.0, 0.0, **constants) == pytest.approx(
        12 + 27.8757 + 3, abs=1e-4
    )


def test_cells_of_25_degrees_need_no_correction() -> None:
    """Standard test conditions; ten degrees more take gamma ten times."""
    assert once("corrected_irradiance", 800.0, 25.0, gamma=-0.0028) == 800.0
    assert once("corrected_irradiance", 800.0, 35.0, gamma=-0.0028) == pytest.approx(800 * 0.972)


# --- power ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("available", "curtailed", "lost"),
    [(1.0, 0.0, (0.0, 0.0)), (1.0, 1.0, (0.0, 1800.0)), (0.0, 1.0, (1800.0, 0.0))],
)
def test_a_loss_is_in_one_category(
    available: float, curtailed: float, lost: tuple[float, float]
) -> None:
    """3000 kW possible, 1200 delivered; a unit that is down is not held back (IEC 61400-26-1)."""
    unavailable = once("power_unavailable", 3000.0, 1200.0, available)
    held_back = once("power_curtailed", 3000.0, 1200.0, available, curtailed)

    assert (unavailable, held_back) == lost


def test_more_than_possible_is_no_negative_loss() -> None:
    """The potential is an estimate; a loss is never negative."""
    assert once("power_unavailable", 1000.0, 1010.0, 0.0) == 0.0


@pytest.mark.parametrize(
    ("contracted", "emission"),
    [(0.0, 800.0), (600.0, 600 * 0.02 + 400 * 0.8), (1500.0, 1000 * 0.02)],
)
def test_residual_mix_for_what_no_contract_covers(contracted: float, emission: float) -> None:
    """1000 kW imported; contracts of 0.02 kg/kWh, residual mix 0.8; no more than is imported."""
    found = once("market_emission", 1000.0, contracted, 0.02, 0.8)
    assert found == pytest.approx(emission)
