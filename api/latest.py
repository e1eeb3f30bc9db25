"""``/api/v1/latest``: the newest reading of each tag by the source's time, and whether it holds.

What arrived last does not matter: a backfill of yesterday never replaces the value of now.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Final

import sqlalchemy as sa
from fastapi import APIRouter, Query, Response
from pydantic import Field

from api.formats import JSON
from api.openapi import answers
from api.parameters import Asked, TagPaths
from api.store import Database, Store
from api.tags import select_tags
from schemas.db.catalogue import Catalogue
from schemas.db.tables import edge_device, edge_node
from schemas.plant.model import Tag
from schemas.quality import Quality

router = APIRouter(prefix="/api/v1", tags=["readings"])


@dataclass(frozen=True, slots=True)
class Newest:
    """The newest reading of a tag, as it stands now.

    ``quality`` is 500 (stale) where nobody vouches for ``value`` [unit] any more, ``reason`` says
    why. ``ts`` is the source's time; null for a tag that was never read.
    """

    tag: str
    ts: datetime | None
    value: float | None
    quality: int
    unit: str
    reason: str | None


@dataclass(frozen=True, slots=True)
class Latest:
    """The newest readings at the instant ``at``, in the order of the catalogue."""

    at: datetime
    values: list[Newest]


class AskedLatest(Asked):
    """Which tags."""

    tag: TagPaths = Field(min_length=1)


@router.get("/latest", summary="The newest reading of each tag", responses=answers(Latest))
def latest(store: Database, asked: Annotated[AskedLatest, Query()]) -> Response:
    """The newest reading of each tag by source time; quality 500 where it is stale."""
    catalogue = store.catalogue()
    at = store.now()
    values = newest(store, catalogue, select_tags(catalogue, asked.tag), at)
    return JSON(Latest(at, values), headers={"Cache-Control": "no-store"})


def newest(store: Store, catalogue: Catalogue, tags: Sequence[Tag], at: datetime) -> list[Newest]:
    """The newest reading of each of *tags* as it stands at *at*; a product's by its operands'."""
    measured = {path: catalogue.tag_ids[path] for tag in tags for path in tag.product or [tag.path]}
    ids = list(measured.values())
    rows = {row[0]: row[1:] for row in store.frames.latest(ids).iter_rows()}
    gone = _offline(store, ids)
    found = {
        path: _judged(catalogue.plant.tag(path), rows.get(id_), gone.get(id_), at)
        for path, id_ in measured.items()
    }
    return [
        _product(tag, found[tag.product[0]], found[tag.product[1]])
        if tag.product
        else found[tag.path]
        for tag in tags
    ]


def _offline(store: Store, ids: Sequence[int]) -> Mapping[int, str]:
    """Why nobody vouches for a tag: every device that declares it is offline."""
    wanted = sa.cast(list(ids), sa.ARRAY(sa.Integer))
    declared = (
        sa.select(
            sa.func.unnest(edge_device.c.tag_ids).label("tag_id"),
            sa.and_(edge_device.c.online, edge_node.c.online).label("online"),
            sa.func.concat_ws(
                "/",
                edge_node.c.group_id,
                edge_node.c.node_id,
                sa.func.nullif(edge_device.c.device_id, ""),
            ).label("address"),
        )
        .join_from(edge_device, edge_node, edge_device.c.node == edge_node.c.id)
        .where(edge_device.c.tag_ids.overlap(wanted))
        .subquery()
    )
    query = (
        sa.select(declared.c.tag_id, sa.func.min(declared.c.address))
        .where(declared.c.tag_id == sa.any_(wanted))
        .group_by(declared.c.tag_id)
        .having(sa.not_(sa.func.bool_or(declared.c.online)))
    )
    with store.connection() as connection:
        return {tag_id: f"{address} is offline" for tag_id, address in connection.execute(query)}


_NEVER: Final = (None, None, Quality.BAD)


def _judged(
    tag: Tag,
    row: tuple[datetime | None, float | None, int] | None,
    offline: str | None,
    at: datetime,
) -> Newest:
    ts, value, quality = row or _NEVER
    reason = "no reading yet" if ts is None else offline
    if ts is not None and reason is None:
        silence_s = (at - ts).total_seconds()
        if silence_s > tag.stale_after_s:
            reason = f"silent for {silence_s:.0f} s; its value holds for {tag.stale_after_s:g} s"
    if reason is not None and ts is not None:
        quality = Quality.STALE
    return Newest(tag.path, ts, value, int(quality), tag.unit, reason)


def _product(tag: Tag, first: Newest, second: Newest) -> Newest:
    """The value of a computed tag: as new as its newer operand, as good as its worse."""
    times = [one.ts for one in (first, second) if one.ts is not None]
    reason = first.reason or second.reason
    if len(times) < 2 or first.value is None or second.value is None:
        return Newest(tag.path, max(times, default=None), None, Quality.BAD, tag.unit, reason)
    stale = Quality.STALE in (first.quality, second.quality)
    quality = Quality.STALE if stale else min(first.quality, second.quality)
    return Newest(tag.path, max(times), first.value * second.value, int(quality), tag.unit, reason)
