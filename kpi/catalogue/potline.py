"""Potlines: what a tonne of aluminium costs in electricity, and what a kiloampere-hour gives."""

from kpi.formula import Operand
from kpi.kpi import Aggregate, Constant, Input, ParameterSet, Source, declare

_POTS = frozenset({"pot"})
_LINES = frozenset({"potline"})
_TYPES = ("pot", "potline", "smelter", "site")

_METAL = Input("metal", "Metal tapped", "kg", (Source("metal_tapped", _POTS, Aggregate.TOTAL),))

FARADAY = ParameterSet(
    "faraday-2019",
    "M(Al) 26.9815384 g/mol (IUPAC), 3 electrons, F = e N_A of the SI of 2019",
    {
        "yield_": Constant(
            26.9815384e-3 * 3.6e6 / (3 * 1.602176634e-19 * 6.02214076e23), "kg/(kA h)"
        )
    },
)


@declare(
    unit="kWh/t",
    assets=_TYPES,
    inputs=(
        Input(
            "energy", "DC energy of the pots", "kWh", (Source("power", _POTS, Aggregate.INTEGRAL),)
        ),
        _METAL,
    ),
    source="Light Metals practice: e = integral of V I dt / m; 2.97998 V / CE in steady operation",
    valid=(9000.0, 25000.0),
    minimum_coverage=0.9,
)
def dc_specific_energy(energy: Operand, metal: Operand) -> Operand:
    """DC specific energy.

    DC energy per tonne of metal tapped. The energy is that of the pots, V I integrated over
    time; drops of the busbars between pots are in it as far as the pot voltage is measured from
    pot to pot. Metal is counted when it is tapped: over spans shorter than a round of taps the
    value moves with the taps, not with the process.
    """
    return energy / metal


@declare(
    unit="%",
    assets=_TYPES,
    inputs=(
        _METAL,
        Input(
            "charge",
            "Charge through the pots",
            "kA h",
            (Source("line_current", _LINES, Aggregate.INTEGRAL, per="pot"),),
        ),
    ),
    source="Faraday's law; IAI definition of current efficiency over metal tapped",
    valid=(50.0, 100.0),
    minimum_coverage=0.9,
    parameter_sets=(FARADAY,),
)
def current_efficiency(metal: Operand, charge: Operand, yield_: Operand) -> Operand:
    """Current efficiency.

    Metal tapped as share of the metal that the charge could make. The line current flows
    through every pot of the line in turn, so it counts once a pot; all pots of the plant model
    are taken to be in circuit. Metal is counted when it is tapped, so the value holds over
    months; over days the metal left in the pots shows.
    """
    return metal / (yield_ * charge)
