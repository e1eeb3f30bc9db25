"""Every KPI of the park by its id."""

from collections.abc import Mapping
from typing import Final

from kpi.catalogue import potline, refinery, renewables
from kpi.kpi import Kpi

KPIS: Final[Mapping[str, Kpi]] = {
    kpi.id: kpi
    for area in (potline, refinery, renewables)
    for kpi in vars(area).values()
    if isinstance(kpi, Kpi)
}
