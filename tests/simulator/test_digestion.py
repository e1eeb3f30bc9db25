"""The digestion unit: balances of alumina, caustic, liquor and heat."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.digestion import AVAILABLE_ALUMINA, EXTRACTION, HEATER_DEGC, balance

feeds = st.floats(100, 400)
flows = st.floats(600, 2000)


@given(feeds, flows)
def test_alumina_out_is_alumina_in_and_dissolved(feed: float, flow: float) -> None:
    """What the pregnant liquor carries more than the spent one came out of the bauxite."""
    unit = balance(feed, flow, 245.0, 90.0, 145.0)
    gained = unit.pregnant_flow * unit.pregnant_alumina - unit.spent_flow * unit.spent_alumina

    assert gained == pytest.approx(1000 * unit.dissolved, rel=1e-9)
    assert unit.dissolved == unit.bauxite_feed * AVAILABLE_ALUMINA * EXTRACTION


@given(feeds, flows)
def test_bauxite_is_dissolved_or_residue(feed: float, flow: float) -> None:
    """No solid is lost."""
    unit = balance(feed, flow, 245.0, 90.0, 145.0)

    assert unit.dissolved + unit.residue == pytest.approx(feed, rel=1e-12)


def test_without_bauxite_the_liquor_is_only_diluted() -> None:
    """No bauxite, no steam needed: what comes in goes out."""
    unit = balance(0.0, 1200.0, 245.0, 90.0, HEATER_DEGC)

    assert unit.steam_flow == 0
    assert unit.pregnant_flow == 1200
    assert unit.caustic_concentration == pytest.approx(245)
    assert unit.pregnant_alumina == pytest.approx(90)


def test_caustic_is_lost_to_silica_alone() -> None:
    """Caustic in less caustic out: 240 t/h * 2 % silica * 0.65 kg NaOH/kg as Na2CO3, by hand."""
    unit = balance(240.0, 1200.0, 245.0, 90.0, 145.0)
    lost = 1200 * 245 - unit.pregnant_flow * unit.caustic_concentration

    assert lost == pytest.approx(240_000 * 0.02 * 0.65 * 1.324951, rel=1e-4)


def test_steam_heats_liquor_and_bauxite() -> None:
    """33 K for 1524 t/h of liquor and 240 t/h of bauxite: 85.6 t/h, by hand."""
    unit = balance(240.0, 1200.0, 245.0, 90.0, 145.0)

    assert unit.steam_flow == pytest.approx(33 * (1200 * 1.27 * 3.4 + 240 * 0.95) / 2086)
