"""The refinery: what goes in comes out, unit by unit, over days of swings."""

from itertools import pairwise

import pytest

from simulator.command import Fault
from simulator.model import Disturbance, Moment
from simulator.noise import seeded
from simulator.refinery import MEASURES, Refinery, RefineryState, Unit
from tests.simulator.conftest import NOON_MS

COUNTS = {"digestion": 2, "precipitation": 4, "calcination": 4, "washing": 2}
UNITS = [Unit("refinery", "refinery")] + [
    Unit(f"refinery/{kind}-{number}", kind, 60.0)
    for kind in MEASURES
    if kind != "refinery"
    for number in range(1, COUNTS.get(kind, 1) + 1)
]
MODEL = Refinery(UNITS)


def run(steps: int, dt_s: float, *faults: Disturbance) -> list[RefineryState]:
    """All states from a fresh start with *faults*."""
    rng = seeded(1)
    state = MODEL.start(NOON_MS, rng)
    for fault in faults:
        state = MODEL.disturb(state, fault)
    states = [state]
    for _ in range(steps):
        now_ms = states[-1].ts_ms + round(dt_s * 1000)
        states.append(MODEL.step(states[-1], Moment(now_ms, dt_s), rng))
    return states


def summed(state: RefineryState, kind: str, quantity: str) -> float:
    """A total of all units of one type."""
    return sum(state.sums[unit.path][quantity] for unit in UNITS if unit.type == kind)


def test_a_day_stands_in_the_usual_ranges() -> None:
    """Per tonne of alumina: bauxite, residue, steam, fuel, water, power, caustic, all usual."""
    last = run(1440, 60.0)[-1]
    alumina = summed(last, "calcination", "produced_t")

    assert 190 * 24 < alumina < 215 * 24
    assert 2.2 < summed(last, "digestion", "bauxite_t") / alumina < 2.6
    assert 1.2 < summed(last, "washing", "residue_t") / alumina < 1.6
    assert 1.0 < summed(last, "powerhouse", "steam_t") / alumina < 3.0
    assert 2.8 < summed(last, "calcination", "fuel_heat_gj") / alumina < 3.0
    heat = summed(last, "calcination", "fuel_heat_gj") + summed(last, "powerhouse", "fuel_heat_gj")
    assert 6 < heat / alumina < 12
    assert 230 < summed(last, "refinery", "load_kwh") / alumina < 250
    assert 45 < summed(last, "evaporation", "caustic_kg") / alumina < 65
    assert (
        70
        < (
            summed(last, "digestion", "alumina_dissolved_kg")
            / summed(last, "digestion", "pregnant_m3")
        )
        < 95
    )


def test_alumina_is_the_same_all_along() -> None:
    """Dissolved, extracted by the assays, precipitated and calcined agree within the samples."""
    last = run(1440, 60.0)[-1]
    dissolved = summed(last, "digestion", "alumina_dissolved_kg") / 1000

    assert summed(last, "digestion", "extracted_t") == pytest.approx(dissolved, rel=0.03)
    precipitated = summed(last, "precipitation", "precipitated_kg") / 1000
    assert precipitated == pytest.approx(dissolved, rel=0.03)
    assert summed(last, "calcination", "produced_t") == pytest.approx(dissolved, rel=0.03)
    water = summed(last, "digestion", "pregnant_m3") - summed(last, "digestion", "spent_m3")
    assert summed(last, "evaporation", "condensate_t") == pytest.approx(water, rel=1e-6)


def test_totals_are_the_shown_flows_held() -> None:
    """Each total is the sum of what was shown before, times the seconds."""
    states = run(600, 1.0)
    path = "refinery/digestion-1"
    shown = [state.shown[path] for state in states[:-1]]
    totals = states[-1].sums[path]

    assert totals["steam_t"] == pytest.approx(sum(unit["steam_flow"] for unit in shown) / 3600)
    gained = (
        unit["pregnant_flow"] * unit["pregnant_alumina"]
        - unit["spent_flow"] * unit["spent_alumina"]
        for unit in shown
    )
    assert totals["alumina_dissolved_kg"] == pytest.approx(sum(gained) / 3600, rel=1e-9)


def test_flows_vary_slowly() -> None:
    """No step of a minute is greater than some percent."""
    flows = [state.shown["refinery/digestion-1"]["spent_flow"] for state in run(600, 60.0)]

    steps = [abs(after - before) for before, after in pairwise(flows)]
    assert 0 < max(steps) < 60


def test_counters_count_what_was_made() -> None:
    """The totaliser is read in kilograms: it lags less than two of them behind."""
    states = run(900, 1.0)
    path = "refinery/calcination-1"
    counted = [state.shown[path]["alumina_produced"] for state in states]

    assert all(after >= before for before, after in pairwise(counted))
    grown = counted[-2] - counted[0]
    assert states[-1].sums[path]["alumina_t"] == pytest.approx(grown, abs=1e-6)
    made = states[-1].sums[path]["produced_t"]
    assert counted[-1] - counted[0] == pytest.approx(made, abs=0.002)


def test_a_tripped_calciner_makes_nothing_and_burns_nothing() -> None:
    """Its neighbours go on; planned time goes on too, so availability falls."""
    trip = Disturbance(Fault.UPSET, ["refinery/calcination-2"], 0.0, NOON_MS + 301_000)
    last = run(600, 1.0, trip)[-1]
    down, up = last.sums["refinery/calcination-2"], last.sums["refinery/calcination-1"]

    assert down["running_s"] == 300
    assert up["running_s"] == down["planned_s"] == 600
    assert down["produced_t"] == pytest.approx(up["produced_t"] / 2, rel=0.1)
    assert down["fuel_heat_gj"] == pytest.approx(up["fuel_heat_gj"] / 2, rel=0.1)


def test_only_calciners_can_be_upset() -> None:
    """Liquor cannot be switched off."""
    with pytest.raises(ValueError, match="means nothing"):
        run(0, 1.0, Disturbance(Fault.UPSET, ["refinery/digestion-1"], 0.0, NOON_MS))
