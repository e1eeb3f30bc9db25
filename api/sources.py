"""``/api/v1/sources``: where readings come from, how far behind each is, and what is missing."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

import sqlalchemy as sa
from fastapi import APIRouter, Response

from api.formats import JSON
from api.openapi import answers
from api.store import Database

router = APIRouter(prefix="/api/v1", tags=["sources"])

#: Positions that are not committed are taken to wait in the spool.
_SOURCES: Final = sa.text("""
    SELECT group_id || '/' || node_id || coalesce('/' || nullif(device_id, ''), '') AS source,
           edge_device.online, edge_device.since, cardinality(tag_ids) AS tags, newest_at,
           CASE WHEN spool_id IS NOT NULL THEN greatest(0, last_position - coalesce((
               SELECT sum(upper(part) - lower(part)) FROM unnest(committed) AS part
           ), 0))::int8 END AS backlog,
           skew_ms
    FROM edge_device JOIN edge_node ON edge_node.id = edge_device.node
    WHERE edge_device.device_id <> '' OR cardinality(tag_ids) > 0
    ORDER BY 1""")
_GAPS: Final = sa.text("""
    SELECT source, cause, from_ts AS missing_from, to_ts AS missing_to, found_at, closed_at
    FROM gap ORDER BY closed_at IS NOT NULL, id DESC LIMIT 100""")
_LETTERS: Final = sa.text("""
    SELECT reason, count(*) AS letters, sum(readings)::int8 AS readings, max(received_at) AS newest
    FROM dead_letter WHERE replayed_at IS NULL GROUP BY reason ORDER BY 2 DESC""")


@dataclass(frozen=True, slots=True)
class Device:
    """A device behind an edge node, as group/node/device.

    ``since`` it is online or not; ``newest_at``, ``backlog`` [frames in the spool, null without
    one] and ``skew_ms`` (its clock behind ours) are its node's, some seconds old.
    """

    source: str
    online: bool
    since: datetime
    tags: int
    newest_at: datetime | None
    backlog: int | None
    skew_ms: int | None


@dataclass(frozen=True, slots=True)
class Missing:
    """A span whose readings are missing, or were until ``closed_at``."""

    source: str
    cause: str
    missing_from: datetime | None
    missing_to: datetime | None
    found_at: datetime
    closed_at: datetime | None


@dataclass(frozen=True, slots=True)
class Letters:
    """What arrived and could not be used, and was not replayed, by reason."""

    reason: str
    letters: int
    readings: int
    newest: datetime


@dataclass(frozen=True, slots=True)
class Sources:
    """Devices by name, the gaps that are open and the newest others, dead letters by reason."""

    devices: list[Device]
    gaps: list[Missing]
    dead_letters: list[Letters]


@router.get("/sources", summary="Sources, gaps and dead letters", responses=answers(Sources))
def sources(store: Database) -> Response:
    """The state of the data: who is online, how much waits in spools, what is missing and why."""
    with store.connection() as connection:
        found = Sources(
            [Device(*row) for row in connection.execute(_SOURCES)],
            [Missing(*row) for row in connection.execute(_GAPS)],
            [Letters(*row) for row in connection.execute(_LETTERS)],
        )
    return JSON(found, headers={"Cache-Control": "no-store"})
