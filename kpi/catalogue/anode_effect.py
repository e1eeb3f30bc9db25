"""Anode effects: how often, how long, how high.

They are found in the voltage of each pot by the rule `anode_effect` (`kpi.derivation.detection`),
whose threshold and times stand with the tag; where that tag is missing, the flag of the pot
controller is taken. Pot-days are those in operation, not those installed.
"""

from kpi.catalogue.inputs import EFFECT_TIME, IN_SMELTER, POT, POT_TIME, activations, integral
from kpi.formula import Operand
from kpi.kpi import Input, declare

_EFFECTS = Input(
    "effects",
    "Anode effects",
    "1",
    (activations("anode_effect_by_voltage", POT), activations("anode_effect", POT)),
)


@declare(
    unit="1/d",
    assets=IN_SMELTER,
    inputs=(_EFFECTS, POT_TIME),
    source="Implementing Regulation (EU) 2025/2547, Annex II, B.7; EPA and IAI protocol of 2008",
    valid=(0.0, 20.0),
    minimum_coverage=0.9,
)
def anode_effect_frequency(effects: Operand, pot_time: Operand) -> Operand:
    """Anode effect frequency.

    Anode effects per pot-day. One that began before the span counts where it began.
    """
    return effects / pot_time


@declare(
    unit="min",
    assets=IN_SMELTER,
    inputs=(EFFECT_TIME, _EFFECTS),
    source="Implementing Regulation (EU) 2025/2547, Annex II, B.7; EPA and IAI protocol of 2008",
    valid=(0.0, 120.0),
    minimum_coverage=0.9,
)
def anode_effect_duration(effect_time: Operand, effects: Operand) -> Operand:
    """Anode effect duration.

    Mean duration of an anode effect; undefined without one.
    """
    return effect_time / effects


@declare(
    unit="min/d",
    assets=IN_SMELTER,
    inputs=(EFFECT_TIME, POT_TIME),
    source="Implementing Regulation (EU) 2025/2547, Annex II, equation 23: AEM = AEF AED",
    valid=(0.0, 1440.0),
    minimum_coverage=0.9,
)
def anode_effect_minutes(effect_time: Operand, pot_time: Operand) -> Operand:
    """Anode effect minutes per pot-day.

    Time in anode effects per time of the pots in operation: frequency times duration.
    """
    return effect_time / pot_time


@declare(
    unit="mV",
    assets=IN_SMELTER,
    inputs=(
        Input("overvoltage", "Overvoltage, integrated", "mV * d", (integral("overvoltage", POT),)),
        POT_TIME,
    ),
    source="Implementing Regulation (EU) 2025/2547, Annex II, B.7.2",
    valid=(-100.0, 1000.0),
    minimum_coverage=0.9,
)
def anode_effect_overvoltage(overvoltage: Operand, pot_time: Operand) -> Operand:
    """Anode effect overvoltage.

    Voltage above the target during anode effects, integrated, per time of the pots in operation.
    What is below the target counts against it (algebraic overvoltage).
    """
    return overvoltage / pot_time
