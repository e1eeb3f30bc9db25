"""Targets in the database: what was declared, and since when it was known.

A row is never changed and never removed. What the plant file lacks is known until then; so what was
reported of a signed period stays what it was, whatever is declared later.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, func, insert, or_, select, update

from schemas.db.tables import asset, target
from schemas.plant.targets import Better, Target


def store_targets(
    connection: Connection, targets: Sequence[Target], asset_ids: Mapping[str, int]
) -> None:
    """Declare *targets* in the caller's transaction; those that they lack are known until now."""
    stored = {_target(row): row.id for row in connection.execute(_known(None))}
    if gone := [target_id for one, target_id in stored.items() if one not in set(targets)]:
        forgotten = update(target).where(target.c.id.in_(gone))
        connection.execute(forgotten.values(known_to=func.now()))
    if new := [one for one in targets if one not in stored]:
        connection.execute(insert(target), [_row(one, asset_ids) for one in new])


def load_targets(connection: Connection, known_at: datetime | None = None) -> tuple[Target, ...]:
    """The targets as they are known now, or as they were known at an instant."""
    return tuple(_target(row) for row in connection.execute(_known(known_at)))


def _known(at: datetime | None) -> Select[Any]:
    query = (
        select(target, asset.c.path)
        .join_from(target, asset, target.c.asset_id == asset.c.id)
        .order_by(target.c.id)
    )
    if at is None:
        return query.where(target.c.known_to.is_(None))
    return query.where(
        target.c.known_from <= at, or_(target.c.known_to.is_(None), target.c.known_to > at)
    )


def _target(row: Any) -> Target:  # noqa: ANN401 - a row of `_known`
    return Target(row.kpi, row.path, row.value, Better(row.better), row.valid_from, row.valid_to)


def _row(one: Target, asset_ids: Mapping[str, int]) -> dict[str, Any]:
    row = asdict(one) | {"asset_id": asset_ids[one.asset], "better": one.better.value}
    del row["asset"]
    return row
