"""The units of a Bayer refinery: what each shows, and what went through it between two scans.

Digestion comes first and decides the flows of all units behind it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np

from simulator.digestion import IRON, TOTAL_ALUMINA, Balance, balance
from simulator.fuel import COAL
from simulator.register import shown

BOILER_EFFICIENCY, STEAM_GJ_PER_T = 0.88, 2.75
KWH_PER_T = 240.0
CLOUDY_MG_L: Final = 80.0
LADDER_MG_L: Final = (10.0, 20.0, 50.0, 100.0, 200.0, 500.0)

#: Of one unit at one scan: measure -> value.
Show: TypeAlias = dict[str, float]


@dataclass(frozen=True, slots=True)
class Flows:
    """What digestion gives to all units behind it: t/h, m^3/h, kg/m^3."""

    pregnant: float
    alumina: float
    caustic: float
    residue: float
    diluted: float
    steam: float
    hydrate: float

    @classmethod
    def of(cls, digestions: Sequence[Balance]) -> "Flows":
        """The flows of all *digestions* together."""
        pregnant = sum(given.pregnant_flow for given in digestions)
        alumina = sum(given.pregnant_flow * given.pregnant_alumina for given in digestions)
        caustic = sum(given.pregnant_flow * given.caustic_concentration for given in digestions)
        return cls(
            pregnant,
            alumina / pregnant,
            caustic / pregnant,
            sum(given.residue for given in digestions),
            pregnant - sum(given.spent_flow for given in digestions),
            sum(given.steam_flow for given in digestions),
            sum(given.dissolved for given in digestions) * 0.99,
        )


def digestion(swing: Sequence[float]) -> tuple[Balance, Show]:
    """The balance of a digestion unit at its *swing*, and the assays of its bauxite and mud [%]."""
    feed, flow, caustic, ratio, heat, assay = swing
    spent_caustic = 245.0 * (1 + 0.004 * caustic)
    given = balance(
        bauxite_feed=240.0 * (1 + 0.02 * feed),
        spent_flow=1200.0 * (1 + 0.015 * flow),
        spent_caustic=spent_caustic,
        # A/C of spent liquor: what precipitation leaves in solution.
        spent_alumina=spent_caustic * 0.37 * (1 + 0.006 * ratio),
        temperature=145.0 + 0.6 * heat,
    )
    alumina, iron = 100 * TOTAL_ALUMINA * (1 + 0.01 * assay), 100 * IRON * (1 - 0.02 * assay)
    left = 1 - given.dissolved / given.bauxite_feed / TOTAL_ALUMINA
    mud_iron = iron * given.bauxite_feed / given.residue
    assays = {
        "bauxite_alumina": alumina,
        "bauxite_iron": iron,
        "mud_alumina": mud_iron * alumina * left / iron,
        "mud_iron": mud_iron,
    }
    return given, assays


def measures_of(given: Balance) -> Show:
    """What the sensors of a digestion unit would show of its balance."""
    return {measure: getattr(given, measure) for measure in Balance.__dataclass_fields__}


def _clarification(_flows: Flows, swing: Sequence[float], _count: int) -> Show:
    return {"overflow_solids": float(35.0 * np.exp(0.6 * swing[0]))}


def _washing(flows: Flows, swing: Sequence[float], count: int) -> Show:
    residue = flows.residue / count
    return {
        "residue_flow": residue,
        "residue_used": residue * 0.06 * max(1 + 0.5 * swing[1], 0.0),
        "underflow_liquor": residue * 0.95 * (1 + 0.03 * swing[0]),
        "underflow_soda": 6.0 * (1 + 0.08 * swing[3]),
    }


def _precipitation(flows: Flows, swing: Sequence[float], count: int) -> Show:
    spent_caustic = flows.caustic * 1.02
    given = flows.hydrate * 1000 / flows.pregnant
    ratio = (flows.alumina - given) / flows.caustic * (1 + 0.004 * swing[3])
    return {
        "feed_flow": flows.pregnant / count * (1 + 0.005 * swing[1]),
        "feed_alumina": flows.alumina,
        "feed_caustic": flows.caustic,
        "spent_alumina": spent_caustic * ratio,
        "spent_caustic": spent_caustic,
    }


def _evaporation(flows: Flows, swing: Sequence[float], count: int) -> Show:
    water = flows.diluted / count
    return {
        "condensate_flow": water,
        "steam_flow": water / (4.5 * (1 + 0.02 * swing[3])),
        "caustic_makeup": 55.0 * flows.hydrate / count * (1 + 0.05 * swing[1]),
    }


def _powerhouse(flows: Flows, swing: Sequence[float], count: int) -> Show:
    steam = (flows.steam + flows.diluted / 4.5) / count * (1 + 0.01 * swing[4])
    heat = steam * STEAM_GJ_PER_T / BOILER_EFFICIENCY
    return {"steam_flow": steam} | COAL.burnt(heat, swing[5])


def _refinery(flows: Flows, swing: Sequence[float], _count: int) -> Show:
    return {
        "load": KWH_PER_T * flows.hydrate * (1 + 0.02 * swing[4]),
        "water_intake": 2.6 * flows.hydrate * (1 + 0.05 * swing[0]),
        "water_discharge": 0.5 * flows.hydrate * (1 + 0.05 * swing[1]),
    }


#: What a unit shows of the flows at its swing, one of so many of its type; in the order of the
#: liquor.
SHOWS: Final = {
    "clarification": _clarification,
    "washing": _washing,
    "precipitation": _precipitation,
    "evaporation": _evaporation,
    "powerhouse": _powerhouse,
    "refinery": _refinery,
}


def as_shown(given: Show) -> Show:
    """What a client reads of *given*; ``rate``, which no sensor shows, stays as it is."""
    return {
        measure: value if measure == "rate" else float(shown(measure, np.asarray(value)))
        for measure, value in given.items()
    }


def _digested(given: Show, hours: float) -> Show:
    spent, pregnant = given["spent_flow"] * hours, given["pregnant_flow"] * hours
    bauxite = given["bauxite_feed"] * hours
    undissolved = given["bauxite_iron"] * given["mud_alumina"] / given["mud_iron"]
    return {
        "bauxite_t": bauxite,
        "bauxite_alumina_t": bauxite * given["bauxite_alumina"] / 100,
        "extracted_t": bauxite * (given["bauxite_alumina"] - undissolved) / 100,
        "spent_m3": spent,
        "pregnant_m3": pregnant,
        "spent_alumina_kg": spent * given["spent_alumina"],
        "pregnant_alumina_kg": pregnant * given["pregnant_alumina"],
        "alumina_dissolved_kg": pregnant * given["pregnant_alumina"]
        - spent * given["spent_alumina"],
        "pregnant_caustic_kg": pregnant * given["caustic_concentration"],
        "pregnant_soda_kg": pregnant * given["soda_concentration"],
        "steam_t": given["steam_flow"] * hours,
    }


def _clarified(given: Show, hours: float) -> Show:
    solids, seconds = given["overflow_solids"], hours * 3600
    above = {f"above_{limit:g}_s": (solids > limit) * seconds for limit in LADDER_MG_L}
    return {
        "solids_mg_s_l": solids * seconds,
        "cloudy_s": (solids > CLOUDY_MG_L) * seconds,
        **above,
    }


def _washed(given: Show, hours: float) -> Show:
    return {
        "residue_t": given["residue_flow"] * hours,
        "used_t": given["residue_used"] * hours,
        "soda_kg": given["underflow_liquor"] * given["underflow_soda"] * hours,
    }


def _precipitated(given: Show, hours: float) -> Show:
    left = given["feed_caustic"] * given["spent_alumina"] / given["spent_caustic"]
    fed = given["feed_flow"] * hours
    return {"precipitated_kg": fed * (given["feed_alumina"] - left), "feed_m3": fed}


def _evaporated(given: Show, hours: float) -> Show:
    return {
        "condensate_t": given["condensate_flow"] * hours,
        "steam_t": given["steam_flow"] * hours,
        "caustic_kg": given["caustic_makeup"] * hours,
    }


def _raised(given: Show, hours: float) -> Show:
    return {"steam_t": given["steam_flow"] * hours} | COAL.amounts(given, hours)


def _consumed(given: Show, hours: float) -> Show:
    return {
        "load_kwh": given["load"] * hours,
        "intake_m3": given["water_intake"] * hours,
        "discharge_m3": given["water_discharge"] * hours,
    }


#: What went through a unit in so many hours.
AMOUNTS: Final = {
    "digestion": _digested,
    "clarification": _clarified,
    "washing": _washed,
    "precipitation": _precipitated,
    "evaporation": _evaporated,
    "powerhouse": _raised,
    "refinery": _consumed,
}
