"""Bauxite residue: how much, with how much soda, how clear the liquor leaves it, what it is for."""

from itertools import pairwise
from typing import Final

from kpi.catalogue.inputs import ALUMINA, IN_REFINERY, active, covered, integral, mean_of, time_of
from kpi.formula import Operand, crossing
from kpi.kpi import Constant, Input, ParameterSet, declare

_WASHING = frozenset({"washing"})
_SETTLER = frozenset({"clarification"})
_SETTLERS = ("clarification", *IN_REFINERY)

_RESIDUE = Input("residue", "Residue, dry", "t", (integral("residue_flow", _WASHING),))
_USED = Input("used", "Residue used, dry", "t", (integral("residue_used", _WASHING),))

_SODA = ParameterSet(
    "soda-as-na2co3",
    "S of the tag is expressed as Na2CO3; 0.754745 kg NaOH stand for 1 kg (IUPAC)",
    {"to_naoh": Constant(2 * 39.99677 / 105.98854, "1")},
)
_CLINKER = ParameterSet(
    "ipcc-2006-clinker",
    "IPCC 2006 Guidelines, volume 3, 2.2: 65 % CaO, cement kiln dust 2 %: 0.5203 t CO2/t clinker",
    {"emission_factor": Constant(0.65 / 0.5603 * 0.43971 * 1.02, "t/t")},
)

#: Limits [mg/L] of the tags overflow_above_10 ...: a ladder that the percentile is read from.
LADDER: Final = (10, 20, 50, 100, 200, 500)
_RUNGS: Final = tuple(f"above_{limit}" for limit in LADDER)


@declare(
    unit="t/t",
    assets=IN_REFINERY,
    inputs=(_RESIDUE, ALUMINA),
    source="Dry residue / alumina; 1 to 1.5 usual (LME Insight)",
    valid=(0.2, 3.0),
    minimum_coverage=0.9,
)
def residue_factor(residue: Operand, alumina: Operand) -> Operand:
    """Residue factor.

    Dry bauxite residue per tonne of alumina.
    """
    return residue / alumina


@declare(
    unit="kg/t",
    assets=IN_REFINERY,
    inputs=(
        Input("soda", "Soda in the underflow", "kg", (integral("underflow_soda_flow", _WASHING),)),
        ALUMINA,
    ),
    source="Liquor with the last underflow times its soda, as NaOH, / alumina",
    valid=(0.0, 100.0),
    minimum_coverage=0.9,
    parameter_sets=(_SODA,),
)
def residue_soda_loss(soda: Operand, alumina: Operand, to_naoh: Operand) -> Operand:
    """Soda lost with the residue.

    Soda of the liquor that leaves with the last underflow, as NaOH, per tonne of alumina. What is
    bound in the solids (DSP) is not in it.
    """
    return soda * to_naoh / alumina


@declare(
    unit="mg/L",
    assets=_SETTLERS,
    inputs=mean_of("overflow_solids", _SETTLER, "mg/L", "Solids"),
    source="Time-weighted mean; OPC 10000-13 TimeAverage2",
    valid=(0.0, 10_000.0),
    minimum_coverage=0.9,
)
def overflow_solids(level: Operand, time: Operand) -> Operand:
    """Solids of the settler overflow.

    Time mean of the solids.
    """
    return level / time


@declare(
    unit="%",
    assets=_SETTLERS,
    inputs=(
        Input("cloudy", "Time above the limit", "s", (active("overflow_cloudy", _SETTLER),)),
        time_of("overflow_cloudy", _SETTLER),
    ),
    source="Time above the limit / time",
    valid=(0.0, 100.0),
    minimum_coverage=0.9,
)
def overflow_cloudy_share(cloudy: Operand, time: Operand) -> Operand:
    """Share of time with a cloudy overflow.

    Time in which the solids of the overflow are above the limit of the plant.
    """
    return cloudy / time


_PERCENTILE = ParameterSet(
    "p95",
    "95 % of the time; straight lines between the limits of the ladder",
    {"tail": Constant(0.05, "1")}
    | {f"limit_{limit}": Constant(float(limit), "mg/L") for limit in LADDER},
)


@declare(
    unit="mg/L",
    assets=_SETTLERS,
    inputs=(
        Input("time", "Time covered", "s", (covered("overflow_above_10", _SETTLER),)),
        *(
            Input(
                rung,
                f"Time above {limit} mg/L",
                "s",
                (active(f"overflow_above_{limit}", _SETTLER),),
            )
            for limit, rung in zip(LADDER, _RUNGS, strict=True)
        ),
    ),
    source="Percentile over time, from the times above a ladder of limits",
    valid=(0.0, 500.0),
    minimum_coverage=0.9,
    parameter_sets=(_PERCENTILE,),
)
def overflow_solids_p95(
    *,
    time: Operand,
    above_10: Operand,
    above_20: Operand,
    above_50: Operand,
    above_100: Operand,
    above_200: Operand,
    above_500: Operand,
    tail: Operand,
    **limits: Operand,
) -> Operand:
    """Solids of the settler overflow, 95th percentile.

    The level that the solids are below during 95 % of the time. A percentile does not add up, but
    the times above fixed limits do: between two limits it is read on a straight line, so it is
    exact at the limits and within their distance between them; beyond the last it stays there.
    """
    above = (above_10, above_20, above_50, above_100, above_200, above_500)
    level = limits["limit_10"] * crossing(time, above_10, tail * time)
    for (low, high), (before, after) in zip(pairwise(LADDER), pairwise(above), strict=True):
        width = limits[f"limit_{high}"] - limits[f"limit_{low}"]
        level = level + width * crossing(before, after, tail * time)
    return level


@declare(
    unit="%",
    assets=IN_REFINERY,
    inputs=(_USED, _RESIDUE),
    source="Residue used / residue generated",
    valid=(0.0, 200.0),
    minimum_coverage=0.9,
)
def residue_utilisation(used: Operand, residue: Operand) -> Operand:
    """Residue utilisation.

    Dry residue given to use as share of what arises. Above 100 % stocks are used up.
    """
    return used / residue


@declare(
    unit="t",
    assets=IN_REFINERY,
    inputs=(_USED,),
    source="Displaced clinker times its CO2, IPCC 2006 Guidelines, volume 3, 2.2",
    valid=(0.0, 1e7),
    minimum_coverage=0.9,
    parameter_sets=(_CLINKER,),
)
def avoided_clinker_co2(used: Operand, emission_factor: Operand) -> Operand:
    """CO2 avoided in clinker.

    Residue used, taken to displace as much clinker, times the CO2 of its calcination. Reported
    beside emissions, never taken off them.
    """
    return used * emission_factor
