"""What the pots emit: perfluorocarbons by anode effects, carbon dioxide by the anodes.

Emissions by the slope are taken of the whole span and of all pots asked about: anode effect minutes
are weighted by pot-days, then multiplied by the metal. Where lines or months differ in minutes and
in metal at once, the sum of the parts differs a little from the whole; a regulator's number is the
sum of the months of each line (40 CFR 98.63, equation F-1).
"""

from kpi.catalogue.inputs import (
    CHARGE,
    EFFECT_TIME,
    IN_SMELTER,
    METAL,
    NET_ANODE,
    POT,
    POT_TIME,
    integral,
)
from kpi.catalogue.methodology import ANODE_CARBON, FARADAY, OVERVOLTAGES, PFC, SLOPES, joined, only
from kpi.formula import Operand
from kpi.kpi import Input, declare

_OVERVOLTAGE = Input(
    "overvoltage", "Overvoltage, integrated", "mV * d", (integral("overvoltage", POT),)
)


@declare(
    unit="kg",
    assets=IN_SMELTER,
    inputs=(EFFECT_TIME, POT_TIME, METAL),
    source="Implementing Regulation (EU) 2025/2547, Annex II, equation 21; 40 CFR 98.63, F-2",
    valid=(0.0, 1e7),
    minimum_coverage=0.9,
    parameter_sets=only(SLOPES, "slope"),
)
def cf4_emission(
    effect_time: Operand, pot_time: Operand, metal: Operand, slope: Operand
) -> Operand:
    """CF4 by the slope.

    Slope times anode effect minutes per pot-day times metal.
    """
    return slope * (effect_time / pot_time) * metal


@declare(
    unit="kg",
    assets=IN_SMELTER,
    inputs=(EFFECT_TIME, POT_TIME, METAL),
    source="Implementing Regulation (EU) 2025/2547, Annex II, equation 22; 40 CFR 98.63, F-2",
    valid=(0.0, 1e7),
    minimum_coverage=0.9,
    parameter_sets=SLOPES,
)
def c2f6_emission(
    effect_time: Operand,
    pot_time: Operand,
    metal: Operand,
    slope: Operand,
    c2f6_share: Operand,
) -> Operand:
    """C2F6 by the slope.

    CF4 by the slope, times the ratio of the two by mass.
    """
    return slope * (effect_time / pot_time) * metal * c2f6_share


@declare(
    unit="kg",
    assets=IN_SMELTER,
    inputs=(
        _OVERVOLTAGE,
        POT_TIME,
        # In kg as the yield is, so that the current efficiency below is what it says.
        Input("metal", "Metal tapped", "kg", METAL.sources),
        CHARGE,
    ),
    source="Implementing Regulation (EU) 2025/2547, Annex II, equation 24; 40 CFR 98.63, F-3",
    valid=(0.0, 1e7),
    minimum_coverage=0.9,
    parameter_sets=tuple(
        joined(given, FARADAY, name=given.name) for given in only(OVERVOLTAGES, "coefficient")
    ),
)
def cf4_emission_by_overvoltage(
    *,
    overvoltage: Operand,
    pot_time: Operand,
    metal: Operand,
    charge: Operand,
    coefficient: Operand,
    yield_: Operand,
) -> Operand:
    """CF4 by the overvoltage.

    Coefficient times overvoltage per current efficiency, times metal. The coefficient wants the
    current efficiency in per cent: 95, not 0.95.
    """
    efficiency_percent = 100.0 * metal / (yield_ * charge)
    return coefficient * (overvoltage / pot_time) / efficiency_percent * metal


@declare(
    unit="t/t",
    assets=IN_SMELTER,
    inputs=(EFFECT_TIME, POT_TIME),
    source="Implementing Regulation (EU) 2025/2547, Annex II, equations 21, 22 and 26",
    valid=(0.0, 20.0),
    minimum_coverage=0.9,
    parameter_sets=PFC,
)
def pfc_intensity(
    *,
    effect_time: Operand,
    pot_time: Operand,
    slope: Operand,
    c2f6_share: Operand,
    gwp_cf4: Operand,
    gwp_c2f6: Operand,
) -> Operand:
    """PFC per tonne of aluminium, CO2e.

    CF4 and C2F6 by the slope, each times its global warming potential. Metal takes no part: the
    slope is per tonne.
    """
    return slope * (effect_time / pot_time) * (gwp_cf4 + c2f6_share * gwp_c2f6)


@declare(
    unit="t",
    assets=IN_SMELTER,
    inputs=(EFFECT_TIME, POT_TIME, METAL),
    source="Implementing Regulation (EU) 2025/2547, Annex II, equations 21, 22 and 26",
    valid=(0.0, 1e7),
    minimum_coverage=0.9,
    parameter_sets=PFC,
)
def pfc_emission(
    *,
    effect_time: Operand,
    pot_time: Operand,
    metal: Operand,
    slope: Operand,
    c2f6_share: Operand,
    gwp_cf4: Operand,
    gwp_c2f6: Operand,
) -> Operand:
    """PFC emission, CO2e.

    CF4 and C2F6 by the slope, each times its global warming potential.
    """
    return slope * (effect_time / pot_time) * metal * (gwp_cf4 + c2f6_share * gwp_c2f6)


@declare(
    unit="t",
    assets=IN_SMELTER,
    inputs=NET_ANODE,
    source="IPCC 2006 Guidelines, volume 3, equation 4.21; 40 CFR 98.63, F-5",
    valid=(0.0, 1e7),
    minimum_coverage=0.9,
    parameter_sets=ANODE_CARBON,
)
def anode_co2(
    *, anodes: Operand, butts: Operand, sulfur: Operand, ash: Operand, oxidation: Operand
) -> Operand:
    """CO2 of the anodes.

    Net carbon of prebaked anodes, less sulfur and ash, burnt to CO2. Pitch volatiles and packing
    coke of the baking furnace are not in it.
    """
    return (anodes - butts) * (1.0 - sulfur - ash) * oxidation


@declare(
    unit="t/t",
    assets=IN_SMELTER,
    inputs=(*NET_ANODE, METAL),
    source="IPCC 2006 Guidelines, volume 3, equation 4.21; 40 CFR 98.63, F-5",
    valid=(0.5, 4.0),
    minimum_coverage=0.9,
    parameter_sets=ANODE_CARBON,
)
def anode_co2_intensity(
    *,
    anodes: Operand,
    butts: Operand,
    metal: Operand,
    sulfur: Operand,
    ash: Operand,
    oxidation: Operand,
) -> Operand:
    """CO2 of the anodes per tonne of aluminium.

    As CO2 of the anodes, per metal tapped. Anodes are set every few weeks: the value holds over
    spans longer than that.
    """
    return (anodes - butts) * (1.0 - sulfur - ash) * oxidation / metal
