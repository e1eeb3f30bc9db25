"""The potline: Faraday's law, the balance of metal, anode effects, taps, doses."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from simulator.bath import liquidus_degc
from simulator.command import Fault
from simulator.model import Disturbance, Moment
from simulator.noise import seeded
from simulator.pot import (
    EFFECT_VOLTAGE_V,
    METAL_KG_PER_KAH,
    METAL_PAD_KG,
    SICK_EFFICIENCY,
    SIPHONED_FROM,
)
from simulator.potline import Potline, PotlineState
from tests.simulator.conftest import NOON_MS

POTS = [f"line/pot-{number:03d}" for number in range(1, 25)]


def line(tap_every_s: int = 300, effects_per_pot_day: float = 0.1) -> Potline:
    """A section of 24 pots."""
    return Potline("line", POTS, 500.0, tap_every_s, effects_per_pot_day)


def run(
    model: Potline, steps: int, dt_s: int = 1, seed: int = 1, *faults: Disturbance
) -> list[PotlineState]:
    """All states of *steps* steps from a fresh start with *faults*."""
    rng = seeded(seed)
    state = model.start(NOON_MS, rng)
    for fault in faults:
        state = model.disturb(state, fault)
    states = [state]
    for _ in range(steps):
        now_ms = states[-1].ts_ms + dt_s * 1000
        states.append(model.step(states[-1], Moment(now_ms, dt_s), rng))
    return states


def total(state: PotlineState, quantity: str) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """A total of every pot."""
    return state.sums["pot"][quantity]


def test_the_constant_is_the_published_one() -> None:
    """0.33557273 kg/kAh from CODATA and IUPAC; 2.9799799 kAh/kg."""
    assert pytest.approx(0.33557273, abs=5e-9) == METAL_KG_PER_KAH
    assert pytest.approx(2.9799799, abs=5e-8) == 1 / METAL_KG_PER_KAH


def test_published_production_of_a_pot() -> None:
    """175 kA at 93 % make 1312 kg in a pot-day (published with a rounded constant: 0.15 %)."""
    metal_kg = METAL_KG_PER_KAH * 0.93 * 175 * 24

    assert metal_kg == pytest.approx(1312, rel=0.0015)


def test_metal_is_charge_by_faraday() -> None:
    """Every pot makes k * CE * charge, over an hour of taps and noise."""
    last = run(line(tap_every_s=60), 900, dt_s=4)[-1]

    expected = METAL_KG_PER_KAH * last.pots.efficiency * total(last, "charge_kah")
    assert total(last, "metal_produced_kg") == pytest.approx(expected, rel=1e-9)


def test_metal_is_balanced_in_every_scan() -> None:
    """Produced = tapped + change of the metal in the pot, for each pot and each second."""
    states = run(line(tap_every_s=7), 600)

    for state in states:
        kept = state.pots.metal_kg - states[0].pots.metal_kg
        kept = kept + total(state, "metal_tapped_kg")
        assert total(state, "metal_produced_kg") == pytest.approx(kept, rel=1e-9, abs=1e-9)


def test_events_are_the_metal_and_the_anodes_that_moved() -> None:
    """The sum of the events before a scan is the total of that scan."""
    model = line(tap_every_s=20)
    states = run(model, 1000)
    events = [event for state in states[:-1] for event in model.events(state)]

    for measure, quantity in (
        ("metal_tapped", "metal_tapped_kg"),
        ("anode_set", "anode_set_kg"),
        ("butt_removed", "butt_removed_kg"),
    ):
        moved = sum(event.amount for event in events if event.path.endswith(measure))
        assert moved == total(states[-1], quantity).sum() > 0


def test_anodes_burn_as_in_modern_lines() -> None:
    """Some 415 kg net a tonne of metal; the reaction alone takes 334."""
    last = run(line(tap_every_s=20), 1000)[-1]

    net = (total(last, "anode_set_kg") - total(last, "butt_removed_kg")).sum()
    assert 0.38 < net / total(last, "metal_tapped_kg").sum() < 0.45


def test_doses_are_whole_and_as_much_as_the_metal_takes() -> None:
    """Totalisers count kilograms; 1.92 t of alumina and 18 kg of fluoride a tonne of metal."""
    states = run(line(), 900, dt_s=4)
    first, last = states[0].pots, states[-1].pots
    metal = total(states[-1], "metal_produced_kg").sum()

    assert np.array_equal(last.alumina_fed % 1, 0 * last.alumina_fed)
    fed = total(states[-1], "alumina_fed_kg") + states[-1].scan.alumina
    assert np.array_equal(last.alumina_fed - first.alumina_fed, fed)
    assert fed.sum() / metal == pytest.approx(1.92, rel=0.01)
    assert total(states[-1], "alf3_fed_kg").sum() / metal == pytest.approx(0.018, rel=0.2)


def test_energy_is_the_sum_of_the_shown_values() -> None:
    """Energy of pot and line = sum of V * I * 1 s over all scans before, as a reader sums it."""
    states = run(line(), 900)
    totals = line().totals(states[-1])

    for place, pot in enumerate(POTS):
        by_hand = sum(
            state.pots.voltage[place] * state.line_current / 3600 for state in states[:-1]
        )
        assert totals[pot]["energy_kwh"] == pytest.approx(by_hand, rel=1e-12)
    assert totals["line"]["energy_kwh"] == pytest.approx(
        sum(totals[pot]["energy_kwh"] for pot in POTS), rel=1e-12
    )


def test_specific_energy_is_plausible() -> None:
    """Hours at 500 kA cost about 13 kWh/kg, as modern lines do."""
    totals = line().totals(run(line(tap_every_s=60), 144, dt_s=60)[-1])["line"]

    assert 12.5 < totals["energy_kwh"] / totals["metal_produced_kg"] < 13.8
    assert totals["metal_tapped_kg"] == pytest.approx(totals["metal_produced_kg"], rel=0.02)


def test_first_tap_comes_soon_and_has_mass() -> None:
    """Five seconds after the start pot 1 gives the metal of a whole round."""
    model = line()
    (tap, anodes, butts) = model.events(run(model, 5)[-1])

    assert tap.path == "line/pot-001/metal_tapped"
    # 24 taps * 300 s at 500 kA and 94 %: 315 kg, of which a crew leaves up to a tenth.
    assert 0.95 * SIPHONED_FROM * 315 <= tap.amount <= 1.05 * 315
    assert anodes.amount > butts.amount > 0


def test_taps_go_along_the_line_on_multiples_of_the_interval() -> None:
    """Pot after pot, around the section."""
    states = run(line(tap_every_s=10), 300)
    taps = [(state.ts_ms, np.flatnonzero(state.scan.tapped)) for state in states]
    found = [(ts_ms, int(places[0])) for ts_ms, places in taps if len(places)]

    assert [place for _, place in found] == [number % 24 for number in range(len(found))]
    assert all(ts_ms % 10_000 == 0 for ts_ms, _ in found[1:])


def test_a_tap_brings_a_sounding_and_a_sample() -> None:
    """What the laboratory and the sounding say of a pot changes with its tap alone."""
    states = run(line(tap_every_s=10), 100)

    for before, now in pairwise(states):
        changed = np.flatnonzero(now.samples.metal_iron != before.samples.metal_iron)
        assert set(changed) <= set(np.flatnonzero(now.scan.tapped))
    sounded = states[-1].pots.sounded_kg[0]
    assert sounded == pytest.approx(METAL_PAD_KG, abs=1.0)


def test_a_pot_with_nothing_to_give_is_passed_over() -> None:
    """No event of 0 kg: the order goes on to the next pot."""
    model = line(tap_every_s=60)
    rng = seeded(1)
    state = model.start(NOON_MS, rng)
    metal = state.pots.metal_kg.copy()
    metal[0] = METAL_PAD_KG
    state = replace(state, pots=replace(state.pots, metal_kg=metal), line=np.zeros(2))
    state = model.step(state, Moment(NOON_MS + 5000, 5.0), rng)

    assert model.events(state) == ()
    assert state.next_pot == 1


def test_anode_effects_are_rare_short_and_high() -> None:
    """Two days at 1 effect a pot-day: 48 expected, each of 25 to 35 V and 1.5 to 5 min."""
    states = run(line(effects_per_pot_day=1.0), 2880, dt_s=60, seed=2)
    volts = np.array([state.pots.voltage for state in states])
    high = volts > EFFECT_VOLTAGE_V
    starts = total(states[-1], "anode_effects").sum()
    seconds = total(states[-1], "anode_effect_s").sum()

    assert ((volts[high] >= 25) & (volts[high] <= 35)).all()
    assert ((volts[~high] > 3.5) & (volts[~high] < 4.8)).all()
    assert starts == (high[1:-1] & ~high[:-2]).sum()
    assert starts == pytest.approx(48, abs=21)
    assert seconds == 60 * high[:-1].sum()
    assert 90 <= seconds / starts <= 330


def test_a_pot_that_is_cut_out_makes_nothing() -> None:
    """The line current flows past it: no metal, no doses, some tenths of a volt."""
    model, rng = line(), seeded(1)
    state = model.start(NOON_MS, rng)
    out = state.pots.out_until_ms.copy()
    out[6] = NOON_MS + 3_600_000
    state = replace(state, pots=replace(state.pots, out_until_ms=out))
    state = model.step(state, Moment(NOON_MS + 1000, 1.0), rng)
    made = total(state, "metal_produced_kg")
    for number in range(2, 60):
        state = model.step(state, Moment(NOON_MS + number * 1000, 1.0), rng)

    assert total(state, "metal_produced_kg")[6] == made[6]
    assert total(state, "operating_s")[6] == 1
    assert state.pots.voltage[6] < 0.5
    assert state.scan.alumina[6] == 0


def test_a_sick_pot_makes_less_at_more_voltage() -> None:
    """Eight hundredths less metal than its own efficiency gives, and unrest above the others."""
    sick = Disturbance(Fault.SICKEN, ["line/pot-010"], 0.0, NOON_MS + 10_000_000)
    states = run(line(effects_per_pot_day=0), 900, 1, 1, sick)
    well = run(line(effects_per_pot_day=0), 900)
    metal = total(states[-1], "metal_produced_kg") / total(well[-1], "metal_produced_kg")
    unrest = total(states[-1], "noise_slow_v_s") / total(well[-1], "noise_slow_v_s")
    volts = total(states[-1], "voltage_v_s") - total(well[-1], "voltage_v_s")

    assert metal[9] == pytest.approx(SICK_EFFICIENCY, rel=1e-9)
    assert np.delete(metal, 9) == pytest.approx(1, rel=1e-9)
    assert unrest[9] > 3
    assert volts[9] / 900 > 0.05


def test_power_modulation_moves_current_and_target() -> None:
    """At 80 % the line stands at 400 kA, and its target says so; then it comes back."""
    less = Disturbance(Fault.MODULATE, ["line"], 80.0, NOON_MS + 31_000)
    states = run(line(), 60, 1, 1, less)

    assert [state.line[1] for state in states[1:]] == [400.0] * 30 + [500.0] * 30
    assert states[20].line_current == pytest.approx(400, rel=0.01)
    assert states[-1].line_current == pytest.approx(500, rel=0.01)


def test_the_line_draws_what_pots_and_busbars_take() -> None:
    """DC is voltage by current; AC a little more, as rectifiers lose."""
    state = run(line(), 10)[-1]
    ac, dc = state.rectifier

    assert dc == pytest.approx(state.line_current * (state.pots.voltage.sum() + 0.12 * 24), 1e-6)
    assert dc / ac == pytest.approx(0.985, rel=1e-6)
    assert line().power(state).load_kw == pytest.approx(ac + 24 * (55 + 12), rel=1e-6)


def test_the_liquidus_falls_with_what_dissolves() -> None:
    """Pure cryolite freezes at 1011 degC; alumina and fluorides lower that."""
    pure = liquidus_degc(np.array([0.0]), np.array([0.0]), np.array([0.0]))
    usual = liquidus_degc(np.array([11.0]), np.array([2.6]), np.array([5.0]))

    assert pure == pytest.approx(1011)
    assert 940 < usual[0] < 965
