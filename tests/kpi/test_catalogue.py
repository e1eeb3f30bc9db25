"""The declared KPIs against published numbers."""

from datetime import timedelta

import pytest

from kpi.catalogue.methodology import FARADAY
from kpi.catalogue.park import KPIS
from tests.kpi.park import value

DAY = timedelta(days=1)
POT = "smelter/line-2/pot-1"
FARM = "power/metered"


def test_the_faraday_constant_is_that_of_codata_and_iupac() -> None:
    """0.33557273 kg/kAh, the industry's 2.98 kAh/kg."""
    constant = FARADAY.constants["yield_"]
    assert constant.value == pytest.approx(0.33557273, rel=1e-8)
    assert 1 / constant.value == pytest.approx(2.97998, rel=1e-7)


def test_current_efficiency_of_a_published_pot() -> None:
    """Reykjavik University T863: 175 kA and 93 % make 1312 kg a pot-day (they used 8.06)."""
    measured = {
        "smelter/line-2/line_current": {"mean": 175.0},
        f"{POT}/metal_tapped": {"total": 1312.0},
    }
    assert value("current_efficiency", POT, measured, DAY)["value"] == pytest.approx(93, rel=1.5e-3)


def test_current_efficiency_of_a_published_smelter() -> None:
    """Qatalum: 704 pots, 300 kA, 585,000 t/y is 94.2 %; per pot the same."""
    measured = {
        "smelter/line-2/line_current": {"mean": 300.0},
        f"{POT}/metal_tapped": {"total": 585e6 / 704},
    }
    year = timedelta(days=365)
    assert value("current_efficiency", POT, measured, year)["value"] == pytest.approx(
        94.2, abs=0.05
    )


def test_specific_energy_of_a_published_potline() -> None:
    """Alba line 6: 465 kA, 95 % and 12.87 kWh/kg, hence 4.103 V a pot."""
    metal = 0.33557273 * 465 * 24 * 0.95
    measured = {f"{POT}/power": {"mean": 4.103 * 465}, f"{POT}/metal_tapped": {"total": metal}}
    found = value("dc_specific_energy", POT, measured, DAY)
    assert found["value"] == pytest.approx(12_870, abs=2)
    assert found["reason"] is None


def test_liquor_productivity_of_the_published_yield() -> None:
    """Den Hond et al. 2007, table I: C 265 g/L, A/C 0.800 to 0.190 yields 160 g/L."""
    flow = 1000.0
    measured = {
        "digestion/pregnant_flow": {"mean": flow},
        "digestion/pregnant_alumina_flow": {"mean": flow * 265 * 0.800},
        "digestion/spent_alumina_flow": {"mean": flow * 265 * 0.190},
        "digestion/steam_flow": {"mean": 300.0},
    }
    found = value("liquor_productivity", "digestion", measured, DAY)
    assert found["value"] == pytest.approx(161.65, rel=1e-12)
    assert found["value"] == pytest.approx(160, rel=0.011)
    steam = value("steam_per_tonne", "digestion", measured, DAY)["value"]
    assert steam == pytest.approx(300 / 161.65, rel=1e-12)


_LA_HAUTE_BORNE = {
    f"{FARM}/energy_net": {"total": 692_400.0},
    f"{FARM}/energy_unavailable": {"total": 29_417.0},
    f"{FARM}/energy_curtailed": {"total": 13_250.0},
}


@pytest.mark.parametrize(
    ("kpi", "published"),
    [
        ("capacity_factor", 0.117276),
        ("unavailability_loss", 0.040019),
        ("curtailment_loss", 0.018026),
    ],
)
def test_a_month_of_la_haute_borne(kpi: str, published: float) -> None:
    """2014-06, 8.2 MW: the monthly sums in whole kWh and OpenOA's shares in the sixth decimal."""
    found = value(kpi, FARM, _LA_HAUTE_BORNE, timedelta(days=30))
    assert found["value"] == pytest.approx(published, abs=1e-6)


@pytest.mark.parametrize(
    ("kpi", "asset", "measured", "limit"),
    [
        # Rated power all the time is a capacity factor of one.
        ("capacity_factor", "power/bare/wtg-1", {"power/bare/wtg-1/power": {"mean": 4800}}, 1.0),
        # Still air delivers nothing, and that is known.
        ("capacity_factor", "power/bare/wtg-1", {"power/bare/wtg-1/power": {"mean": 0}}, 0.0),
    ],
)
def test_physical_limits(
    kpi: str, asset: str, measured: dict[str, dict[str, float]], limit: float
) -> None:
    """Limit cases have the value that physics gives them."""
    assert value(kpi, asset, measured, DAY)["value"] == pytest.approx(limit, abs=1e-12)


@pytest.mark.parametrize("kpi", KPIS.values(), ids=list(KPIS))
def test_every_kpi_says_what_it_is(kpi: object) -> None:
    """Title, description, source and formula are there; every operand is in the formula."""
    assert isinstance(kpi, type(KPIS["capacity_factor"]))
    assert kpi.title
    assert len(kpi.description.splitlines()) > 1
    assert kpi.source
    for name in (*kpi.operands, *kpi.parameters().constants):
        assert name in kpi.formula_text
