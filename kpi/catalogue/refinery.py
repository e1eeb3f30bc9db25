"""The Bayer refinery: what a cubic metre of liquor and a tonne of steam bring."""

from kpi.formula import Operand
from kpi.kpi import Aggregate, Input, Source, declare

_DIGESTION = frozenset({"digestion"})
_TYPES = ("digestion", "refinery", "site")

_PREGNANT = Input(
    "alumina_out",
    "Alumina in the pregnant liquor",
    "kg",
    (Source("pregnant_alumina_flow", _DIGESTION, Aggregate.INTEGRAL),),
)
_SPENT = Input(
    "alumina_in",
    "Alumina in the spent liquor",
    "kg",
    (Source("spent_alumina_flow", _DIGESTION, Aggregate.INTEGRAL),),
)


@declare(
    unit="kg/m^3",
    assets=_TYPES,
    inputs=(
        _PREGNANT,
        _SPENT,
        Input(
            "liquor",
            "Pregnant liquor",
            "m^3",
            (Source("pregnant_flow", _DIGESTION, Aggregate.INTEGRAL),),
        ),
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
    unit="t/t",
    assets=_TYPES,
    inputs=(
        Input("steam", "Live steam", "t", (Source("steam_flow", _DIGESTION, Aggregate.INTEGRAL),)),
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
