"""Every KPI of the park by its id."""

from collections.abc import Mapping
from typing import Final

from kpi.catalogue import (
    anode_effect,
    bath,
    carbon,
    emission,
    general,
    generation,
    grid,
    liquor,
    material,
    potline,
    refinery,
    residue,
    solar,
    voltage,
    wind,
)
from kpi.kpi import Kpi

#: From the pot to the site.
AREAS: Final = (
    potline,
    voltage,
    anode_effect,
    emission,
    material,
    bath,
    liquor,
    refinery,
    residue,
    generation,
    wind,
    solar,
    grid,
    carbon,
    general,
)

KPIS: Final[Mapping[str, Kpi]] = {
    kpi.id: kpi for area in AREAS for kpi in vars(area).values() if isinstance(kpi, Kpi)
}
