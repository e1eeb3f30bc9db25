"""What the database says of gaps and edge nodes, for people and scripts."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import psycopg
from psycopg.rows import class_row

_GAPS = """
    SELECT source, cause, from_ts, to_ts, first_position, last_position, found_at, closed_at
    FROM gap WHERE NOT %(only_open)s OR closed_at IS NULL ORDER BY id DESC LIMIT %(limit)s"""
#: Positions that are not committed are taken to wait in the spool.
_NODES = """
    SELECT group_id || '/' || node_id AS source, online, since,
           CASE WHEN lower(whole) <= 1 THEN upper(whole) - 1 ELSE 0 END AS committed,
           greatest(0, last_position - counted) AS backlog,
           newest_at, skew_ms
    FROM edge_node LEFT JOIN LATERAL (
        SELECT (array_agg(part ORDER BY lower(part)))[1] AS whole,
               sum(upper(part) - lower(part))::int8 AS counted
        FROM unnest(committed) AS part
    ) AS positions ON spool_id IS NOT NULL
    ORDER BY group_id, node_id"""


@dataclass(frozen=True, slots=True)
class GapRow:
    """A span whose readings are or were missing (`ingest.gap.Cause`); ``closed_at``: no longer."""

    source: str
    cause: str
    from_ts: datetime | None
    to_ts: datetime | None
    first_position: int | None
    last_position: int | None
    found_at: datetime
    closed_at: datetime | None


@dataclass(frozen=True, slots=True)
class NodeRow:
    """An edge node. Without a spool it has no ``committed`` position and no ``backlog`` [frames].

    ``skew_ms``: its clock behind the host's [ms]; this and ``backlog`` are some seconds old.
    """

    source: str
    online: bool
    since: datetime
    committed: int | None
    backlog: int | None
    newest_at: datetime | None
    skew_ms: int | None


def gaps(connection: psycopg.Connection, *, only_open: bool, limit: int) -> Sequence[GapRow]:
    """The newest gaps, newest first."""
    with connection.cursor(row_factory=class_row(GapRow)) as cursor:
        return cursor.execute(_GAPS, {"only_open": only_open, "limit": limit}).fetchall()


def nodes(connection: psycopg.Connection) -> Sequence[NodeRow]:
    """All edge nodes, by name."""
    with connection.cursor(row_factory=class_row(NodeRow)) as cursor:
        return cursor.execute(_NODES).fetchall()
