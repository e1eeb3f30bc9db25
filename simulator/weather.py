"""The sky over the plant: where the sun stands, how warm and how dense the air is."""

from dataclasses import dataclass
from math import asin, atan2, cos, degrees, pi, radians, sin
from typing import Any, TypeAlias

import numpy as np

Level: TypeAlias = Any
"""A number or an array of them."""

_J2000_MS = 946_728_000_000
"""2000-01-01 12:00 UTC."""

_DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class Site:
    """A place on Earth and its climate: degrees north and east, degC, kPa."""

    latitude: float
    longitude: float
    mean_degc: float
    summer_swing_degc: float
    pressure_kpa: float


PAVLODAR = Site(52.3, 77.0, mean_degc=3.5, summer_swing_degc=19.5, pressure_kpa=100.0)


@dataclass(frozen=True, slots=True)
class Sun:
    """Declination and hour angle of the sun [rad]; the hour angle is 0 at true noon."""

    declination: float
    hour_angle: float

    def sine_of_elevation(self, site: Site) -> float:
        """Sine of the sun's height over the horizon; negative at night."""
        return self.cosine_of_incidence(site, tilt=0.0)

    def cosine_of_incidence(self, site: Site, tilt: float) -> float:
        """Cosine between the sun and the normal of a plane tilted [deg] towards the equator.

        A plane tilted by t at latitude L lies parallel to the ground at latitude L - t.
        """
        latitude = radians(site.latitude - tilt)
        return sin(latitude) * sin(self.declination) + cos(latitude) * cos(self.declination) * cos(
            self.hour_angle
        )


def sun(ts_ms: int, site: Site) -> Sun:
    """Where the sun stands at *ts_ms* [ms].

    Low-precision formulas of the Astronomical Almanac (good to 0.01 deg between 1950 and 2050).
    """
    days = (ts_ms - _J2000_MS) / _DAY_MS
    anomaly = radians((357.528 + 0.9856003 * days) % 360)
    mean_longitude = 280.460 + 0.9856474 * days
    longitude = radians(mean_longitude + 1.915 * sin(anomaly) + 0.020 * sin(2 * anomaly))
    obliquity = radians(23.439 - 0.0000004 * days)
    right_ascension = atan2(cos(obliquity) * sin(longitude), cos(longitude))
    sidereal = radians((18.697374558 + 24.06570982441908 * days) * 15 % 360 + site.longitude)
    return Sun(
        declination=asin(sin(obliquity) * sin(longitude)),
        hour_angle=(sidereal - right_ascension + pi) % (2 * pi) - pi,
    )


def air_degc(position: Sun, site: Site) -> float:
    """Temperature of the air [degC]: the season by declination, the day with the hour angle.

    The warmest hour comes some two hours (0.5 rad) after noon. Weather is left out.
    """
    season = degrees(position.declination) / 23.44
    return site.mean_degc + site.summer_swing_degc * season + 5.0 * cos(position.hour_angle - 0.5)


def air_density(degc: Level, pressure_kpa: Level, humidity: Level = 0.5) -> Level:
    """Density of moist air [kg/m^3] (IEC 61400-12-1, equation for air density)."""
    kelvin = degc + 273.15
    vapour_pa = 0.0000205 * np.exp(0.0631846 * kelvin)
    dry, vapour = 287.058, 461.5
    return (1000 * pressure_kpa / dry - humidity * vapour_pa * (1 / dry - 1 / vapour)) / kelvin
