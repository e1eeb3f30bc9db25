"""A potline section: pots in series on one line current (Hall-Héroult).

Voltage: V = V_ext + R I with R wandering slowly and V_ext the extrapolated back-EMF; in an anode
effect gas insulates the anode and the voltage stands between 25 and 35 V for some minutes.
Metal: Faraday's law times the pot's current efficiency; a tap takes what was made since the pot's
last tap, in steps of the crucible scale, so that produced = tapped + change of metal in the pot.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random

from simulator.model import LOG_ENTRIES, Event, Totals
from simulator.noise import happens, wander
from simulator.register import single

FARADAY_C_PER_MOL = 96485.33212331
ALUMINIUM_G_PER_MOL = 26.9815384
METAL_KG_PER_KAH = ALUMINIUM_G_PER_MOL * 3600 / (3 * FARADAY_C_PER_MOL)
"""Metal at 100 % current efficiency: three electrons per atom (CODATA, IUPAC): 0.33557273."""

BACK_EMF_V = 1.65
"""V_ext, as plants use it for pseudo-resistance (Banta et al., Light Metals 2003)."""

EFFECT_VOLTAGE_V = 8.0
"""Above this a pot is in an anode effect, by the usual definition."""

METAL_PAD_KG = 15000.0
"""What always stays in the pot: some 18 cm of metal on 36 m2."""

SCALE_STEP_KG = 0.5
"""Resolution of the crucible scale; the rest stays in the pot."""


@dataclass(frozen=True, slots=True)
class Pot:
    """One pot: constants, what its sensors show from this scan on, and its totals until then."""

    resistance_uohm: float
    efficiency: float
    metal_kg: float
    drift: float = 0.0
    roll: float = 0.0
    voltage: float = 0.0
    effect: bool = False
    effect_volts: float = 0.0
    effect_until_ms: int = 0
    tap_kg: float = 0.0
    energy_kwh: float = 0.0
    produced_kg: float = 0.0
    tapped_kg: float = 0.0
    effect_s: float = 0.0


@dataclass(frozen=True, slots=True)
class PotlineState:
    """The section at one scan."""

    ts_ms: int
    pots: tuple[Pot, ...]
    next_tap_ms: int
    next_pot: int = 0
    tap_number: int = 0
    taps: tuple[Event, ...] = ()
    drift: float = 0.0
    line_current: float = 0.0
    charge_kah: float = 0.0


class Potline:
    """A section of *pots* at *path*, rated *rated_ka*, one of them tapped every *tap_every_s* [s].

    Real lines tap a pot about every 32 h, which is 4800 s between the taps of 24 pots; a shorter
    interval takes less metal more often. Taps stand on whole multiples of the interval since 1970,
    the first one comes 5 s after the start.
    """

    def __init__(
        self,
        path: str,
        pots: Sequence[str],
        rated_ka: float,
        tap_every_s: int,
        effects_per_pot_day: float = 0.1,
    ) -> None:
        self.path = path
        self.pots = tuple(pots)
        self.rated_ka = rated_ka
        self.tap_every_ms = tap_every_s * 1000
        self.effect_every_s = 86400.0 / effects_per_pot_day if effects_per_pot_day else float("inf")
        self.logged = tuple(f"{pot}/metal_tapped" for pot in self.pots)
        self._paths = (
            f"{path}/line_current",
            *(f"{pot}/voltage" for pot in self.pots),
            *(f"{pot}/anode_effect" for pot in self.pots),
        )

    def start(self, now_ms: int, rng: Random) -> PotlineState:
        """Pots that differ by some percent, each holding the metal since its last tap."""
        count = len(self.pots)
        pots = []
        for place in range(count):
            efficiency = rng.gauss(0.94, 0.008)
            since_tap_h = (count - place) * self.tap_every_ms / 3_600_000
            pots.append(
                Pot(
                    resistance_uohm=rng.gauss(2.45, 0.05) * 1000 / self.rated_ka,
                    efficiency=efficiency,
                    metal_kg=METAL_PAD_KG
                    + METAL_KG_PER_KAH * efficiency * self.rated_ka * since_tap_h,
                    drift=rng.gauss(),
                    roll=rng.gauss(),
                )
            )
        blank = PotlineState(now_ms, tuple(pots), next_tap_ms=now_ms + 5000, drift=rng.gauss())
        return self.step(blank, now_ms, 0.0, rng)

    def step(self, state: PotlineState, now_ms: int, dt_s: float, rng: Random) -> PotlineState:
        """Hold the shown values for *dt_s* [s], then draw new ones and tap the pot that is due."""
        charge_kah = state.line_current * dt_s / 3600
        pots = [_hold(pot, charge_kah, dt_s) for pot in state.pots]
        drift = wander(state.drift, dt_s, 300.0, rng)
        # The rectifiers hold the current against the voltage of an anode effect, but not wholly.
        dip = 0.002 * sum(pot.effect_until_ms > now_ms for pot in pots)
        line_current = single(
            self.rated_ka * (1.0 + 0.0015 * drift + 0.0004 * rng.gauss() - min(dip, 0.05))
        )
        held = replace(
            state,
            ts_ms=now_ms,
            pots=tuple(self._sense(pot, line_current, now_ms, dt_s, rng) for pot in pots),
            drift=drift,
            line_current=line_current,
            charge_kah=state.charge_kah + charge_kah,
        )
        return self._tap(held) if now_ms >= state.next_tap_ms else held

    def _sense(self, pot: Pot, line_current: float, now_ms: int, dt_s: float, rng: Random) -> Pot:
        until, volts = pot.effect_until_ms, pot.effect_volts
        if until <= now_ms and happens(self.effect_every_s, dt_s, rng):
            until = now_ms + round(rng.uniform(90, 300)) * 1000
            volts = rng.uniform(27, 33)
        drift = wander(pot.drift, dt_s, 3600.0, rng)
        roll = wander(pot.roll, dt_s, 20.0, rng)
        if until > now_ms:
            voltage = min(max(volts + 0.5 * rng.gauss(), 25.0), 35.0)
        else:
            ohmic = pot.resistance_uohm * (1 + 0.008 * drift) * line_current / 1000
            voltage = BACK_EMF_V + ohmic + 0.006 * roll + 0.003 * rng.gauss()
        return replace(
            pot,
            drift=drift,
            roll=roll,
            voltage=single(voltage),
            effect=voltage > EFFECT_VOLTAGE_V,
            effect_until_ms=until,
            effect_volts=volts,
        )

    def _tap(self, state: PotlineState) -> PotlineState:
        place = state.next_pot
        pot = state.pots[place]
        mass = (pot.metal_kg - METAL_PAD_KG) // SCALE_STEP_KG * SCALE_STEP_KG
        after = replace(
            state,
            next_pot=(place + 1) % len(state.pots),
            next_tap_ms=(state.ts_ms // self.tap_every_ms + 1) * self.tap_every_ms,
        )
        if mass <= 0:
            return after
        number = state.tap_number + 1
        tap = Event(number, place, state.ts_ms, mass)
        return replace(
            after,
            pots=(*state.pots[:place], replace(pot, tap_kg=mass), *state.pots[place + 1 :]),
            tap_number=number,
            taps=(*state.taps, tap)[-LOG_ENTRIES:],
        )

    def values(self, state: PotlineState) -> dict[str, float]:
        """Line current [kA], then all voltages [V], then all anode-effect states."""
        shown = (
            state.line_current,
            *(pot.voltage for pot in state.pots),
            *(float(pot.effect) for pot in state.pots),
        )
        return dict(zip(self._paths, shown, strict=True))

    def events(self, state: PotlineState) -> tuple[Event, ...]:
        """The last taps [kg]."""
        return state.taps

    def totals(self, state: PotlineState) -> Totals:
        """Per pot and line: energy, charge, metal; per pot the metal in it and time in effect.

        ``metal_kg`` is a level, not a total: what is in the pot before a tap of this scan.
        """
        pots = {
            path: {
                "energy_kwh": pot.energy_kwh,
                "charge_kah": state.charge_kah,
                "metal_produced_kg": pot.produced_kg,
                "metal_tapped_kg": pot.tapped_kg,
                "metal_kg": pot.metal_kg,
                "anode_effect_s": pot.effect_s,
            }
            for path, pot in zip(self.pots, state.pots, strict=True)
        }
        line = {
            "energy_kwh": sum(pot.energy_kwh for pot in state.pots),
            "charge_kah": state.charge_kah,
            "metal_produced_kg": sum(pot.produced_kg for pot in state.pots),
            "metal_tapped_kg": sum(pot.tapped_kg for pot in state.pots),
        }
        return {self.path: line, **pots}

    def upset(self, state: PotlineState, place: int, duration_s: float) -> PotlineState:
        """Start an anode effect on pot *place* (from 1) that lasts *duration_s* [s]."""
        if not 1 <= place <= len(state.pots):
            raise ValueError(f"pot {place} of {len(state.pots)}")
        pot = replace(
            state.pots[place - 1],
            effect_until_ms=state.ts_ms + 1000 + round(duration_s * 1000),
            effect_volts=30.0,
        )
        return replace(state, pots=(*state.pots[: place - 1], pot, *state.pots[place:]))


def _hold(pot: Pot, charge_kah: float, dt_s: float) -> Pot:
    """What the pot did since the last scan; V times kAh is kWh."""
    made = METAL_KG_PER_KAH * pot.efficiency * charge_kah
    return replace(
        pot,
        metal_kg=pot.metal_kg + made - pot.tap_kg,
        tap_kg=0.0,
        energy_kwh=pot.energy_kwh + pot.voltage * charge_kah,
        produced_kg=pot.produced_kg + made,
        tapped_kg=pot.tapped_kg + pot.tap_kg,
        effect_s=pot.effect_s + pot.effect * dt_s,
    )
