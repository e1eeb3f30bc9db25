"""Bayer liquor: how much alumina it carries, takes up and gives.

A is alumina as Al2O3, C caustic soda as Na2CO3, S soda (C and carbonate) as Na2CO3, all at 25 degC.
A plant whose tags give C as Na2O or NaOH names that basis as parameter set. Ratios are of what
flowed: of A and C weighted by the flow, not means of ratios.
"""

from kpi.catalogue.inputs import integral
from kpi.catalogue.methodology import BASES, MOLAR
from kpi.formula import Operand
from kpi.kpi import Input, declare

_DIGESTION = frozenset({"digestion"})
_PRECIPITATION = frozenset({"precipitation"})
_TYPES = ("digestion", "refinery", "site")
_DEFINED = "North American liquor terms; SysCAD Bayer3 species model"

_PREGNANT = Input(
    "alumina_out",
    "Alumina in the pregnant liquor",
    "kg",
    (integral("pregnant_alumina_flow", _DIGESTION),),
)
_SPENT = Input(
    "alumina_in",
    "Alumina in the spent liquor",
    "kg",
    (integral("spent_alumina_flow", _DIGESTION),),
)
_CAUSTIC = Input(
    "caustic",
    "Caustic in the pregnant liquor",
    "kg",
    (integral("pregnant_caustic_flow", _DIGESTION),),
)


@declare(
    unit="kg/m^3",
    assets=_TYPES,
    inputs=(
        _PREGNANT,
        _SPENT,
        Input("liquor", "Pregnant liquor", "m^3", (integral("pregnant_flow", _DIGESTION),)),
    ),
    source="Den Hond, Hiralal, Rijkeboer: Alumina yield in the Bayer process, Light Metals 2007",
    valid=(0.0, 250.0),
    minimum_coverage=0.9,
)
def liquor_productivity(alumina_out: Operand, alumina_in: Operand, liquor: Operand) -> Operand:
    """Liquor productivity.

    Alumina dissolved in digestion per volume of pregnant liquor. Alumina A is expressed as
    Al2O3; the volume is that of the pregnant liquor as its flow meter gives it. With as much
    liquor out as in this is A(pregnant) - A(spent), that is C (A/C in - A/C out) of the
    precipitation.
    """
    return (alumina_out - alumina_in) / liquor


@declare(
    unit="kg/m^3",
    assets=("precipitation", "refinery", "site"),
    inputs=(
        Input(
            "precipitated",
            "Alumina precipitated",
            "kg",
            (integral("precipitated_flow", _PRECIPITATION),),
        ),
        Input("feed", "Liquor fed", "m^3", (integral("feed_flow", _PRECIPITATION),)),
    ),
    source="Den Hond, Hiralal, Rijkeboer: Alumina yield in the Bayer process, Light Metals 2007",
    valid=(0.0, 250.0),
    minimum_coverage=0.9,
)
def precipitation_yield(precipitated: Operand, feed: Operand) -> Operand:
    """Precipitation yield.

    Alumina that precipitates per volume of liquor fed: C (A/C in - A/C out), weighted by the flow.
    The liquor that leaves is the one that was fed a day or two before; over spans shorter than
    that, changes of the feed show as changes of the yield.
    """
    return precipitated / feed


@declare(
    unit="1",
    assets=_TYPES,
    inputs=(_PREGNANT, _CAUSTIC),
    source=_DEFINED,
    valid=(0.2, 0.85),
    minimum_coverage=0.9,
    parameter_sets=BASES,
)
def alumina_caustic_ratio(alumina_out: Operand, caustic: Operand, to_soda: Operand) -> Operand:
    """A/C of the pregnant liquor.

    Alumina as Al2O3 to caustic soda as Na2CO3, by mass.
    """
    return alumina_out / (caustic * to_soda)


@declare(
    unit="1",
    assets=_TYPES,
    inputs=(
        _CAUSTIC,
        Input("soda", "Soda in the liquor", "kg", (integral("pregnant_soda_flow", _DIGESTION),)),
    ),
    source=_DEFINED,
    valid=(0.5, 1.0),
    minimum_coverage=0.9,
)
def caustic_soda_ratio(caustic: Operand, soda: Operand) -> Operand:
    """C/S of the pregnant liquor.

    Caustic soda to all soda, both on one basis. What is missing to 1 is carbonate.
    """
    return caustic / soda


@declare(
    unit="1",
    assets=_TYPES,
    inputs=(_PREGNANT, _CAUSTIC),
    source="mol Na2O (caustic) / mol Al2O3: the inverse of A/C, 0.962 / (A/C) for C as Na2CO3",
    valid=(1.1, 5.0),
    minimum_coverage=0.9,
    parameter_sets=MOLAR,
)
def caustic_molar_ratio(
    alumina_out: Operand, caustic: Operand, to_soda: Operand, moles: Operand
) -> Operand:
    """Caustic molar ratio of the pregnant liquor.

    Moles of Na2O as caustic to moles of Al2O3, as European and Chinese plants state it.
    """
    return moles * caustic * to_soda / alumina_out


@declare(
    unit="t/t",
    assets=_TYPES,
    inputs=(
        Input("steam", "Live steam", "t", (integral("steam_flow", _DIGESTION),)),
        _PREGNANT,
        _SPENT,
    ),
    source="kg steam per kg Al2O3 dissolved; mass balance of the digestion unit",
    valid=(0.0, 10.0),
    minimum_coverage=0.9,
)
def steam_per_tonne(steam: Operand, alumina_out: Operand, alumina_in: Operand) -> Operand:
    """Digestion steam per tonne.

    Live steam to digestion per tonne of alumina dissolved. Alumina is what the liquor gains
    between spent and pregnant, expressed as Al2O3, before the losses of clarification and
    precipitation.
    """
    return steam / (alumina_out - alumina_in)
