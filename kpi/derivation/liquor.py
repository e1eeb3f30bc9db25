"""Rules of the Bayer circuit: what digestion takes up and precipitation gives."""

from kpi.derivation.level import level
from kpi.formula import Operand

_CONCENTRATION = "kg/m^3"


@level(
    unit="kg/h",
    operands={
        "flow": "m^3/h",
        "feed_alumina": _CONCENTRATION,
        "feed_caustic": _CONCENTRATION,
        "spent_alumina": _CONCENTRATION,
        "spent_caustic": _CONCENTRATION,
    },
)
def precipitated(
    flow: Operand,
    feed_alumina: Operand,
    feed_caustic: Operand,
    spent_alumina: Operand,
    spent_caustic: Operand,
) -> Operand:
    """Alumina that precipitation takes out of the liquor.

    C (A/C in - A/C out) by the volume at the feed. Caustic does not precipitate, so it is the tie:
    with the ratio A/C of the spent liquor, evaporation and dilution on the way do not count.
    """
    return flow * (feed_alumina - feed_caustic * spent_alumina / spent_caustic)


@level(
    unit="t/h*percent",
    operands={
        "bauxite": "t/h",
        "bauxite_alumina": "percent",
        "bauxite_iron": "percent",
        "mud_alumina": "percent",
        "mud_iron": "percent",
    },
)
def extracted(
    bauxite: Operand,
    bauxite_alumina: Operand,
    bauxite_iron: Operand,
    mud_alumina: Operand,
    mud_iron: Operand,
) -> Operand:
    """Alumina that digestion takes out of the bauxite.

    Fe2O3 does not dissolve, so it is the tie: what alumina is with it in the mud was not extracted.
    """
    return bauxite * (bauxite_alumina - bauxite_iron * mud_alumina / mud_iron)
