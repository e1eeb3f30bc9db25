"""Potlines against published smelters and pots."""

from datetime import timedelta

import pytest

from kpi.binding import bind
from kpi.catalogue.methodology import FARADAY
from kpi.catalogue.park import KPIS
from tests.kpi.catalogue.park import IDS, PLANT, held, of_readings, of_sums

DAY = timedelta(days=1)
POT = "smelter/line-1/pot-1"
LINE = "smelter/line-1"
YIELD = FARADAY.constants["yield_"].value


def test_faraday_production_of_a_pot_day() -> None:
    """1 kA for a day makes 8.0537455 kg (CODATA, IUPAC): industry's 8.06 is a rounding."""
    found = of_sums("faraday_production", POT, {f"{POT}/pot_current": {"mean": 1.0}}, DAY)
    assert found["value"] * 1000 == pytest.approx(8.0537455, rel=1e-7)


def test_a_pot_that_is_cut_out_makes_no_metal() -> None:
    """Its line current flows on, its own does not: half the pots, half the metal."""
    current = held(500.0, 3600)
    operating = {
        f"{LINE}/pot-1/operating": held(1.0, 3600),
        f"{LINE}/pot-2/operating": held(0.0, 3600),
    }
    found = of_readings("faraday_production", LINE, {f"{LINE}/line_current": current, **operating})

    assert found["value"] == pytest.approx(YIELD * 500 / 1000, rel=1e-12)


def test_current_efficiency_of_a_published_pot() -> None:
    """Reykjavik University T863: 175 kA and 93 % make 1312 kg a pot-day (they used 8.06)."""
    given = {
        f"{POT}/pot_current": {"mean": 175.0},
        f"{POT}/metal_tapped": {"total": 1312.0},
        f"{POT}/metal_inventory_change": {"total": 0.0},
    }
    found = of_sums("current_efficiency", POT, given, DAY)
    assert found["value"] == pytest.approx(93.0, rel=1.5e-3)


def test_metal_left_in_the_pot_was_made_too() -> None:
    """Without a tap the metal pad grows by what was made; a tap takes it away again."""
    made = YIELD * 500 * 24 * 0.94
    current = {f"{POT}/pot_current": {"mean": 500.0}}
    for tapped in (0.0, 2500.0, made):
        given = current | {
            f"{POT}/metal_tapped": {"total": tapped},
            f"{POT}/metal_inventory_change": {"total": made - tapped},
        }
        found = of_sums("current_efficiency", POT, given, DAY)
        assert found["value"] == pytest.approx(94.0, rel=1e-12)


def test_current_efficiency_of_a_published_smelter() -> None:
    """Qatalum: 704 pots, 300 kA, 585,000 t/y is 94.2 %; per pot the same."""
    year = timedelta(days=365)
    given = {
        f"{POT}/pot_current": {"mean": 300.0},
        f"{POT}/metal_tapped": {"total": 585e6 / 704},
        f"{POT}/metal_inventory_change": {"total": 0.0},
    }
    assert of_sums("current_efficiency", POT, given, year)["value"] == pytest.approx(94.2, abs=0.05)


def test_dc_energy_of_a_published_potline() -> None:
    """Alba line 6: 465 kA, 95 % and 12.87 kWh/kg, hence 4.103 V a pot."""
    given = {
        f"{POT}/power": {"mean": 4.103 * 465},
        f"{POT}/metal_tapped": {"total": YIELD * 465 * 24 * 0.95},
    }
    found = of_sums("dc_specific_energy", POT, given, DAY)
    assert found["value"] == pytest.approx(12_870, abs=2)
    assert found["reason"] is None


def test_ac_energy_leaves_casthouse_and_carbon_plant_out() -> None:
    """IAI: rectifiers and what serves the pots; at the site no consumer of the refinery either."""
    scope = {
        "smelter/line-1/rectifier/load",
        "smelter/line-1/gas-treatment/load",
        "smelter/line-2/rectifier/load",
        "smelter/line-2/gas-treatment/load",
        "smelter/potroom/load",
    }
    for asset in ("smelter", "park"):
        terms = bind(KPIS["ac_specific_energy"], asset, PLANT, IDS).terms
        assert {term.tag for term in terms if term.input == "energy"} == scope


def test_ac_energy_is_dc_energy_and_its_losses() -> None:
    """13 000 kWh/t DC, 98 % rectification, 400 kWh/t auxiliaries: 13 665.3 kWh/t."""
    given = {
        "smelter/line-1/rectifier/load": {"mean": 13_000 / 0.98},
        "smelter/line-1/rectifier/dc_power": {"mean": 13_000.0},
        "smelter/line-1/gas-treatment/load": {"mean": 400.0},
        "smelter/line-1/pot-1/metal_tapped": {"total": 600.0},
        "smelter/line-1/pot-2/metal_tapped": {"total": 400.0},
    }
    assert of_sums("ac_specific_energy", LINE, given)["value"] == pytest.approx(13_665.31, abs=0.01)
    assert of_sums("rectification_efficiency", LINE, given)["value"] == pytest.approx(98.0)


def test_load_factor_follows_the_target() -> None:
    """450 kA of 500 kA is 90 %; a line that follows a modulated target has 100 %."""
    current = f"{LINE}/line_current"
    target = f"{LINE}/current_target"
    below = of_sums("load_factor", LINE, {current: {"mean": 450.0}, target: {"mean": 500.0}})
    with_it = of_sums("load_factor", LINE, {current: {"mean": 430.0}, target: {"mean": 430.0}})

    assert below["value"] == pytest.approx(90.0)
    assert with_it["value"] == pytest.approx(100.0)
    found = of_sums("line_current", LINE, {current: {"mean": 450.0}, target: {"mean": 500.0}})
    assert found["value"] == pytest.approx(450.0)


def test_pot_days() -> None:
    """Four pots for a day, one of them cut out half of it: 3.5 pot-days, 87.5 %."""
    pots = [f"smelter/line-{line}/pot-{pot}" for line in (1, 2) for pot in (1, 2)]
    given = {f"{pot}/operating": {"active_s": 86_400.0} for pot in pots}
    given[f"{pots[0]}/operating"] = {"active_s": 43_200.0}

    assert of_sums("pots_operating", "smelter", given, DAY)["value"] == pytest.approx(3.5)
    assert of_sums("pot_availability", "smelter", given, DAY)["value"] == pytest.approx(87.5)
