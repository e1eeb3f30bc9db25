"""Alarms in the database: declared by the plant model, each with the state that it is in."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, insert, select, update

from schemas.db.tables import alarm, asset
from schemas.plant.alarms import AlarmLimit, Bound, Priority


def store_alarms(
    connection: Connection,
    limits: Sequence[AlarmLimit],
    asset_ids: Mapping[str, int],
    tag_ids: Mapping[str, int],
) -> None:
    """Store *limits* in the caller's transaction; the state of those that stand already stays.

    An alarm that *limits* lacks is retired: it rings no more and keeps its history.
    """
    stored = load_alarms(connection)
    known = {one.name: (alarm_id, one) for alarm_id, one in stored.items()}
    names = {row.name: row.id for row in connection.execute(select(alarm.c.name, alarm.c.id))}
    given = {one.name: one for one in limits}
    rows = [
        _row(one, asset_ids, tag_ids)
        for name, one in given.items()
        if name not in known or known[name][1] != one
    ]
    if new := [row for row in rows if row["name"] not in names]:
        connection.execute(insert(alarm), new)
    if changed := [row | {"at": names[row["name"]]} for row in rows if row["name"] in names]:
        connection.execute(update(alarm).where(alarm.c.id == bindparam("at")), changed)
    if gone := [alarm_id for name, (alarm_id, _) in known.items() if name not in given]:
        connection.execute(update(alarm).where(alarm.c.id.in_(gone)).values(retired=True))


def load_alarms(connection: Connection) -> dict[int, AlarmLimit]:
    """The alarms that are not retired, by id."""
    query = (
        select(alarm, asset.c.path)
        .join_from(alarm, asset, alarm.c.asset_id == asset.c.id)
        .where(~alarm.c.retired)
        .order_by(alarm.c.id)
    )
    return {
        row.id: AlarmLimit(
            asset=row.path,
            source=row.source,
            bound=Bound(row.bound),
            limit=row.limit,
            priority=Priority(row.priority),
            on_delay_s=row.on_delay_s,
            off_delay_s=row.off_delay_s,
            deadband=row.deadband,
            group=row.group,
            window_s=row.window_s,
        )
        for row in connection.execute(query)
    }


def _row(
    one: AlarmLimit, asset_ids: Mapping[str, int], tag_ids: Mapping[str, int]
) -> dict[str, Any]:
    return {
        "name": one.name,
        "asset_id": asset_ids[one.asset],
        "tag_id": tag_ids[one.source] if one.window_s is None else None,
        "source": one.source,
        "window_s": one.window_s,
        "bound": one.bound.value,
        "limit": one.limit,
        "priority": one.priority.value,
        "on_delay_s": one.on_delay_s,
        "off_delay_s": one.off_delay_s,
        "deadband": one.deadband,
        "group": one.group,
        "retired": False,
    }
