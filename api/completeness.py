"""Up to when the answer about an asset is complete: nothing dated before can still arrive.

That is the earliest of these, for the measured tags that the answer is made of:

- the start of the open minute;
- the first of their minutes that is still to be summarised;
- the newest reading of each spooling edge node that measures one of them: what it has read since
  is on its way, or waits in its spool while the node is away; for a node without a spool, only
  while it is offline;
- the last reading before an open gap of such a node: the frames of the gap will be sent again.

What a spool dropped or lost is gone, and whoever has no positions cannot tell what is missing
(`ingest.gap`): neither holds anything that could still arrive.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from api.store import array
from api.summaries import MINUTE
from schemas.db.tables import dirty, edge_device, edge_node, gap
from schemas.instant import EPOCH

_GONE: Final = ("dropped", "lost")


def complete_as_of(
    connection: sa.Connection, tag_ids: Sequence[int], now: datetime
) -> datetime | None:
    """The instant up to which all readings of the measured *tag_ids* are in; null: nobody knows."""
    times = [EPOCH + (now - EPOCH) // MINUTE * MINUTE]
    wanted = array(tag_ids)
    mark = connection.scalar(
        sa.select(sa.func.min(dirty.c.bucket)).where(_any(dirty.c.tag_ids, wanted))
    )
    if mark is not None:
        times.append(mark)
    for newest_at, waiting, since in connection.execute(_nodes(wanted)):
        if newest_at is None or (waiting and since is None):
            return None
        times.append(min(newest_at, since) if waiting else newest_at)
    return min(times)


def _nodes(wanted: sa.ColumnElement[Any]) -> sa.Select[Any]:
    """``newest_at, waiting, since`` of each node that may hold readings; null where unknown."""
    source = sa.func.concat_ws("/", edge_node.c.group_id, edge_node.c.node_id)
    open_ = sa.and_(
        gap.c.source == source,
        gap.c.closed_at.is_(None),
        gap.c.spool_id == edge_node.c.spool_id,
        gap.c.cause.not_in(_GONE),
    )
    first = sa.select(gap.c.from_ts).where(open_).order_by(gap.c.from_ts.nulls_first()).limit(1)
    measures = sa.exists().where(
        edge_device.c.node == edge_node.c.id, _any(edge_device.c.tag_ids, wanted)
    )
    holds = edge_node.c.spool_id.is_not(None) | ~edge_node.c.online
    return sa.select(
        edge_node.c.newest_at, sa.exists().where(open_), first.scalar_subquery()
    ).where(holds, measures)


def _any(tag_ids: sa.Column[Any], wanted: sa.ColumnElement[Any]) -> sa.ColumnElement[bool]:
    """Whether *tag_ids* has one of *wanted*: hashed, where && compares each with each."""
    each = sa.func.unnest(tag_ids).table_valued("id").render_derived(name="each")
    return sa.exists(sa.select(1).select_from(each).where(each.c.id == sa.any_(wanted)))
