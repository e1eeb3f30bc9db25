"""Fuels: what is burnt for a heat, and what that emits."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Fuel:
    """A fuel: net heating value [GJ per unit of flow], emission factor [kg CO2/GJ].

    ``gj`` is the heat [GJ] of one ``fuel_flow`` times one ``fuel_heating_value`` as tags have them:
    gas is metered in m^3/h with MJ/m^3, coal in t/h with GJ/t.
    """

    heating_value: float
    emission_factor: float
    gj: float

    def burnt(self, heat_gj_per_h: float, swing: float) -> dict[str, float]:
        """What the meters of a burner show that gives this heat; assays *swing* a little."""
        value = self.heating_value * (1 + 0.005 * swing)
        return {
            "fuel_flow": heat_gj_per_h / (value * self.gj),
            "fuel_heating_value": value,
            "fuel_emission_factor": self.emission_factor,
        }

    def amounts(self, shown: dict[str, float], hours: float) -> dict[str, float]:
        """Heat and CO2 of what the meters have *shown* for so long."""
        heat_gj = shown["fuel_flow"] * shown["fuel_heating_value"] * self.gj * hours
        return {
            "fuel_heat_gj": heat_gj,
            "fuel_co2_kg": heat_gj * shown["fuel_emission_factor"],
        }


#: Default factors of IPCC 2006, volume 2, table 2.2.
GAS: Final = Fuel(heating_value=35.8, emission_factor=56.1, gj=0.001)
COAL: Final = Fuel(heating_value=18.9, emission_factor=96.1, gj=1.0)
