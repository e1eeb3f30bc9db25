"""The Bayer refinery: what a tonne of alumina takes in bauxite, soda, energy and water."""

from kpi.catalogue.inputs import (
    ALUMINA,
    CALCINATION,
    IN_REFINERY,
    REFINERY_BURNERS,
    REFINERY_UNITS,
    integral,
)
from kpi.formula import Operand
from kpi.kpi import Input, declare

_DIGESTION = frozenset({"digestion"})
_EVAPORATION = frozenset({"evaporation"})
_REFINERY = frozenset({"refinery"})


@declare(
    unit="%",
    assets=("digestion", *IN_REFINERY),
    inputs=(
        Input(
            "extracted",
            "Alumina extracted",
            "t",
            (integral("extracted_alumina_flow", _DIGESTION),),
        ),
        Input(
            "offered",
            "Alumina in the bauxite",
            "t",
            (integral("bauxite_alumina_flow", _DIGESTION),),
        ),
    ),
    source="1 - (Al2O3/Fe2O3) of the mud / (Al2O3/Fe2O3) of the bauxite; Fe2O3 is the tie",
    valid=(0.0, 100.0),
    minimum_coverage=0.8,
)
def extraction_efficiency(extracted: Operand, offered: Operand) -> Operand:
    """Extraction efficiency.

    Alumina that digestion takes out of the bauxite, as share of all alumina in it, weighted by the
    bauxite fed. Of all, not of the available alumina: what is bound in silicates lowers it.
    """
    return extracted / offered


@declare(
    unit="t",
    assets=("calcination", *IN_REFINERY),
    inputs=(ALUMINA,),
    source="Totalisers behind the calciners",
    valid=(0.0, 1e7),
    minimum_coverage=0.9,
)
def alumina_production(alumina: Operand) -> Operand:
    """Alumina production.

    Alumina as it leaves the calciners, by their totalisers: what was made during an outage of the
    telemetry counts when they are read again.
    """
    return alumina


@declare(
    unit="t/t",
    assets=IN_REFINERY,
    inputs=(
        Input("bauxite", "Bauxite fed, dry", "t", (integral("bauxite_feed", _DIGESTION),)),
        ALUMINA,
    ),
    source="Dry bauxite / alumina",
    valid=(1.5, 5.0),
    minimum_coverage=0.9,
)
def bauxite_factor(bauxite: Operand, alumina: Operand) -> Operand:
    """Bauxite factor.

    Dry bauxite per tonne of alumina. From digestion to calcination alumina takes days, so the value
    holds over spans longer than that; the same is true of all that is per tonne of alumina.
    """
    return bauxite / alumina


@declare(
    unit="kg/t",
    assets=IN_REFINERY,
    inputs=(
        Input("caustic", "NaOH made up", "kg", (integral("caustic_makeup", _EVAPORATION),)),
        ALUMINA,
    ),
    source="Make-up NaOH, as 100 %, / alumina; some 100 kg/t in the world (IAI)",
    valid=(0.0, 300.0),
    minimum_coverage=0.9,
)
def caustic_consumption(caustic: Operand, alumina: Operand) -> Operand:
    """Caustic consumption.

    NaOH made up, as 100 % NaOH, per tonne of alumina.
    """
    return caustic / alumina


@declare(
    unit="GJ/t",
    assets=IN_REFINERY,
    inputs=(
        Input("heat", "Heat of fuels, net", "GJ", (integral("fuel_heat", REFINERY_BURNERS),)),
        ALUMINA,
    ),
    source="IAI: metallurgical alumina refining fuel consumption; net calorific values",
    valid=(2.0, 40.0),
    minimum_coverage=0.9,
)
def refinery_energy(heat: Operand, alumina: Operand) -> Operand:
    """Refinery fuel energy.

    Net heat of all fuels of powerhouse and calcination per tonne of alumina. Electricity from
    outside is not in it (refinery electricity has it); what the powerhouse generates is.
    """
    return heat / alumina


@declare(
    unit="kWh/t",
    assets=IN_REFINERY,
    inputs=(
        Input(
            "energy",
            "Electric energy of the refinery",
            "kWh",
            (integral("load", _REFINERY | REFINERY_UNITS),),
        ),
        ALUMINA,
    ),
    source="Electric energy drawn / alumina",
    valid=(0.0, 1000.0),
    minimum_coverage=0.9,
)
def refinery_electricity(energy: Operand, alumina: Operand) -> Operand:
    """Refinery electricity.

    Electric energy that the refinery draws per tonne of alumina.
    """
    return energy / alumina


@declare(
    unit="GJ/t",
    assets=("calcination", *IN_REFINERY),
    inputs=(
        Input("heat", "Heat of fuels, net", "GJ", (integral("fuel_heat", CALCINATION),)),
        ALUMINA,
    ),
    source="Fuel of the calciners, net, / alumina",
    valid=(2.0, 8.0),
    minimum_coverage=0.9,
)
def calciner_energy(heat: Operand, alumina: Operand) -> Operand:
    """Calciner energy.

    Net heat of the fuel of the calciners per tonne of alumina.
    """
    return heat / alumina


@declare(
    unit="t/t",
    assets=IN_REFINERY,
    inputs=(
        Input("steam", "Steam raised", "t", (integral("steam_flow", frozenset({"powerhouse"})),)),
        ALUMINA,
    ),
    source="Steam of the boilers / alumina",
    valid=(0.0, 10.0),
    minimum_coverage=0.9,
)
def refinery_steam(steam: Operand, alumina: Operand) -> Operand:
    """Refinery steam.

    Steam that the powerhouse raises per tonne of alumina.
    """
    return steam / alumina


@declare(
    unit="t/t",
    assets=("evaporation", *IN_REFINERY),
    inputs=(
        Input("water", "Water evaporated", "t", (integral("condensate_flow", _EVAPORATION),)),
        Input("steam", "Live steam", "t", (integral("steam_flow", _EVAPORATION),)),
    ),
    source="Water evaporated / live steam; about the number of effects",
    valid=(0.0, 12.0),
    minimum_coverage=0.9,
)
def evaporation_economy(water: Operand, steam: Operand) -> Operand:
    """Evaporation economy.

    Water evaporated from the liquor per live steam to the evaporators.
    """
    return water / steam


@declare(
    unit="m^3/t",
    assets=IN_REFINERY,
    inputs=(
        Input("intake", "Fresh water", "m^3", (integral("water_intake", _REFINERY),)),
        Input("discharge", "Water given back", "m^3", (integral("water_discharge", _REFINERY),)),
        ALUMINA,
    ),
    source="IAI: fresh water input less discharge, per tonne of alumina",
    valid=(-5.0, 20.0),
    minimum_coverage=0.9,
)
def water_consumption(intake: Operand, discharge: Operand, alumina: Operand) -> Operand:
    """Water consumption.

    Fresh water taken in less water given back, per tonne of alumina. Sea water for cooling goes in
    and out and is not measured here.
    """
    return (intake - discharge) / alumina
