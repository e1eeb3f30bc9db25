"""The bath and the metal of a pot as the laboratory sees them: assays, and what follows from them.

A sample is taken when a pot is tapped and stands until its next tap.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from simulator.noise import FloatArray
from simulator.register import shown

#: measure: mean and spread of what the laboratory finds.
ASSAYS: Final = {
    "bath_excess_alf3": (11.0, 0.8),
    "bath_alumina": (2.6, 0.3),
    "bath_caf2": (5.0, 0.3),
    "metal_iron": (0.12, 0.035),
    "metal_silicon": (0.045, 0.015),
}
SUPERHEAT_K: Final = (8.0, 2.5)

PURITY_LIMIT: Final = 99.7
IRON_LIMIT: Final = 0.2
SILICON_LIMIT: Final = 0.1
"""P1020A of the LME [%]."""


@dataclass(frozen=True, slots=True)
class Samples:
    """The last sample of every pot; percent by mass, degC."""

    bath_temperature: FloatArray
    bath_excess_alf3: FloatArray
    bath_alumina: FloatArray
    bath_caf2: FloatArray
    metal_iron: FloatArray
    metal_silicon: FloatArray

    @property
    def superheat_k(self) -> FloatArray:
        """Bath temperature above the liquidus."""
        return self.bath_temperature - liquidus_degc(
            self.bath_excess_alf3, self.bath_alumina, self.bath_caf2
        )

    @property
    def purity(self) -> FloatArray:
        """Aluminium in the metal [%]."""
        return 100.0 - (self.metal_iron + self.metal_silicon)

    @property
    def on_grade(self) -> FloatArray:
        """1 where the metal is P1020A, else 0."""
        good = (self.purity >= PURITY_LIMIT) & (self.metal_iron <= IRON_LIMIT)
        return (good & (self.metal_silicon <= SILICON_LIMIT)).astype(np.float64)


def liquidus_degc(excess: FloatArray, alumina: FloatArray, caf2: FloatArray) -> FloatArray:
    """Where the bath begins to freeze; without lithium and potassium.

    Source: J. Min. Metall. B 2014, doaj.org/article/9f29dbb7b88b4a42a414bd756b0794ed.
    """
    result: FloatArray = (
        (1011.0 + 0.7 * excess - 0.232 * excess**2)
        + (-7.65 * alumina + 0.523 * alumina**2)
        + (-3.28 * caf2 + 0.037 * caf2**2)
        + 0.084 * excess * caf2
    )
    return result


def sample(count: int, rng: np.random.Generator) -> Samples:
    """Samples of so many pots."""
    drawn = {
        measure: shown(measure, np.maximum(rng.normal(mean, spread, count), mean / 5))
        for measure, (mean, spread) in ASSAYS.items()
    }
    liquidus = liquidus_degc(drawn["bath_excess_alf3"], drawn["bath_alumina"], drawn["bath_caf2"])
    heat = np.maximum(rng.normal(*SUPERHEAT_K, count), 0.5)
    return Samples(bath_temperature=shown("bath_temperature", liquidus + heat), **drawn)


def renewed(samples: Samples, place: int, rng: np.random.Generator) -> Samples:
    """*samples* with a new one of the pot at *place*."""
    fresh = sample(1, rng)
    columns = {}
    for measure in Samples.__dataclass_fields__:
        column: FloatArray = getattr(samples, measure).copy()
        column[place] = getattr(fresh, measure)[0]
        columns[measure] = column
    return Samples(**columns)
