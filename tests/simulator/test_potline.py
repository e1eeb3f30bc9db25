"""The potline: Faraday's law, the balance of metal, anode effects, taps."""

from dataclasses import replace
from itertools import pairwise
from random import Random

import pytest

from simulator.model import LOG_ENTRIES
from simulator.noise import seeded
from simulator.potline import (
    EFFECT_VOLTAGE_V,
    METAL_KG_PER_KAH,
    METAL_PAD_KG,
    Potline,
    PotlineState,
)
from tests.simulator.conftest import NOON_MS

POTS = [f"line/pot-{number:03d}" for number in range(1, 25)]


def line(tap_every_s: int = 300, effects_per_pot_day: float = 0.1) -> Potline:
    """The section of the Pavlodar plant."""
    return Potline("line", POTS, 500.0, tap_every_s, effects_per_pot_day)


def run(
    model: Potline, steps: int, dt_s: int = 1, seed: int = 1
) -> tuple[list[PotlineState], Random]:
    """All states of *steps* steps from a fresh start."""
    rng = seeded(seed)
    states = [model.start(NOON_MS, rng)]
    for _ in range(steps):
        states.append(model.step(states[-1], states[-1].ts_ms + dt_s * 1000, dt_s, rng))
    return states, rng


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
    states, _ = run(line(tap_every_s=60), 3600)
    last = states[-1]

    for pot in last.pots:
        expected = METAL_KG_PER_KAH * pot.efficiency * last.charge_kah
        assert pot.produced_kg == pytest.approx(expected, rel=1e-9)


def test_metal_is_balanced_in_every_scan() -> None:
    """Produced = tapped + change of the metal in the pot, for each pot and each second."""
    states, _ = run(line(tap_every_s=7), 600)

    for state in states:
        for first, now in zip(states[0].pots, state.pots, strict=True):
            kept = now.tapped_kg + now.metal_kg - first.metal_kg
            assert now.produced_kg == pytest.approx(kept, rel=1e-9, abs=1e-9)


def test_taps_in_the_log_are_the_metal_that_left() -> None:
    """The sum of the logged amounts before a scan is the tapped total of that scan."""
    states, _ = run(line(tap_every_s=20), 1000)
    last = states[-1]

    assert len(last.taps) < LOG_ENTRIES
    logged = sum(tap.amount for tap in last.taps if tap.ts_ms < last.ts_ms)
    assert logged > 0
    assert sum(pot.tapped_kg for pot in last.pots) == logged


def test_energy_is_the_sum_of_the_shown_values() -> None:
    """Energy of pot and line = sum of V * I * 1 s over all scans before, as a reader sums it."""
    states, _ = run(line(), 900)
    totals = line().totals(states[-1])

    for place, pot in enumerate(POTS):
        by_hand = sum(
            state.pots[place].voltage * state.line_current / 3600 for state in states[:-1]
        )
        assert totals[pot]["energy_kwh"] == pytest.approx(by_hand, rel=1e-12)
    assert totals["line"]["energy_kwh"] == pytest.approx(
        sum(totals[pot]["energy_kwh"] for pot in POTS), rel=1e-12
    )


def test_specific_energy_is_plausible() -> None:
    """A day of 500 kA costs about 13 kWh/kg, as modern lines do."""
    states, _ = run(line(), 288, dt_s=300)
    totals = line().totals(states[-1])["line"]

    assert 12.5 < totals["energy_kwh"] / totals["metal_produced_kg"] < 13.8
    assert totals["metal_tapped_kg"] == pytest.approx(totals["metal_produced_kg"], rel=0.02)


def test_first_tap_comes_soon_and_has_mass() -> None:
    """Five seconds after the start pot 1 gives the metal of a whole round."""
    states, _ = run(line(), 6)
    (tap,) = states[-1].taps

    assert (tap.number, tap.place, tap.ts_ms) == (1, 0, NOON_MS + 5000)
    # 24 taps * 300 s at 500 kA and 94 %: 315 kg.
    assert tap.amount == pytest.approx(315, rel=0.05)


def test_taps_go_along_the_line_on_multiples_of_the_interval() -> None:
    """Pot after pot, around the section, numbered without holes."""
    states, _ = run(line(tap_every_s=10), 300)
    taps = states[-1].taps

    assert [tap.place for tap in taps] == [number % 24 for number in range(len(taps))]
    assert [tap.number for tap in taps] == list(range(1, len(taps) + 1))
    assert all(tap.ts_ms % 10_000 == 0 for tap in taps[1:])


def test_ring_keeps_the_newest_taps() -> None:
    """More taps than entries: the oldest go, the numbers run on."""
    states, _ = run(line(tap_every_s=1), 100)
    taps = states[-1].taps

    assert len(taps) == LOG_ENTRIES
    assert taps[-1].number == states[-1].tap_number > LOG_ENTRIES


def test_a_pot_with_nothing_to_give_is_passed_over() -> None:
    """No event of 0 kg: the order goes on to the next pot."""
    model = line(tap_every_s=60)
    rng = seeded(1)
    state = model.start(NOON_MS, rng)
    empty = replace(state.pots[0], metal_kg=METAL_PAD_KG)
    state = replace(state, pots=(empty, *state.pots[1:]))
    state = model.step(replace(state, line_current=0.0), NOON_MS + 5000, 5.0, rng)

    assert state.taps == ()
    assert state.next_pot == 1


def test_anode_effects_are_rare_short_and_high() -> None:
    """Two days at 1 effect a pot-day: 48 expected, each of 25 to 35 V and 1.5 to 5 min."""
    states, _ = run(line(effects_per_pot_day=1.0), 5760, dt_s=30, seed=2)
    voltages = [pot.voltage for state in states for pot in state.pots]
    inside = [volts for volts in voltages if volts > EFFECT_VOLTAGE_V]
    starts = sum(
        now.effect and not before.effect
        for earlier, later in pairwise(states)
        for before, now in zip(earlier.pots, later.pots, strict=True)
    )

    assert all(25 <= volts <= 35 for volts in inside)
    assert all(3.5 < volts < 4.8 for volts in voltages if volts <= EFFECT_VOLTAGE_V)
    assert starts == pytest.approx(48, abs=21)
    assert 90 <= len(inside) * 30 / starts <= 330
    assert sum(pot.effect_s for pot in states[-1].pots) == pytest.approx(
        30 * sum(pot.effect for state in states[:-1] for pot in state.pots)
    )


def test_effect_on_demand() -> None:
    """An upset pot shows high voltage for exactly the time asked for; its neighbours do not."""
    model = line(effects_per_pot_day=0)
    rng = seeded(1)
    state = model.upset(model.start(NOON_MS, rng), 17, 3)
    seen = []
    for _ in range(5):
        state = model.step(state, state.ts_ms + 1000, 1.0, rng)
        seen.append([pot.effect for pot in state.pots])

    assert [effects[16] for effects in seen] == [True, True, True, False, False]
    assert all(sum(effects) == effects[16] for effects in seen)


@pytest.mark.parametrize("place", [0, 25])
def test_there_is_no_such_pot(place: int) -> None:
    """Places count from 1 to the number of pots."""
    model = line()

    with pytest.raises(ValueError, match=f"pot {place} of 24"):
        model.upset(model.start(NOON_MS, seeded(1)), place, 60)


def test_same_seed_same_line() -> None:
    """Two runs of one seed are equal to the last bit; another seed differs."""
    assert run(line(), 50)[0][-1] == run(line(), 50)[0][-1]
    assert run(line(), 50)[0][-1] != run(line(), 50, seed=2)[0][-1]
