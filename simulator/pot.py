"""The pots of a line: what they are, what drives them, and what their sensors show.

Voltage: V = V_ext + R I with R wandering slowly and V_ext the extrapolated back-EMF; in an anode
effect gas insulates the anode and the voltage stands between 25 and 35 V for some minutes.
Metal: Faraday's law times the pot's current efficiency. Alumina and aluminium fluoride come in
doses of 1 kg.
"""

from dataclasses import dataclass, replace

import numpy as np

from simulator.model import Moment
from simulator.noise import FloatArray, IntArray, happens
from simulator.register import shown

FARADAY_C_PER_MOL = 96485.33212331
ALUMINIUM_G_PER_MOL = 26.9815384
METAL_KG_PER_KAH = ALUMINIUM_G_PER_MOL * 3600 / (3 * FARADAY_C_PER_MOL)
"""Metal at 100 % current efficiency: three electrons per atom (CODATA, IUPAC): 0.33557273."""

BACK_EMF_V = 1.65
"""V_ext, as plants use it for pseudo-resistance (Banta et al., Light Metals 2003)."""

NOMINAL_KA = 500.0
"""The current of the normalised voltage."""

EFFECT_VOLTAGE_V = 8.0
"""Above this a pot is in an anode effect, by the usual definition."""

TARGET_V = 4.15
BYPASS_V = 0.3
"""What is left between the terminals of a pot that is cut out."""

METAL_PAD_KG = 15000.0
"""What always stays in the pot: some 18 cm of metal on 36 m2."""

SIPHONED_FROM = 0.9
"""The least that a tap takes of the metal above the pad; a crew never hits it to the kilogram."""

SCALE_STEP_KG = 0.5
"""Resolution of the crucible scale; the rest stays in the pot."""

ALUMINA_PER_METAL = 1.92
ALF3_PER_METAL = 0.018
ANODES_PER_METAL = 0.555
BUTTS_PER_METAL = 0.140

PAUSE_S = 120.0
"""For so long a pot that was fed out of an anode effect has no other one."""

SICK_RESISTANCE, SICK_EFFICIENCY, SICK_UNREST = 1.03, 0.92, 8.0


@dataclass(frozen=True, slots=True)
class Pots:
    """All pots of a line: constants, what drives them, and what their sensors show."""

    resistance_uohm: FloatArray
    efficiency: FloatArray
    metal_kg: FloatArray
    drift: FloatArray
    roll: FloatArray
    effect_volts: FloatArray
    effect_until_ms: IntArray
    sick_until_ms: IntArray
    out_until_ms: IntArray
    voltage: FloatArray
    effect: FloatArray
    operating: FloatArray
    sounded_kg: FloatArray
    alumina_fed: FloatArray
    alf3_fed: FloatArray
    alumina_due: FloatArray
    alf3_due: FloatArray


def started(rated_ka: float, since_tap_h: FloatArray, rng: np.random.Generator) -> Pots:
    """Pots that differ by some percent, each holding the metal of *since_tap_h* [h]."""
    count = len(since_tap_h)
    zeros, never = np.zeros(count), np.zeros(count, np.int64)
    efficiency = rng.normal(0.94, 0.008, count)
    made_kg = METAL_KG_PER_KAH * efficiency * rated_ka * since_tap_h
    return Pots(
        resistance_uohm=rng.normal(2.45, 0.05, count) * 1000 / rated_ka,
        efficiency=efficiency,
        metal_kg=METAL_PAD_KG + made_kg,
        drift=rng.standard_normal(count),
        roll=rng.standard_normal(count),
        effect_volts=zeros + 30.0,
        effect_until_ms=never,
        sick_until_ms=never,
        out_until_ms=never,
        voltage=zeros,
        effect=zeros,
        operating=zeros,
        sounded_kg=zeros + METAL_PAD_KG,
        alumina_fed=np.floor(rng.uniform(1e6, 9e6, count)),
        alf3_fed=np.floor(rng.uniform(1e4, 9e4, count)),
        alumina_due=rng.random(count),
        alf3_due=rng.random(count),
    )


def efficiency(pots: Pots, now_ms: int) -> FloatArray:
    """Current efficiency of each pot; a sick one wastes some."""
    return pots.efficiency * np.where(pots.sick_until_ms > now_ms, SICK_EFFICIENCY, 1.0)


def begin_effects(pots: Pots, moment: Moment, every_s: float, rng: np.random.Generator) -> Pots:
    """Let some pots fall into an anode effect, each once in *every_s* [s] in the mean."""
    now_ms, count = moment.now_ms, len(pots.voltage)
    rested = pots.effect_until_ms + round(PAUSE_S * 1000) <= now_ms
    begin = rested & happens(every_s, moment.dt_s, count, rng)
    begin &= pots.out_until_ms <= now_ms
    until_ms = now_ms + np.rint(rng.uniform(90, 300, count)).astype(np.int64) * 1000
    return replace(
        pots,
        effect_until_ms=np.where(begin, until_ms, pots.effect_until_ms),
        effect_volts=np.where(begin, rng.uniform(27, 33, count), pots.effect_volts),
    )


def voltages(pots: Pots, current: float, now_ms: int, rng: np.random.Generator) -> FloatArray:
    """What each pot's voltage reads [V] at the line current *current* [kA]."""
    count = len(pots.voltage)
    sick = pots.sick_until_ms > now_ms
    ohmic = pots.resistance_uohm * (1 + 0.008 * pots.drift) * current / 1000
    ohmic = ohmic * np.where(sick, SICK_RESISTANCE, 1.0)
    unrest = 0.006 * pots.roll + 0.003 * rng.standard_normal(count)
    normal = BACK_EMF_V + ohmic + unrest * np.where(sick, SICK_UNREST, 1.0)
    effect = np.clip(pots.effect_volts + 0.5 * rng.standard_normal(count), 25.0, 35.0)
    running = np.where(pots.effect_until_ms > now_ms, effect, normal)
    return shown("voltage", np.where(pots.out_until_ms > now_ms, BYPASS_V, running))


def feed(pots: Pots, current: float, dt_s: float) -> tuple[Pots, FloatArray, FloatArray]:
    """What the feeders gave since the last scan, in whole kilograms."""
    metal = METAL_KG_PER_KAH * 0.94 * current * dt_s / 3600 * pots.operating
    alumina_due = pots.alumina_due + ALUMINA_PER_METAL * metal
    alf3_due = pots.alf3_due + ALF3_PER_METAL * metal
    alumina, alf3 = np.floor(alumina_due), np.floor(alf3_due)
    fed = replace(
        pots,
        alumina_fed=pots.alumina_fed + alumina,
        alf3_fed=pots.alf3_fed + alf3,
        alumina_due=alumina_due - alumina,
        alf3_due=alf3_due - alf3,
    )
    return fed, alumina, alf3
