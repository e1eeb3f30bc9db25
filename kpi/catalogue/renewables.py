"""Wind and solar: how much of what could be generated was."""

from kpi.formula import Operand
from kpi.kpi import Aggregate, Input, Rated, Source, declare

_UNITS = frozenset({"turbine", "inverter"})
_FARMS = frozenset({"wind_farm", "solar_farm", "renewables"})
_METERS = _UNITS | _FARMS
_TYPES = _METERS | {"site"}

_NET = Input(
    "energy",
    "Energy delivered",
    "kWh",
    (Source("energy_net", _METERS, Aggregate.TOTAL), Source("power", _UNITS, Aggregate.INTEGRAL)),
)
_METERED = Input(
    "energy", "Energy delivered", "kWh", (Source("energy_net", _METERS, Aggregate.TOTAL),)
)
_UNAVAILABLE = Input(
    "unavailable",
    "Energy lost while unavailable",
    "kWh",
    (Source("energy_unavailable", _METERS, Aggregate.TOTAL),),
)
_CURTAILED = Input(
    "curtailed",
    "Energy lost to curtailment",
    "kWh",
    (Source("energy_curtailed", _METERS, Aggregate.TOTAL),),
)


@declare(
    unit="1",
    assets=_TYPES,
    inputs=(_NET, Rated("capacity", "Energy at rated power", "kWh", "power", over="energy")),
    source="CF = E / (P rated * hours), usual in IEC 61400-26 and 61724 reporting",
    valid=(-0.05, 1.1),
    minimum_coverage=0.5,
)
def capacity_factor(energy: Operand, capacity: Operand) -> Operand:
    """Capacity factor.

    Energy delivered as share of what rated power would have given over the same time. A meter
    at the grid stands for the units behind it; without one the active power of the units is
    integrated. The hours are those that the energy covers. Negative at night, when a unit
    draws.
    """
    return energy / capacity


@declare(
    unit="1",
    assets=_TYPES,
    inputs=(_METERED, _UNAVAILABLE, _CURTAILED),
    source="IEC 61400-26 production-based; losses as OpenOA's monte carlo AEP takes them",
    valid=(0.0, 1.0),
    minimum_coverage=0.9,
)
def unavailability_loss(energy: Operand, unavailable: Operand, curtailed: Operand) -> Operand:
    """Unavailability loss.

    Energy lost while unavailable, as share of what could have been delivered.
    """
    return unavailable / (energy + unavailable + curtailed)


@declare(
    unit="1",
    assets=_TYPES,
    inputs=(_METERED, _UNAVAILABLE, _CURTAILED),
    source="IEC 61400-26 production-based; losses as OpenOA's monte carlo AEP takes them",
    valid=(0.0, 1.0),
    minimum_coverage=0.9,
)
def curtailment_loss(energy: Operand, unavailable: Operand, curtailed: Operand) -> Operand:
    """Curtailment loss.

    Energy lost to curtailment, as share of what could have been delivered.
    """
    return curtailed / (energy + unavailable + curtailed)
