"""``[[target]]`` of a plant file: what KPIs at assets should come to."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from itertools import pairwise
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from schemas.errors import PlantError, nearest
from schemas.plant.model import Plant
from schemas.plant.ranges import expand
from schemas.plant.targets import Better, Target


class TargetTable(BaseModel):
    """``[[target]]``: of a KPI at assets. Paths may have ranges."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    kpi: str = Field(min_length=1)
    asset: str
    value: float
    better: Better
    valid_from: date
    valid_to: date | None = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.valid_to is not None and self.valid_to <= self.valid_from:
            raise ValueError("valid_to is the first day without it: it comes after valid_from")
        return self


def targets(tables: Sequence[TargetTable], plant: Plant, origin: str) -> tuple[Target, ...]:
    """The targets that *tables* stand for, those of each KPI and asset by their dates.

    Raises
    ------
    PlantError
        An asset is not in *plant*, or two targets of a KPI are valid on one day.
    """
    found: dict[tuple[str, str], list[Target]] = defaultdict(list)
    for table in sorted(tables, key=lambda table: table.valid_from):
        for path in expand(table.asset):
            if path not in plant.assets:
                raise PlantError(f"{origin}: target", path, nearest(path, plant.assets))
            one = Target(
                table.kpi, path, table.value, table.better, table.valid_from, table.valid_to
            )
            found[table.kpi, path].append(one)
    for (kpi, path), several in found.items():
        for earlier, later in pairwise(several):
            if earlier.is_valid(later.valid_from):
                right = "end the one before it there by valid_to: one target is valid on a day"
                at = f"{origin}: target {kpi}@{path} valid_from"
                raise PlantError(at, later.valid_from.isoformat(), right)
    return tuple(one for several in found.values() for one in several)
