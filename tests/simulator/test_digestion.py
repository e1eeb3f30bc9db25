"""The digestion unit: balances of alumina, caustic, liquor and heat."""

from itertools import pairwise
from statistics import fmean

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.digestion import AVAILABLE_ALUMINA, EXTRACTION, HEATER_DEGC, Digestion, balance
from simulator.noise import seeded
from tests.simulator.conftest import NOON_MS

feeds = st.floats(100, 400)
flows = st.floats(600, 2000)
# Values stand as 32-bit floats in registers: 6e-8 of each.
SINGLE = 1e-6


@given(feeds, flows)
def test_alumina_out_is_alumina_in_and_dissolved(feed: float, flow: float) -> None:
    """What the pregnant liquor carries more than the spent one came out of the bauxite."""
    unit = balance(feed, flow, 245.0, 90.0, 145.0)
    gained = unit.pregnant_flow * unit.pregnant_alumina - unit.spent_flow * unit.spent_alumina

    dissolved = 1000 * unit.bauxite_feed * AVAILABLE_ALUMINA * EXTRACTION
    assert gained == pytest.approx(dissolved, rel=SINGLE * 20)


def test_without_bauxite_the_liquor_is_only_diluted() -> None:
    """No bauxite, no steam needed: what comes in goes out."""
    unit = balance(0.0, 1200.0, 245.0, 90.0, HEATER_DEGC)

    assert unit.steam_flow == 0
    assert unit.pregnant_flow == 1200
    assert unit.caustic_concentration == pytest.approx(245, rel=SINGLE)
    assert unit.pregnant_alumina == pytest.approx(90, rel=SINGLE)


def test_caustic_is_lost_to_silica_alone() -> None:
    """Caustic in less caustic out: 240 t/h * 2 % silica * 0.65 kg NaOH/kg as Na2CO3, by hand."""
    unit = balance(240.0, 1200.0, 245.0, 90.0, 145.0)
    lost = 1200 * 245 - unit.pregnant_flow * unit.caustic_concentration

    assert lost == pytest.approx(240_000 * 0.02 * 0.65 * 1.324951, rel=1e-4)


def test_steam_heats_liquor_and_bauxite() -> None:
    """33 K for 1524 t/h of liquor and 240 t/h of bauxite: 85.6 t/h, by hand."""
    unit = balance(240.0, 1200.0, 245.0, 90.0, 145.0)

    by_hand = 33 * (1200 * 1.27 * 3.4 + 240 * 0.95) / 2086
    assert unit.steam_flow == pytest.approx(by_hand, rel=SINGLE)


def test_a_day_stands_in_the_usual_ranges() -> None:
    """A/C of the pregnant liquor near 0.7, some 80 to 110 kg/m^3 yield, flows that vary slowly."""
    model, rng = Digestion("digestion-1"), seeded(1)
    states = [model.start(NOON_MS, rng)]
    for _ in range(1440):
        states.append(model.step(states[-1], states[-1].ts_ms + 60_000, 60.0, rng))
    shown = [state.shown for state in states]
    totals = model.totals(states[-1])["digestion-1"]

    ratio = fmean(unit.pregnant_alumina / unit.caustic_concentration for unit in shown)
    assert 0.68 < ratio < 0.76
    assert 70 < totals["alumina_dissolved_kg"] / totals["pregnant_m3"] < 95
    assert 0.7 < totals["steam_t"] / totals["alumina_dissolved_kg"] * 1000 < 1.0
    steps = [abs(b.spent_flow - a.spent_flow) for a, b in pairwise(shown)]
    assert 0 < max(steps) < 60


def test_totals_are_the_shown_flows_held() -> None:
    """Each total is the sum of what was shown before, times the seconds."""
    model, rng = Digestion("digestion-1"), seeded(1)
    states = [model.start(NOON_MS, rng)]
    for _ in range(600):
        states.append(model.step(states[-1], states[-1].ts_ms + 1000, 1.0, rng))
    totals = model.totals(states[-1])["digestion-1"]
    shown = [state.shown for state in states[:-1]]

    assert totals["steam_t"] == pytest.approx(sum(unit.steam_flow for unit in shown) / 3600)
    assert totals["spent_m3"] == pytest.approx(sum(unit.spent_flow for unit in shown) / 3600)
    gained = (
        unit.pregnant_flow * unit.pregnant_alumina - unit.spent_flow * unit.spent_alumina
        for unit in shown
    )
    assert totals["alumina_dissolved_kg"] == pytest.approx(sum(gained) / 3600, rel=1e-9)
    dissolved = 1000 * totals["bauxite_t"] * AVAILABLE_ALUMINA * EXTRACTION
    assert totals["alumina_dissolved_kg"] == pytest.approx(dissolved, rel=SINGLE)
