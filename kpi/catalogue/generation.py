"""Wind and solar: how much of what could be generated was, and what became of the rest."""

from kpi.catalogue.inputs import FARMS, UNITS, active, covered, increase, integral, total
from kpi.formula import Operand
from kpi.kpi import Input, Rated, declare

_METERS = UNITS | FARMS
_TYPES = _METERS | {"site"}
_PRODUCTION = "IEC 61400-26 production-based; losses as OpenOA's monte carlo AEP takes them"

_NET = Input(
    "energy",
    "Energy delivered",
    "kWh",
    (total("energy_net", _METERS), integral("power", UNITS)),
)
_UNAVAILABLE = Input(
    "unavailable",
    "Energy lost while unavailable",
    "kWh",
    (total("energy_unavailable", _METERS), integral("power_unavailable", UNITS)),
)
_CURTAILED = Input(
    "curtailed",
    "Energy lost to curtailment",
    "kWh",
    (total("energy_curtailed", _METERS), integral("power_curtailed", UNITS)),
)


@declare(
    unit="MWh",
    assets=_TYPES,
    inputs=(
        Input(
            "energy",
            "Energy delivered",
            "kWh",
            (total("energy_net", _METERS), increase("energy", UNITS), integral("power", UNITS)),
        ),
    ),
    source="Meter or totaliser where there is one, else integral of the power",
    valid=(-1e6, 1e7),
    minimum_coverage=0.9,
)
def energy_delivered(energy: Operand) -> Operand:
    """Energy delivered.

    Energy at the meter of the farm, else by the totalisers of the units, else by their active
    power. A totaliser knows what was delivered during an outage of the telemetry, though not when:
    all of it counts when the totaliser is read again.
    """
    return energy


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
    inputs=(_NET, _UNAVAILABLE, _CURTAILED),
    source=_PRODUCTION,
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
    inputs=(_NET, _UNAVAILABLE, _CURTAILED),
    source=_PRODUCTION,
    valid=(0.0, 1.0),
    minimum_coverage=0.9,
)
def curtailment_loss(energy: Operand, unavailable: Operand, curtailed: Operand) -> Operand:
    """Curtailment loss.

    Energy lost to curtailment, as share of what could have been delivered.
    """
    return curtailed / (energy + unavailable + curtailed)


@declare(
    unit="1",
    assets=_TYPES,
    inputs=(_NET, _UNAVAILABLE),
    source="IEC 61400-26-1, production-based: E / (E + E lost)",
    valid=(0.0, 1.0),
    minimum_coverage=0.9,
)
def energy_availability(energy: Operand, unavailable: Operand) -> Operand:
    """Energy availability.

    Energy delivered as share of it and what was lost while unavailable. Curtailment takes no part:
    a unit that is held back is available.
    """
    return energy / (energy + unavailable)


@declare(
    unit="%",
    assets=_TYPES,
    inputs=(
        Input("available", "Time available", "h", (active("available", UNITS),)),
        Input("time", "Time known", "h", (covered("available", UNITS),)),
    ),
    source="IEC 61400-26-1, time-based: available / (available + unavailable)",
    valid=(0.0, 100.0),
    minimum_coverage=0.5,
)
def time_availability(available: Operand, time: Operand) -> Operand:
    """Time availability.

    Time that units were available as share of the time of which that is known: information
    unavailable is left out, as a category of its own. Whatever the unit calls available counts as
    such, calm and curtailment included.
    """
    return available / time
