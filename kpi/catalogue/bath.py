"""The bath: superheat and acidity. Means over time, of pots between two analyses as the last."""

from kpi.catalogue.inputs import IN_SMELTER, POT, mean_of
from kpi.formula import Operand
from kpi.kpi import declare


@declare(
    unit="delta_degC",
    assets=IN_SMELTER,
    inputs=mean_of("superheat", POT, "delta_degC", "Superheat"),
    source="J. Min. Metall. B 2014, doaj.org/article/9f29dbb7b88b4a42a414bd756b0794ed (liquidus)",
    valid=(-20.0, 60.0),
    minimum_coverage=0.8,
)
def superheat(level: Operand, time: Operand) -> Operand:
    """Superheat.

    Time mean of the bath temperature above the liquidus, by the rule `superheat`. Below zero the
    side ledge and the bath freeze.
    """
    return level / time


@declare(
    unit="%",
    assets=IN_SMELTER,
    inputs=mean_of("bath_excess_alf3", POT, "percent", "Excess AlF3"),
    source="S (1.5 - BR) / (1.5 (1 + BR)), S what is neither NaF nor AlF3 taken off",
    valid=(-5.0, 25.0),
    minimum_coverage=0.8,
)
def excess_alf3(level: Operand, time: Operand) -> Operand:
    """Excess aluminium fluoride.

    Time mean of the AlF3 of the bath beyond cryolite, by mass.
    """
    return level / time
