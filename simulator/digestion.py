"""A digestion unit of a Bayer refinery: bauxite and spent liquor in, pregnant liquor out.

Steady balances over the unit, driven by five slow, independent swings:
alumina out = alumina in + bauxite * available alumina * extraction;
caustic out = caustic in - what desilication binds;
liquor out = liquor in + condensed steam + moisture of the bauxite + volume of the alumina;
steam = heat to bring liquor and bauxite from the last flash heater to digestion temperature.
"""

from dataclasses import dataclass, replace
from random import Random

from simulator.model import Event, Totals
from simulator.noise import wander
from simulator.register import single

AVAILABLE_ALUMINA = 0.45
EXTRACTION = 0.95
REACTIVE_SILICA = 0.02
SODA_PER_SILICA = 0.65 * 1.324951
"""0.65 kg NaOH bound per kg of reactive silica, expressed as Na2CO3."""

MOISTURE = 0.10
"""Water per wet bauxite."""

LIQUOR_T_PER_M3 = 1.27
LIQUOR_KJ_PER_KG_K = 3.4
BAUXITE_KJ_PER_KG_K = 0.95
STEAM_KJ_PER_KG = 2086.0
"""Latent heat at 6 bar (steam tables)."""

HEATER_DEGC = 112.0
"""What flash steam alone reaches; live steam does the rest."""

ALUMINA_M3_PER_T = 0.35
"""Volume that a tonne of dissolved alumina adds to the liquor."""

_MEMORY_S = (1800.0, 900.0, 14400.0, 7200.0, 600.0)


@dataclass(frozen=True, slots=True)
class Balance:
    """Flows and concentrations of one scan: t/h, m^3/h, kg/m^3, degC."""

    bauxite_feed: float
    spent_flow: float
    pregnant_flow: float
    caustic_concentration: float
    spent_alumina: float
    pregnant_alumina: float
    steam_flow: float
    temperature: float


@dataclass(frozen=True, slots=True)
class DigestionState:
    """The unit at one scan, with its totals until then."""

    ts_ms: int
    swings: tuple[float, float, float, float, float]
    shown: Balance
    bauxite_t: float = 0.0
    spent_m3: float = 0.0
    pregnant_m3: float = 0.0
    spent_alumina_kg: float = 0.0
    pregnant_alumina_kg: float = 0.0
    steam_t: float = 0.0


def balance(
    bauxite_feed: float,
    spent_flow: float,
    spent_caustic: float,
    spent_alumina: float,
    temperature: float,
) -> Balance:
    """Solve the unit for its feeds [t/h, m^3/h, kg/m^3, kg/m^3] and its temperature [degC]."""
    bauxite_feed, spent_flow = single(bauxite_feed), single(spent_flow)
    spent_alumina = single(spent_alumina)
    heat_mj_per_h = (temperature - HEATER_DEGC) * (
        spent_flow * LIQUOR_T_PER_M3 * LIQUOR_KJ_PER_KG_K + bauxite_feed * BAUXITE_KJ_PER_KG_K
    )
    steam_flow = single(heat_mj_per_h / STEAM_KJ_PER_KG)
    dissolved = bauxite_feed * AVAILABLE_ALUMINA * EXTRACTION
    pregnant_flow = single(
        spent_flow
        + steam_flow
        + bauxite_feed * MOISTURE / (1 - MOISTURE)
        + dissolved * ALUMINA_M3_PER_T
    )
    bound_kg = 1000 * bauxite_feed * REACTIVE_SILICA * SODA_PER_SILICA
    return Balance(
        bauxite_feed=bauxite_feed,
        spent_flow=spent_flow,
        pregnant_flow=pregnant_flow,
        caustic_concentration=single((spent_flow * spent_caustic - bound_kg) / pregnant_flow),
        spent_alumina=spent_alumina,
        pregnant_alumina=single((spent_flow * spent_alumina + 1000 * dissolved) / pregnant_flow),
        steam_flow=steam_flow,
        temperature=temperature,
    )


