"""Rules of wind and sun: density, normal wind speed, direction, temperature of cells."""

from kpi.derivation.level import level
from kpi.formula import Operand, cosine, exp, sine

#: Gas constants of dry air and of water vapour [J/(kg K)], IEC 61400-12-1.
_DRY_AIR = 287.058
_VAPOUR = 461.5


@level(
    unit="kg/m^3",
    operands={"temperature": "degC", "pressure": "hPa", "humidity": "percent"},
    empirical=True,
)
def air_density(temperature: Operand, pressure: Operand, humidity: Operand) -> Operand:
    """Density of moist air.

    Source: IEC 61400-12-1, with the vapour pressure 2.05e-5 exp(0.0631846 T) [Pa, K].
    """
    kelvin = temperature + 273.15
    vapour = humidity / 100.0 * 2.05e-5 * exp(0.0631846 * kelvin)
    return (pressure * 100.0 / _DRY_AIR - vapour * (1.0 / _DRY_AIR - 1.0 / _VAPOUR)) / kelvin


@level(
    unit="m/s",
    operands={"wind_speed": "m/s", "air_density": "kg/m^3"},
    constants={"reference_density": "kg/m^3"},
)
def normal_wind_speed(
    wind_speed: Operand, air_density: Operand, reference_density: Operand
) -> Operand:
    """Wind speed of as much power in air of the reference density.

    Source: IEC 61400-12-1 for turbines with active power control; 1.225 kg/m^3 at sea level.
    """
    return wind_speed * (air_density / reference_density) ** (1 / 3)


@level(unit="1", operands={"direction": "deg"}, empirical=True)
def northward(direction: Operand) -> Operand:
    """North component of the unit vector of a direction."""
    return cosine(direction)


@level(unit="1", operands={"direction": "deg"}, empirical=True)
def eastward(direction: Operand) -> Operand:
    """East component of the unit vector of a direction."""
    return sine(direction)


@level(
    unit="degC",
    operands={"irradiance": "W/m^2", "air_temperature": "degC", "wind_speed": "m/s"},
    constants={"a": "1", "b": "s/m", "delta": "delta_degC"},
    empirical=True,
)
def cell_temperature(
    *,
    irradiance: Operand,
    air_temperature: Operand,
    wind_speed: Operand,
    a: Operand,
    b: Operand,
    delta: Operand,
) -> Operand:
    """Temperature of the cells of a module, from the weather.

    Source: King et al., Sandia photovoltaic array performance model, 2004; its constants depend on
    module and mount: a -3.47, b -0.0594, delta 3 for glass, cells, glass on an open rack.
    """
    return air_temperature + irradiance * exp(a + b * wind_speed) + irradiance / 1000.0 * delta


@level(
    unit="W/m^2",
    operands={"irradiance": "W/m^2", "cell_temperature": "degC"},
    constants={"gamma": "1/delta_degC"},
    empirical=True,
)
def corrected_irradiance(irradiance: Operand, cell_temperature: Operand, gamma: Operand) -> Operand:
    """Irradiance that gives cells of 25 degC the power that these cells give.

    Source: IEC 61724-1, performance ratio at the temperature of standard test conditions.
    """
    return irradiance * (1.0 + gamma * (cell_temperature - 25.0))
