"""Gaps in what the sources of an asset delivered, as the ledger of gaps has them now."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from api.span import Span
from api.store import array
from schemas.db.tables import edge_device, edge_node, gap

#: More gaps than anybody reads; /api/v1/sources has all.
_MOST: Final = 200


@dataclass(frozen=True, slots=True)
class GapLine:
    """Readings of ``source`` that were missing; ``closed_at`` null: they still are."""

    source: str
    cause: str
    start: datetime | None
    end: datetime | None
    found_at: datetime
    closed_at: datetime | None


def gaps_of(connection: sa.Connection, span: Span, tag_ids: Sequence[int]) -> list[GapLine]:
    """The gaps that touch *span* of nodes that measure any of *tag_ids*, the oldest first."""
    node = sa.func.concat_ws("/", edge_node.c.group_id, edge_node.c.node_id)
    each = sa.func.unnest(edge_device.c.tag_ids).table_valued("id").render_derived(name="each")
    measures = sa.exists(sa.select(1).select_from(each).where(each.c.id == sa.any_(array(tag_ids))))
    device = sa.func.concat_ws("/", node, edge_device.c.device_id)
    sources = (
        sa.select(sa.func.unnest(postgresql.array([node, device])))
        .join_from(edge_node, edge_device, edge_device.c.node == edge_node.c.id)
        .where(measures)
    )
    query = (
        sa.select(
            gap.c.source, gap.c.cause, gap.c.from_ts, gap.c.to_ts, gap.c.found_at, gap.c.closed_at
        )
        .where(
            gap.c.source.in_(sources),
            sa.or_(gap.c.from_ts.is_(None), gap.c.from_ts < span.end),
            sa.or_(gap.c.to_ts.is_(None), gap.c.to_ts > span.start),
        )
        .order_by(gap.c.id)
        .limit(_MOST)
    )
    return [GapLine(*row) for row in connection.execute(query)]