class Digestion:
    """The digestion unit at *path*."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.logged: tuple[str, ...] = ()

    def start(self, now_ms: int, rng: Random) -> DigestionState:
        """A unit somewhere in its usual swings."""
        swings = (rng.gauss(), rng.gauss(), rng.gauss(), rng.gauss(), rng.gauss())
        return DigestionState(now_ms, swings, _shown(swings))

    def step(self, state: DigestionState, now_ms: int, dt_s: float, rng: Random) -> DigestionState:
        """Hold the shown flows for *dt_s* [s], then swing on."""
        hours, shown = dt_s / 3600, state.shown
        feed, flow, caustic, ratio, heat = (
            wander(swing, dt_s, memory_s, rng)
            for swing, memory_s in zip(state.swings, _MEMORY_S, strict=True)
        )
        swings = (feed, flow, caustic, ratio, heat)
        return replace(
            state,
            ts_ms=now_ms,
            swings=swings,
            shown=_shown(swings),
            bauxite_t=state.bauxite_t + shown.bauxite_feed * hours,
            spent_m3=state.spent_m3 + shown.spent_flow * hours,
            pregnant_m3=state.pregnant_m3 + shown.pregnant_flow * hours,
            spent_alumina_kg=state.spent_alumina_kg
            + shown.spent_flow * shown.spent_alumina * hours,
            pregnant_alumina_kg=state.pregnant_alumina_kg
            + shown.pregnant_flow * shown.pregnant_alumina * hours,
            steam_t=state.steam_t + shown.steam_flow * hours,
        )

    def values(self, state: DigestionState) -> dict[str, float]:
        """Flows and concentrations, then the temperature."""
        shown = state.shown
        return {
            f"{self.path}/bauxite_feed": shown.bauxite_feed,
            f"{self.path}/spent_flow": shown.spent_flow,
            f"{self.path}/pregnant_flow": shown.pregnant_flow,
            f"{self.path}/caustic_concentration": shown.caustic_concentration,
            f"{self.path}/spent_alumina": shown.spent_alumina,
            f"{self.path}/pregnant_alumina": shown.pregnant_alumina,
            f"{self.path}/steam_flow": shown.steam_flow,
            f"{self.path}/temperature": shown.temperature,
        }

    def events(self, state: DigestionState) -> tuple[Event, ...]:  # noqa: ARG002 - has no log
        """None: a digestion unit runs continuously."""
        return ()

    def totals(self, state: DigestionState) -> Totals:
        """Bauxite, liquor, alumina and steam through the unit."""
        return {
            self.path: {
                "bauxite_t": state.bauxite_t,
                "spent_m3": state.spent_m3,
                "pregnant_m3": state.pregnant_m3,
                "spent_alumina_kg": state.spent_alumina_kg,
                "pregnant_alumina_kg": state.pregnant_alumina_kg,
                "alumina_dissolved_kg": state.pregnant_alumina_kg - state.spent_alumina_kg,
                "steam_t": state.steam_t,
            }
        }

    def upset(self, state: DigestionState, place: int, duration_s: float) -> DigestionState:
        """Nothing in this unit can be upset on demand: always `ValueError`."""
        raise ValueError(f"{self.path} at {state.ts_ms} has no unit {place} for {duration_s} s")


def _shown(swings: tuple[float, float, float, float, float]) -> Balance:
    feed, flow, caustic, ratio, heat = swings
    spent_caustic = 245.0 * (1 + 0.004 * caustic)
    return balance(
        bauxite_feed=240.0 * (1 + 0.02 * feed),
        spent_flow=1200.0 * (1 + 0.015 * flow),
        spent_caustic=spent_caustic,
        # A/C of spent liquor: what precipitation leaves in solution.
        spent_alumina=spent_caustic * 0.37 * (1 + 0.006 * ratio),
        temperature=145.0 + 0.6 * heat,
    )
