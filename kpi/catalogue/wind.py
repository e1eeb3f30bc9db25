"""The wind at the met mast: speed in normal air, density, direction."""

from kpi.catalogue.inputs import integral, mean_of
from kpi.formula import Operand, bearing
from kpi.kpi import Input, declare

_MAST = frozenset({"met_mast"})
_TYPES = ("met_mast", "wind_farm", "renewables")


@declare(
    unit="kg/m^3",
    assets=_TYPES,
    inputs=mean_of("air_density", _MAST, "kg/m^3", "Air density"),
    source="IEC 61400-12-1, moist air",
    valid=(0.8, 1.6),
    minimum_coverage=0.8,
)
def air_density(level: Operand, time: Operand) -> Operand:
    """Air density.

    Time mean of the density by temperature, pressure and humidity (rule `air_density`).
    """
    return level / time


@declare(
    unit="m/s",
    assets=_TYPES,
    inputs=mean_of("wind_speed_normal", _MAST, "m/s", "Normal wind speed"),
    source="IEC 61400-12-1: V (rho / rho0)^(1/3)",
    valid=(0.0, 60.0),
    minimum_coverage=0.8,
)
def density_corrected_wind_speed(level: Operand, time: Operand) -> Operand:
    """Density-corrected wind speed.

    Time mean of the wind speed that carries as much power in air of the reference density (rule
    `normal_wind_speed`).
    """
    return level / time


@declare(
    unit="deg",
    assets=_TYPES,
    inputs=(
        Input("east", "East component", "s", (integral("wind_east", _MAST),)),
        Input("north", "North component", "s", (integral("wind_north", _MAST),)),
    ),
    source="Circular mean: direction of the mean of the unit vectors",
    valid=(0.0, 360.0),
    minimum_coverage=0.8,
)
def wind_direction(east: Operand, north: Operand) -> Operand:
    """Wind direction.

    Circular mean of where the wind comes from; undefined where the directions cancel out. The mean
    of 350 and 10 degrees is north, not south.
    """
    return bearing(east, north)
