"""Potlines: what the charge gives, what a tonne of aluminium costs in electricity, what runs."""

from kpi.catalogue.inputs import (
    CHARGE,
    IN_SMELTER,
    INVENTORY,
    LINE,
    METAL,
    POT,
    RECTIFIER,
    active,
    covered,
    integral,
    mean_of,
)
from kpi.catalogue.methodology import FARADAY
from kpi.formula import Operand
from kpi.kpi import Input, declare

_LINES = ("potline", "smelter", "site")
#: IAI counts what serves the pots up to the tapped metal, without carbon plant and casthouse.
_AC_SCOPE = frozenset({"rectifier", "gas_treatment", "potroom"})


@declare(
    unit="t",
    assets=IN_SMELTER,
    inputs=(CHARGE,),
    source="Faraday's law; 2.97998 kAh/kg from the SI of 2019 and IUPAC's M(Al)",
    valid=(0.0, 1e7),
    minimum_coverage=0.9,
    parameter_sets=(FARADAY,),
)
def faraday_production(charge: Operand, yield_: Operand) -> Operand:
    """Faraday production.

    Metal that the charge would make at 100 % current efficiency. Only pots in operation count: a
    pot that is cut out makes no metal although the line current flows past it.
    """
    return yield_ * charge


@declare(
    unit="%",
    assets=IN_SMELTER,
    inputs=(METAL, INVENTORY, CHARGE),
    source="Faraday's law; IAI definition of current efficiency over metal made",
    valid=(50.0, 100.0),
    minimum_coverage=0.9,
    parameter_sets=(FARADAY,),
)
def current_efficiency(
    metal: Operand, inventory: Operand, charge: Operand, yield_: Operand
) -> Operand:
    """Current efficiency.

    Metal made as share of the metal that the charge could make. Made is what was tapped and what
    the metal left in the pots gained; where that is not measured, it is left out, and the value
    holds over months alone. The line current flows through every pot of the line in turn, so it
    counts once a pot, for pots in operation.
    """
    return (metal + inventory) / (yield_ * charge)


@declare(
    unit="kWh/t",
    assets=IN_SMELTER,
    inputs=(
        Input("energy", "DC energy of the pots", "kWh", (integral("power", POT),)),
        METAL,
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
    unit="kWh/t",
    assets=_LINES,
    inputs=(
        Input("energy", "AC energy of the potlines", "kWh", (integral("load", _AC_SCOPE),)),
        METAL,
    ),
    source="IAI: primary aluminium smelting energy intensity, AC",
    valid=(9000.0, 30000.0),
    minimum_coverage=0.9,
)
def ac_specific_energy(energy: Operand, metal: Operand) -> Operand:
    """AC specific energy.

    AC energy per tonne of metal tapped: rectifiers, gas treatment and potroom services. Casthouse
    and carbon plant are left out, as the IAI's definition wants it.
    """
    return energy / metal


@declare(
    unit="%",
    assets=("rectifier", *_LINES),
    inputs=(
        Input("dc", "DC energy behind the rectifiers", "kWh", (integral("dc_power", RECTIFIER),)),
        Input("ac", "AC energy of the rectifiers", "kWh", (integral("load", RECTIFIER),)),
    ),
    source="E DC / E AC, both at the terminals of the rectifier",
    valid=(90.0, 100.0),
    minimum_coverage=0.9,
)
def rectification_efficiency(dc: Operand, ac: Operand) -> Operand:
    """Rectification efficiency.

    DC energy behind the rectifiers per AC energy that they draw, transformer losses included.
    """
    return dc / ac


@declare(
    unit="kA",
    assets=_LINES,
    inputs=mean_of("line_current", LINE, "kA", "Line current"),
    source="Time-weighted mean; OPC 10000-13 TimeAverage2",
    valid=(0.0, 1000.0),
    minimum_coverage=0.9,
)
def line_current(level: Operand, time: Operand) -> Operand:
    """Line current.

    Time mean of the line current; over several lines the mean of the lines.
    """
    return level / time


@declare(
    unit="%",
    assets=_LINES,
    inputs=(
        Input("charge", "Charge of the lines", "kA h", (integral("line_current", LINE),)),
        Input("target", "Charge at the set current", "kA h", (integral("current_target", LINE),)),
    ),
    source="I / I set over time",
    valid=(0.0, 110.0),
    minimum_coverage=0.9,
)
def load_factor(charge: Operand, target: Operand) -> Operand:
    """Load factor.

    Line current as share of what the line was set to. Under power modulation the target moves, so
    a line that follows it has 100 %.
    """
    return charge / target


@declare(
    unit="d",
    assets=IN_SMELTER,
    inputs=(Input("time", "Time in operation", "d", (active("operating", POT),)),),
    source="Pot-days: sum over pots of the time in operation",
    valid=(0.0, 1e6),
    minimum_coverage=0.9,
)
def pots_operating(time: Operand) -> Operand:
    """Pot-days in operation.

    Time that pots were in circuit and making metal. Over one day it is the number of pots.
    """
    return time


@declare(
    unit="%",
    assets=IN_SMELTER,
    inputs=(
        Input("time", "Time in operation", "d", (active("operating", POT),)),
        Input("installed", "Time of the pots installed", "d", (covered("operating", POT),)),
    ),
    source="Pot-days operated / pot-days installed",
    valid=(0.0, 100.0),
    minimum_coverage=0.9,
)
def pot_availability(time: Operand, installed: Operand) -> Operand:
    """Pot availability.

    Pot-days in operation as share of the pot-days of all pots installed.
    """
    return time / installed
