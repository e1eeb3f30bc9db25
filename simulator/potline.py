"""A potline: pots in series on one line current (Hall-Heroult), rectifiers, gas treatment.

A tap takes most of what was made since the pot's last tap, in steps of the crucible scale, so that
produced = tapped + change of metal in the pot. With the tap go a sounding of the metal left,
samples of bath and metal, and as many anodes as the metal has consumed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np

from simulator.bath import Samples, renewed, sample
from simulator.command import Fault
from simulator.model import (
    Disturbance,
    Event,
    Moment,
    Power,
    Sums,
    Totals,
    added,
    per_unit,
    refuse,
    tag_paths,
    units,
    until,
)
from simulator.noise import FloatArray, wander
from simulator.pot import (
    ANODES_PER_METAL,
    BACK_EMF_V,
    BUTTS_PER_METAL,
    EFFECT_VOLTAGE_V,
    METAL_KG_PER_KAH,
    METAL_PAD_KG,
    NOMINAL_KA,
    SCALE_STEP_KG,
    SIPHONED_FROM,
    TARGET_V,
    Pots,
    begin_effects,
    efficiency,
    feed,
    started,
    voltages,
)
from simulator.register import shown
from simulator.unrest import WINDOWS, Running, begin, carry

RECTIFIER_EFFICIENCY = 0.985
BUSBAR_V = 0.12
"""Drop of the busbars, a pot; the pot voltage does not see it."""

GAS_KW_PER_POT, ROOM_KW_PER_POT = 55.0, 12.0

LINE = ("line_current", "current_target")
POT = (
    "voltage",
    "voltage_target",
    "operating",
    "anode_effect",
    "alumina_fed",
    "alf3_fed",
    "metal_inventory",
    *Samples.__dataclass_fields__,
)
EVENTS: Final = ("metal_tapped", "anode_set", "butt_removed")


@dataclass(frozen=True, slots=True)
class Scan:
    """What happened to each pot at a scan [kg], and whether an anode effect began.

    It is added to the totals with the next scan.
    """

    begun: FloatArray
    tapped: FloatArray
    anodes: FloatArray
    butts: FloatArray
    sounded: FloatArray
    alumina: FloatArray
    alf3: FloatArray


@dataclass(frozen=True, slots=True)
class PotlineState:
    """The line at one scan."""

    ts_ms: int
    pots: Pots
    samples: Samples
    windows: Mapping[str, Running]
    next_tap_ms: int
    scan: Scan
    drift: FloatArray
    line: FloatArray
    rectifier: FloatArray
    services: FloatArray
    next_pot: int = 0
    target_percent: float = 100.0
    modulated_until_ms: int = 0
    sums: Mapping[str, Sums] = field(default_factory=dict)

    @property
    def line_current(self) -> float:
        """What the line current reads [kA]."""
        return float(self.line[0])


class Potline:
    """The line of *pots* at *path*, rated *rated_ka*, one of them tapped every *tap_every_s* [s].

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
        self._target_v = shown("voltage_target", np.full(len(self.pots), TARGET_V))
        self.rectifier = f"{path}/rectifier"
        self.services = (f"{path}/gas-treatment", f"{path}/potroom")
        self.paths = (
            *tag_paths([path], LINE),
            *tag_paths([self.rectifier], ("load", "dc_power")),
            *tag_paths(self.services, ("load",)),
            *tag_paths(self.pots, POT),
        )

    def start(self, now_ms: int, rng: np.random.Generator) -> PotlineState:
        """Pots that differ by some percent, each holding the metal since its last tap."""
        count = len(self.pots)
        zeros = np.zeros(count)
        since_tap_h = (count - np.arange(count)) * self.tap_every_ms / 3_600_000
        pots = started(self.rated_ka, since_tap_h, rng)
        blank = PotlineState(
            now_ms,
            pots,
            sample(count, rng),
            {name: begin(window, count) for name, window in WINDOWS.items()},
            next_tap_ms=now_ms + 5000,
            scan=Scan(*[zeros] * 7),
            drift=rng.standard_normal(1),
            line=np.zeros(2),
            rectifier=np.zeros(2),
            services=np.zeros(2),
        )
        return self.step(blank, Moment(now_ms, 0.0), rng)

    def step(self, state: PotlineState, moment: Moment, rng: np.random.Generator) -> PotlineState:
        """Hold the shown values, then draw new ones, feed, and tap the pot that is due."""
        state = self._sense(self._hold(state, moment), moment, rng)
        return self._tap(state, rng) if moment.now_ms >= state.next_tap_ms else state

    def _hold(self, state: PotlineState, moment: Moment) -> PotlineState:
        """What the line did since the last scan; V times kAh is kWh."""
        pots, scan, dt_s = state.pots, state.scan, moment.dt_s
        hours = dt_s / 3600
        charge_kah = state.line_current * hours
        made = METAL_KG_PER_KAH * efficiency(pots, state.ts_ms) * charge_kah * pots.operating
        windows, unrest = self._unrest(state, moment)
        resistance = (pots.voltage - BACK_EMF_V) / (state.line_current or 1.0)
        amounts = {
            "energy_kwh": pots.voltage * charge_kah,
            "charge_kah": pots.operating * charge_kah,
            "operating_s": pots.operating * dt_s,
            "anode_effect_s": pots.effect * dt_s,
            "anode_effects": scan.begun,
            "overvoltage_v_s": (pots.voltage - self._target_v) * pots.effect * dt_s,
            "voltage_v_s": pots.voltage * dt_s,
            "resistance_uohm_s": resistance * 1000.0 * dt_s,
            "normal_voltage_v_s": (resistance * NOMINAL_KA + BACK_EMF_V) * dt_s,
            **unrest,
            "metal_produced_kg": made,
            "metal_tapped_kg": scan.tapped,
            "metal_gain_kg": scan.sounded,
            "pure_metal_kg": scan.tapped * state.samples.purity / 100.0,
            "metal_on_grade_kg": scan.tapped * state.samples.on_grade,
            "anode_set_kg": scan.anodes,
            "butt_removed_kg": scan.butts,
            "alumina_fed_kg": scan.alumina,
            "alf3_fed_kg": scan.alf3,
            "superheat_k_s": state.samples.superheat_k * dt_s,
            "excess_alf3_percent_s": state.samples.bath_excess_alf3 * dt_s,
        }
        line = {
            "charge_kah": state.line[:1] * hours,
            "target_kah": state.line[1:] * hours,
        }
        rectifier = {"ac_kwh": state.rectifier[:1] * hours, "dc_kwh": state.rectifier[1:] * hours}
        of = {
            "pot": amounts,
            "line": line,
            "rectifier": rectifier,
            "service": {"load_kwh": state.services * hours},
        }
        sums = {kind: added(state.sums.get(kind, {}), grown) for kind, grown in of.items()}
        metal = pots.metal_kg + made - scan.tapped
        return replace(
            state,
            ts_ms=moment.now_ms,
            pots=replace(pots, metal_kg=metal),
            windows=windows,
            sums=sums,
        )

    def _unrest(
        self, state: PotlineState, moment: Moment
    ) -> tuple[dict[str, Running], dict[str, FloatArray]]:
        """The windows over the normalised voltage, and what they held."""
        ohmic = (state.pots.voltage - BACK_EMF_V) / (state.line_current or 1.0)
        level = ohmic * NOMINAL_KA + BACK_EMF_V
        windows: dict[str, Running] = {}
        amounts: dict[str, FloatArray] = {}
        for name, window in WINDOWS.items():
            # No time passes at a start alone, and a window that a stop has cut is not whole.
            running = state.windows[name] if moment.dt_s else begin(window, len(self.pots))
            from_ms = moment.now_ms - round(moment.dt_s * 1000)
            windows[name], held, alarm = carry(window, running, level, from_ms, moment.now_ms)
            amounts[f"{name}_{window.unit}_s"] = held
            if name == "noise_slow":
                amounts["noise_alarm_s"] = alarm
        return windows, amounts

    def _sense(self, state: PotlineState, moment: Moment, rng: np.random.Generator) -> PotlineState:
        now_ms, dt_s, count = moment.now_ms, moment.dt_s, len(self.pots)
        pots = begin_effects(state.pots, moment, self.effect_every_s, rng)
        drift = wander(state.drift, dt_s, 300.0, rng)
        modulated = state.modulated_until_ms > now_ms
        percent = state.target_percent if modulated else 100.0
        target = shown("current_target", np.array([self.rated_ka * percent / 100.0]))
        # The rectifiers hold the current against the voltage of an anode effect, but not wholly.
        dip = 0.002 * float((pots.effect_until_ms > now_ms).sum())
        unsteady = 1.0 + 0.0015 * drift + 0.0004 * rng.standard_normal(1) - min(dip, 0.05)
        current = shown("line_current", target * unsteady)
        pots = replace(
            pots,
            drift=wander(pots.drift, dt_s, 3600.0, rng),
            roll=wander(pots.roll, dt_s, 20.0, rng),
        )
        voltage = voltages(pots, float(current[0]), now_ms, rng)
        effect = (voltage > EFFECT_VOLTAGE_V).astype(np.float64)
        dc_kw = float(current[0]) * (float(voltage.sum()) + BUSBAR_V * count)
        begun = effect * (1.0 - state.pots.effect)
        pots, alumina, alf3 = feed(pots, float(current[0]), dt_s)
        return replace(
            state,
            pots=replace(
                pots,
                voltage=voltage,
                effect=effect,
                operating=(pots.out_until_ms <= now_ms).astype(np.float64),
            ),
            scan=replace(Scan(*[np.zeros(count)] * 7), begun=begun, alumina=alumina, alf3=alf3),
            drift=drift,
            line=np.concatenate([current, target]),
            rectifier=shown("load", np.array([dc_kw / RECTIFIER_EFFICIENCY, dc_kw])),
            services=shown("load", count * np.array([GAS_KW_PER_POT, ROOM_KW_PER_POT])),
        )

    def _tap(self, state: PotlineState, rng: np.random.Generator) -> PotlineState:
        place, pots = state.next_pot, state.pots
        wanted = (pots.metal_kg[place] - METAL_PAD_KG) * rng.uniform(SIPHONED_FROM, 1.0)
        mass = float(wanted // SCALE_STEP_KG * SCALE_STEP_KG)
        after = replace(
            state,
            next_pot=(place + 1) % len(self.pots),
            next_tap_ms=(state.ts_ms // self.tap_every_ms + 1) * self.tap_every_ms,
        )
        if mass <= 0:
            return after
        here = np.arange(len(self.pots)) == place
        left = shown("metal_inventory", pots.metal_kg[place : place + 1] - mass)
        sounded = np.where(here, left, pots.sounded_kg)
        scan = replace(
            state.scan,
            tapped=here * mass,
            anodes=here * np.floor(mass * ANODES_PER_METAL * rng.uniform(0.97, 1.03)),
            butts=here * np.floor(mass * BUTTS_PER_METAL * rng.uniform(0.9, 1.1)),
            sounded=sounded - pots.sounded_kg,
        )
        return replace(
            after,
            pots=replace(pots, sounded_kg=sounded),
            samples=renewed(state.samples, place, rng),
            scan=scan,
        )

    def values(self, state: PotlineState) -> FloatArray:
        """Line, rectifier and services, then each measure of all pots."""
        pots, samples = state.pots, state.samples
        return np.concatenate(
            [
                state.line,
                state.rectifier,
                state.services,
                pots.voltage,
                self._target_v,
                pots.operating,
                pots.effect,
                pots.alumina_fed,
                pots.alf3_fed,
                pots.sounded_kg,
                *(getattr(samples, measure) for measure in Samples.__dataclass_fields__),
            ]
        )

    def events(self, state: PotlineState) -> tuple[Event, ...]:
        """The tap of this scan [kg], with the anodes set and the butts removed."""
        scan = state.scan
        return tuple(
            Event(f"{self.pots[place]}/{measure}", float(amounts[place]))
            for measure, amounts in zip(EVENTS, (scan.tapped, scan.anodes, scan.butts), strict=True)
            for place in np.flatnonzero(amounts)
        )

    def power(self, state: PotlineState) -> Power:
        """What rectifiers, gas treatment and potroom draw."""
        return Power(load_kw=float(state.rectifier[0] + state.services.sum()))

    def totals(self, state: PotlineState) -> Totals:
        """Per pot, line, rectifier and service.

        ``metal_kg`` of a pot is a level, not a total: what is in it before a tap of this scan.
        """
        pots = {**state.sums["pot"], "metal_kg": state.pots.metal_kg}
        line = {
            name: state.sums["pot"][name].sum(keepdims=True)
            for name in ("energy_kwh", "metal_produced_kg", "metal_tapped_kg")
        }
        return dict(
            (
                *per_unit([self.path], line | dict(state.sums["line"])),
                *per_unit([self.rectifier], state.sums["rectifier"]),
                *per_unit(self.services, state.sums["service"]),
                *per_unit(self.pots, pots),
            )
        )

    def disturb(self, state: PotlineState, disturbance: Disturbance) -> PotlineState:
        """An anode effect, a sick pot, or power modulation."""
        pots, until_ms = state.pots, disturbance.until_ms
        match disturbance.fault:
            case Fault.UPSET:
                places = units(disturbance, self.pots)
                pots = replace(pots, effect_until_ms=until(pots.effect_until_ms, places, until_ms))
            case Fault.SICKEN:
                places = units(disturbance, self.pots)
                pots = replace(pots, sick_until_ms=until(pots.sick_until_ms, places, until_ms))
            case Fault.MODULATE if self._has(disturbance.assets):
                return replace(state, target_percent=disturbance.level, modulated_until_ms=until_ms)
            case _:
                raise refuse(disturbance)
        return replace(state, pots=pots)

    def _has(self, assets: Sequence[str]) -> bool:
        return any(f"{asset}/".startswith(f"{self.path}/") for asset in assets)
