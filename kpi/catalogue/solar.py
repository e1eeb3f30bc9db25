"""Photovoltaics: energy against the sun that fell on the modules."""

from kpi.catalogue.inputs import integral, total
from kpi.formula import Operand
from kpi.kpi import Amount, Constant, Input, ParameterSet, Source, declare

_FARM = frozenset({"solar_farm"})
_INVERTER = frozenset({"inverter"})
_TYPES = ("inverter", "solar_farm", "renewables")

_STANDARD = ParameterSet(
    "iec-61724-1",
    "IEC 61724-1: 1000 W/m^2 at standard test conditions",
    {"standard": Constant(1000.0, "W/m^2")},
)
_ENERGY = Input(
    "energy",
    "Energy delivered, AC",
    "kWh",
    (total("energy_net", _FARM), integral("power", _INVERTER)),
)


def _sun(measure: str, title: str) -> Input:
    """Irradiation times the peak power of the modules under it."""
    source = Source(measure, _FARM, Amount.INTEGRAL, rated="dc_power")
    return Input("sun", title, "kWh * W/m^2", (source,))


@declare(
    unit="1",
    assets=_TYPES,
    inputs=(_ENERGY, _sun("irradiance", "Irradiation times peak power")),
    source="IEC 61724-1: PR = (E / P0) / (H / G stc)",
    valid=(0.0, 1.1),
    minimum_coverage=0.8,
    parameter_sets=(_STANDARD,),
)
def performance_ratio(energy: Operand, sun: Operand, standard: Operand) -> Operand:
    """Performance ratio.

    Energy delivered as share of what modules at their peak power would give under the same sun. The
    irradiation of each farm counts by the peak power of its inverters, so that farms add up.
    """
    return energy / (sun / standard)


@declare(
    unit="1",
    assets=_TYPES,
    inputs=(_ENERGY, _sun("irradiance_corrected", "Irradiation at 25 degC times peak power")),
    source="IEC 61724-1: performance ratio corrected to 25 degC",
    valid=(0.0, 1.2),
    minimum_coverage=0.8,
    parameter_sets=(_STANDARD,),
)
def performance_ratio_corrected(energy: Operand, sun: Operand, standard: Operand) -> Operand:
    """Performance ratio at 25 degC.

    As performance ratio, with the irradiation reduced by what the heat of the cells takes of their
    power (rule `corrected_irradiance`). The reference is 25 degC: corrected to the mean cell
    temperature of the same span, it would be the plain ratio again.
    """
    return energy / (sun / standard)
