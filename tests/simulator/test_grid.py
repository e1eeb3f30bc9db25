"""Batteries and grid: the balance of power at every scan."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.command import Fault
from simulator.grid import BATTERY, CHARGE_EFFICIENCY, GRID, Battery, Grid, GridState
from simulator.model import Disturbance, Moment
from simulator.noise import seeded
from tests.simulator.conftest import NOON_MS

BATTERIES = [Battery("b-1", 20_000.0, 80_000.0), Battery("b-2", 10_000.0, 20_000.0)]
MODEL = Grid("grid", 1e6, BATTERIES)
POWERS = st.floats(0, 500_000)


def run(balances: list[tuple[float, float]], dt_s: float) -> list[GridState]:
    """All states under (load, generation) [kW], scan by scan."""
    rng = seeded(1)
    states = [MODEL.start(NOON_MS, rng)]
    for load, generation in balances:
        now_ms = states[-1].ts_ms + round(dt_s * 1000)
        states.append(MODEL.step(states[-1], Moment(now_ms, dt_s, load, generation), rng))
    return states


@settings(deadline=None)
@given(st.lists(st.tuples(POWERS, POWERS), min_size=1, max_size=40))
def test_power_balances_at_every_scan(balances: list[tuple[float, float]]) -> None:
    """Import - export = load + charge - generation - discharge, and never both ways at once."""
    for (load, generation), state in zip(balances, run(balances, 60.0)[1:], strict=True):
        charge, discharge, _ = state.flows
        imported, exported = state.grid[:2]

        given = load + charge.sum() - generation - discharge.sum()
        assert imported - exported == pytest.approx(given, rel=1e-6, abs=0.1)
        assert min(imported, exported) == 0
        assert min(charge.sum(), discharge.sum()) == 0


@settings(deadline=None)
@given(st.lists(st.tuples(POWERS, POWERS), min_size=1, max_size=200))
def test_batteries_stay_within_their_energy(balances: list[tuple[float, float]]) -> None:
    """Whatever the park does, for hours: neither overcharged nor below empty."""
    for state in run(balances, 60.0):
        assert (state.stored_kwh >= -1e-6).all()
        assert (state.stored_kwh <= [80_000 + 1e-6, 20_000 + 1e-6]).all()


def test_what_is_stored_is_what_went_in_and_out() -> None:
    """Charge at 94 %, discharge at 94 %: a round trip gives 88 %."""
    cycle = [(0.0, 30_000.0)] * 30 + [(30_000.0, 0.0)] * 20
    states = run(cycle, 60.0)
    sums = states[-1].battery_sums

    gained = states[-1].stored_kwh - states[0].stored_kwh
    one_way = CHARGE_EFFICIENCY
    by_hand = one_way * sums["charged_kwh"] - sums["discharged_kwh"] / one_way
    assert gained == pytest.approx(by_hand, rel=1e-9)
    assert one_way**2 == pytest.approx(0.88, abs=0.005)


def test_emission_is_of_the_import() -> None:
    """Power from the grid times its factor; exporting emits nothing."""
    imports = run([(100_000.0, 0.0)] * 61, 60.0)[-1].grid_sums
    exports = run([(0.0, 200_000.0)] * 61, 60.0)[-1].grid_sums

    assert 0.5 < imports["import_co2_kg"] / imports["import_kwh"] < 0.75
    assert 0 < imports["renewable_kwh"] < imports["carbon_free_kwh"] < imports["import_kwh"]
    assert exports["export_kwh"] > 0
    # Of the first scan alone, before the surplus.
    assert exports["import_co2_kg"] == 0


def test_shows_batteries_and_grid() -> None:
    """A value for each path, factors and shares in their ranges."""
    state = run([(5e5, 0.0)], 1.0)[-1]
    values = dict(zip(MODEL.paths, MODEL.values(state), strict=True))

    assert len(values) == 2 * len(BATTERY) + len(GRID)
    assert 0 < values["grid/renewable_share"] < values["grid/carbon_free_share"] < 0.5
    assert np.isfinite(list(values.values())).all()


def test_a_grid_cannot_be_disturbed() -> None:
    """Faults of the grid are not simulated."""
    with pytest.raises(ValueError, match="means nothing"):
        MODEL.disturb(run([], 1.0)[0], Disturbance(Fault.UPSET, ["grid"], 0.0, 0))
