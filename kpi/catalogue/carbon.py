"""The carbon of the metal: scope 1 and 2 of the site, and what a tonne of aluminium carries.

Own wind and sun behind the meter are in no scope. What was avoided elsewhere is never taken off.
Outside stay mining, transport and what is bought; a product footprint adds them from its suppliers.
"""

from kpi.catalogue.inputs import (
    EFFECT_TIME,
    GRID,
    METAL,
    NET_ANODE,
    POT_TIME,
    REFINERY_BURNERS,
    SMELTER_BURNERS,
    integral,
)
from kpi.catalogue.methodology import SMELTER_CARBON
from kpi.formula import Operand
from kpi.kpi import Input, declare

_SITE = ("site",)
_FUELS = "Fuel times net calorific value times its factor, IPCC 2006 Guidelines, volume 2"
_LOCATION = Input(
    "grid", "Emission of imported power, by location", "kg", (integral("import_emission", GRID),)
)


@declare(
    unit="t",
    assets=_SITE,
    inputs=(_LOCATION,),
    source="GHG Protocol, Scope 2 Guidance: location-based",
    valid=(0.0, 1e8),
    minimum_coverage=0.9,
)
def scope2_location(grid: Operand) -> Operand:
    """Scope 2, location-based.

    Imported power times the average emission factor of the grid, instant by instant.
    """
    return grid


@declare(
    unit="t",
    assets=_SITE,
    inputs=(
        Input(
            "market",
            "Emission of imported power, by contract",
            "kg",
            (integral("market_emission", GRID),),
        ),
    ),
    source="GHG Protocol, Scope 2 Guidance, chapter 6: market-based",
    valid=(0.0, 1e8),
    minimum_coverage=0.9,
)
def scope2_market(market: Operand) -> Operand:
    """Scope 2, market-based.

    Imported power under contract times the factor of the contract, the rest times that of the
    residual mix (rule `market_emission`). To be reported beside the location-based number.
    """
    return market


@declare(
    unit="t/t",
    assets=_SITE,
    inputs=(_LOCATION, METAL),
    source="GHG Protocol, Scope 2 Guidance: location-based, per metal tapped",
    valid=(0.0, 30.0),
    minimum_coverage=0.9,
)
def power_carbon_intensity(grid: Operand, metal: Operand) -> Operand:
    """Carbon of imported power per tonne of aluminium.

    Scope 2 of the whole site by location, per metal tapped.
    """
    return grid / metal


@declare(
    unit="t",
    assets=("refinery", "smelter", "site"),
    inputs=(
        Input(
            "fuel",
            "CO2 of fuels",
            "kg",
            (integral("fuel_emission", REFINERY_BURNERS | SMELTER_BURNERS),),
        ),
    ),
    source=_FUELS,
    valid=(0.0, 1e8),
    minimum_coverage=0.9,
)
def fuel_co2(fuel: Operand) -> Operand:
    """CO2 of fuels.

    Fuel burnt, on its net calorific value, times its emission factor.
    """
    return fuel


@declare(
    unit="t/t",
    assets=_SITE,
    inputs=(
        EFFECT_TIME,
        POT_TIME,
        *NET_ANODE,
        Input(
            "fuel",
            "CO2 of fuels",
            "kg",
            (integral("fuel_emission", REFINERY_BURNERS | SMELTER_BURNERS),),
            optional=True,
        ),
        Input(
            "grid",
            "Emission of imported power, by location",
            "kg",
            (integral("import_emission", GRID),),
            optional=True,
        ),
        METAL,
    ),
    source="IAI: PFC + anode + fuel + electricity, per metal; the gate of the site is the boundary",
    valid=(0.5, 30.0),
    minimum_coverage=0.9,
    parameter_sets=SMELTER_CARBON,
)
def carbon_intensity(
    *,
    effect_time: Operand,
    pot_time: Operand,
    anodes: Operand,
    butts: Operand,
    fuel: Operand,
    grid: Operand,
    metal: Operand,
    slope: Operand,
    c2f6_share: Operand,
    gwp_cf4: Operand,
    gwp_c2f6: Operand,
    sulfur: Operand,
    ash: Operand,
    oxidation: Operand,
) -> Operand:
    """Carbon intensity of aluminium, scope 1 and 2.

    PFC, CO2 of the anodes, CO2 of fuels and of imported power (by location) of the whole site, per
    metal tapped. The refinery is in it, whatever became of its alumina. Fuel or a grid that the
    plant does not have counts as zero.
    """
    pfc = slope * (effect_time / pot_time) * metal * (gwp_cf4 + c2f6_share * gwp_c2f6)
    anode = (anodes - butts) * (1.0 - sulfur - ash) * oxidation
    return (pfc + anode + fuel + grid) / metal


@declare(
    unit="t/t",
    assets=("smelter", "site"),
    inputs=(
        EFFECT_TIME,
        POT_TIME,
        *NET_ANODE,
        Input(
            "fuel",
            "CO2 of fuels of the smelter",
            "kg",
            (integral("fuel_emission", SMELTER_BURNERS),),
            optional=True,
        ),
        METAL,
    ),
    source="Implementing Regulation (EU) 2025/2547, Annex III, equations 59 to 63, direct",
    valid=(0.5, 10.0),
    minimum_coverage=0.9,
    parameter_sets=SMELTER_CARBON,
)
def cbam_direct_emission(
    *,
    effect_time: Operand,
    pot_time: Operand,
    anodes: Operand,
    butts: Operand,
    fuel: Operand,
    metal: Operand,
    slope: Operand,
    c2f6_share: Operand,
    gwp_cf4: Operand,
    gwp_c2f6: Operand,
    sulfur: Operand,
    ash: Operand,
    oxidation: Operand,
) -> Operand:
    """Specific direct embedded emissions (CBAM).

    Direct emissions of the smelter per metal tapped: PFC, anodes, fuels. No precursor carries any:
    alumina is none in the regulation. Sets named cbam-2025 with AR5 are those that it prescribes.
    """
    pfc = slope * (effect_time / pot_time) * metal * (gwp_cf4 + c2f6_share * gwp_c2f6)
    anode = (anodes - butts) * (1.0 - sulfur - ash) * oxidation
    return (pfc + anode + fuel) / metal
