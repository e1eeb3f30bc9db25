"""``[[alarm]]`` of a plant file: limits of tags, or of KPIs at assets."""

from collections.abc import Iterator, Sequence
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from schemas.errors import PlantError, nearest
from schemas.plant.alarms import AlarmLimit, Bound, Priority
from schemas.plant.model import Plant
from schemas.plant.ranges import expand


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class LimitTable(_Table):
    """``high = { limit = 5.0, priority = "medium" }`` of an alarm."""

    limit: float
    priority: Priority


class AlarmTable(_Table):
    """``[[alarm]]``: the limits of tags, or of a KPI at assets. Paths may have ranges."""

    tag: str | None = None
    kpi: str | None = None
    asset: str | None = None
    window_s: float = Field(default=3600.0, ge=60, le=31 * 86400)
    low_low: LimitTable | None = None
    low: LimitTable | None = None
    high: LimitTable | None = None
    high_high: LimitTable | None = None
    on_delay_s: float = Field(default=0.0, ge=0)
    off_delay_s: float = Field(default=0.0, ge=0)
    deadband: float = Field(default=0.0, ge=0)
    group: str | None = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        if (self.tag is None) == (self.kpi is None) or (self.kpi is None) != (self.asset is None):
            raise ValueError("name a tag, or a kpi with its asset")
        given = [one.limit for _, one in self.limits()]
        if not given:
            raise ValueError("give a limit: low_low, low, high or high_high")
        if given != sorted(set(given)):
            raise ValueError("limits rise from low_low to high_high")
        return self

    def limits(self) -> Iterator[tuple[Bound, LimitTable]]:
        """The limits that are given, from the lowest bound to the highest."""
        for bound in Bound:
            one: LimitTable | None = getattr(self, bound.value)
            if one is not None:
                yield bound, one


def alarm_limits(tables: Sequence[AlarmTable], plant: Plant, origin: str) -> tuple[AlarmLimit, ...]:
    """The alarms that *tables* stand for, those of each tag or KPI from the lowest bound up.

    Raises
    ------
    PlantError
        A tag or asset is not in *plant*, or an alarm is declared twice.
    """
    found: dict[str, AlarmLimit] = {}
    for table in tables:
        for one in _expanded(table, plant, origin):
            if one.name in found:
                raise PlantError(f"{origin}: alarm", one.name, "it is declared twice; keep one")
            found[one.name] = one
    return tuple(found.values())


def _expanded(table: AlarmTable, plant: Plant, origin: str) -> Iterator[AlarmLimit]:
    known = plant.tags if table.tag is not None else plant.assets
    for path in expand(table.tag or table.asset or ""):
        if path not in known:
            raise PlantError(f"{origin}: alarm", path, nearest(path, known))
        asset = path if table.tag is None else plant.tags[path].asset
        for bound, given in table.limits():
            yield AlarmLimit(
                asset=asset,
                source=table.kpi or path,
                bound=bound,
                limit=given.limit,
                priority=given.priority,
                on_delay_s=table.on_delay_s,
                off_delay_s=table.off_delay_s,
                deadband=table.deadband,
                group=table.group or asset,
                window_s=None if table.kpi is None else table.window_s,
            )
