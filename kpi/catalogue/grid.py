"""The site between its generation, its batteries and the grid: what matches when.

Everything that says how green the power was is settled hour by hour (UTC): the surplus of a windy
hour is no help to a calm one. The volumetric share, which lets it help, stands beside it.
"""

from typing import Final

from kpi.catalogue.inputs import (
    BATTERY,
    CHARGED,
    DISCHARGED,
    EXPORT,
    GENERATION,
    GRID,
    IMPORT,
    LOAD,
    integral,
    total,
)
from kpi.formula import Operand, minimum, positive
from kpi.kpi import Input, Settled, declare

_SITE = ("site",)
_MATCHING = "Xu, Jenkins: Electricity system and market impacts of 24/7 CFE, 2021; Google, 24/7 CFE"


def _matched(load: Operand, generation: Operand, charged: Operand, discharged: Operand) -> Operand:
    return minimum(load, positive(generation - charged + discharged))


def _carbon_free(
    *,
    load: Operand,
    generation: Operand,
    exported: Operand,
    carbon_free_import: Operand,
    charged: Operand,
    discharged: Operand,
) -> Operand:
    return minimum(load, generation - exported + carbon_free_import - charged + discharged)


CARBON_FREE_IMPORT: Final = Input(
    "carbon_free_import",
    "Carbon-free energy from the grid",
    "kWh",
    (integral("carbon_free_import", GRID),),
)
#: What is settled hour by hour, with what it is settled from.
MATCHED: Final = (
    LOAD,
    GENERATION,
    CHARGED,
    DISCHARGED,
    Settled("matched", "Consumption met within the hour", "kWh", _matched),
)
CARBON_FREE: Final = (
    LOAD,
    GENERATION,
    EXPORT,
    CARBON_FREE_IMPORT,
    CHARGED,
    DISCHARGED,
    Settled("carbon_free", "Consumption met carbon-free within the hour", "kWh", _carbon_free),
)


@declare(
    unit="%",
    assets=_SITE,
    inputs=MATCHED,
    source="Sum over hours of min(load, renewable) / sum of load",
    valid=(0.0, 100.0),
    minimum_coverage=0.9,
)
def hourly_matched_share(matched: Operand, load: Operand) -> Operand:
    """Hourly matched renewable share.

    Consumption that the site's own wind, sun and batteries meet within the same hour, as share of
    all consumption. A battery moves energy between hours; what it discharges counts as renewable,
    which is true as far as it was charged from wind and sun.
    """
    return matched / load


@declare(
    unit="%",
    assets=_SITE,
    inputs=(GENERATION, LOAD),
    source="Annual (volumetric) matching: sum of renewable / sum of load",
    valid=(0.0, 1000.0),
    minimum_coverage=0.9,
)
def volumetric_renewable_share(generation: Operand, load: Operand) -> Operand:
    """Volumetric renewable share.

    Renewable energy generated as share of consumption over the whole span, whenever it was. Above
    100 % more was generated than consumed.
    """
    return generation / load


@declare(
    unit="1",
    assets=_SITE,
    inputs=(
        GENERATION,
        IMPORT,
        Input(
            "renewable_import",
            "Renewable energy from the grid",
            "kWh",
            (integral("renewable_import", GRID),),
        ),
    ),
    source="Renewable share of all energy supplied, as MVS defines its renewable factor",
    valid=(0.0, 1.0),
    minimum_coverage=0.9,
)
def renewable_factor(generation: Operand, imported: Operand, renewable_import: Operand) -> Operand:
    """Renewable factor.

    Renewable energy of the site and of the grid, as share of all energy supplied.
    """
    return (generation + renewable_import) / (generation + imported)


@declare(
    unit="%",
    assets=_SITE,
    inputs=CARBON_FREE,
    source=_MATCHING,
    valid=(0.0, 100.0),
    minimum_coverage=0.9,
)
def carbon_free_score(carbon_free: Operand, load: Operand) -> Operand:
    """24/7 carbon-free energy score.

    Of each hour the generation that stays on site and the carbon-free part of the import, battery
    included, at most as much as was consumed; summed over the hours, as share of all consumption.
    """
    return carbon_free / load


@declare(
    unit="%",
    assets=_SITE,
    inputs=(GENERATION, EXPORT),
    source="Energy used on site / energy generated",
    valid=(0.0, 100.0),
    minimum_coverage=0.9,
)
def self_consumption(generation: Operand, exported: Operand) -> Operand:
    """Self-consumption.

    Generation that is not exported, as share of the generation.
    """
    return (generation - exported) / generation


@declare(
    unit="%",
    assets=_SITE,
    inputs=(LOAD, IMPORT),
    source="Energy from the site / energy consumed",
    valid=(-50.0, 100.0),
    minimum_coverage=0.9,
)
def self_sufficiency(load: Operand, imported: Operand) -> Operand:
    """Self-sufficiency.

    Consumption that is not imported, as share of the consumption. Energy that was imported to
    charge a battery counts as imported.
    """
    return (load - imported) / load


@declare(
    unit="%",
    assets=("battery", "renewables", "site"),
    inputs=(
        Input("charged", "Energy in", "kWh", (integral("charge_power", BATTERY),)),
        Input("discharged", "Energy out", "kWh", (integral("discharge_power", BATTERY),)),
        Input("stored", "Gain of stored energy", "kWh", (total("stored_energy_change", BATTERY),)),
    ),
    source="E out / (E in - gain of stored energy), AC",
    valid=(50.0, 100.0),
    minimum_coverage=0.9,
)
def battery_round_trip(charged: Operand, discharged: Operand, stored: Operand) -> Operand:
    """Battery round-trip efficiency.

    Energy out of the battery per energy into it, both AC. What the battery still holds more than
    at the start is taken off what went in. The correction takes stored energy for its own worth at
    the input, so it should be small beside the throughput: days, not hours.
    """
    return discharged / (charged - stored)
