"""Alarms as they stand, and how they are read."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from alarms.state import State
from api.store import Store
from kpi.catalogue.park import KPIS
from schemas.db.tables import alarm, asset, tag
from schemas.plant.alarms import Bound, Priority

#: The most alarms that a live event shows, the most urgent first: more are a flood anyway.
_MOST: Final = 1_000


@dataclass(frozen=True, slots=True)
class Alarm:
    """An alarm as it stands.

    ``source`` is the tag, or the KPI at ``asset``; ``value`` that at which it was raised or
    cleared, in ``unit`` as ``limit`` is. ``known`` is false while the value is stale, bad or not
    there. ``first_out``: it was raised while no other of its ``group`` was active.
    """

    id: int
    name: str
    asset: str
    source: str
    bound: Bound
    limit: float
    unit: str | None
    priority: Priority
    group: str
    state: State
    since: datetime | None
    active: bool
    known: bool
    value: float | None
    first_out: bool
    shelved_until: datetime | None


#: The order in which people look: what is urgent first, then what is new.
_URGENCY: Final = sa.case({"high": 0, "medium": 1, "low": 2}, value=alarm.c.priority)
_COLUMNS: Final = [alarm.c[name] for name in Alarm.__slots__ if name not in {"asset", "unit"}]


def alarms_query() -> sa.Select[Any]:
    """The alarms of the plant as it is now, with the paths of their assets."""
    joined = sa.select(*_COLUMNS, asset.c.path.label("asset"), tag.c.unit.label("unit"))
    return (
        joined.join_from(alarm, asset, alarm.c.asset_id == asset.c.id)
        .outerjoin(tag, alarm.c.tag_id == tag.c.id)
        .where(~alarm.c.retired)
    )


def alarms_of(rows: Sequence[sa.Row[Any]]) -> list[Alarm]:
    """The alarms that rows of `alarms_query` are."""
    return [
        Alarm(
            **{
                **row._mapping,  # noqa: SLF001 - SQLAlchemy's public name for it
                "unit": unit_of(row),
                "bound": Bound(row.bound),
                "priority": Priority(row.priority),
                "state": State(row.state),
            }
        )
        for row in rows
    ]


def unit_of(row: sa.Row[Any]) -> str | None:
    """The unit of an alarm: that of its tag, or of its KPI; None where nobody knows the KPI."""
    if row.unit is not None:
        return str(row.unit)
    return KPIS[row.source].unit if row.source in KPIS else None


def standing(store: Store) -> list[Alarm]:
    """The alarms that somebody should know of: those that ring, and those that are kept quiet."""
    quiet = [State.NORMAL.value, State.UNKNOWN.value]
    query = alarms_query().where(alarm.c.state.not_in(quiet))
    ordered = query.order_by(_URGENCY, alarm.c.since.desc(), alarm.c.id).limit(_MOST)
    with store.connection() as connection:
        return alarms_of(connection.execute(ordered).all())
