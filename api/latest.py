"""``/api/v1/latest``: the newest reading of each tag by the source's time, and whether it holds.

What arrived last does not matter: a backfill of yesterday never replaces the value of now.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Final

import polars as pl
import sqlalchemy as sa
from fastapi import APIRouter, Query, Response
from pydantic import Field

from api.formats import JSON
from api.openapi import answers
from api.parameters import Asked, TagPaths
from api.store import Database, Store
from api.tags import select_tags
from kpi.derive import derive, derived_tags, reach
from kpi.frames import READINGS
from schemas.db.catalogue import Catalogue
from schemas.db.frames import tag_frame
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
    """The newest reading of each of *tags* as it stands at *at*; derived ones by their operands."""
    plant = catalogue.plant
    made_of = {tag.path: [one.path for one in plant.made_of(tag.path)] for tag in tags}
    measured = {path: catalogue.tag_ids[path] for paths in made_of.values() for path in paths}
    ids = list(measured.values())
    rows = {row[0]: row[1:] for row in store.frames.latest(ids).iter_rows()}
    gone = _offline(store, ids)
    found = {
        path: _judged(plant.tag(path), rows.get(id_), gone.get(id_), at)
        for path, id_ in measured.items()
    }
    computed = _computed(store, catalogue, [tag for tag in tags if tag.derivation is not None], at)
    return [
        found[tag.path]
        if tag.derivation is None
        else _derived(tag, computed, [found[path] for path in made_of[tag.path]])
        for tag in tags
    ]


def _computed(
    store: Store, catalogue: Catalogue, tags: Sequence[Tag], at: datetime
) -> Mapping[str, tuple[datetime, float, int]]:
    """The newest usable reading at *at* of each derived tag that has one, by path.

    What a rule makes of the values at one instant is made of the newest ones, however old: that
    they are stale is told by the quality. A rule that looks back gets what it looks at.
    """
    if not tags:
        return {}
    paths = {catalogue.tag_ids[tag.path]: tag.path for tag in tags}
    derived = derived_tags(catalogue.plant, catalogue.tag_ids, paths.values())
    looks = reach(paths, derived)
    known = tag_frame(catalogue, sorted({*looks["operand_id"], *derived}))
    back = looks.filter(pl.col("behind_s") > 0)["tag_id"].unique().to_list()
    at_once = [tag_id for tag_id in paths if tag_id not in back]
    found = [pl.DataFrame(schema=READINGS)]
    if at_once:
        newest = store.frames.latest(_operands(looks, at_once)).filter(pl.col("ts") <= at)
        for_ever = known.with_columns(stale_after_s=pl.lit(_FOR_EVER_S))
        found.append(derive(newest, at_once, derived, for_ever))
    if back:
        operands = _operands(looks, back)
        behind_s = max(looks["behind_s"])
        start = at - timedelta(seconds=behind_s)
        readings = store.frames.readings(operands, start, at, bounds=True)
        found.append(derive(readings, back, derived, known))
    usable = pl.concat(found).filter(pl.col("ts") <= at, pl.col("value").is_not_null())
    newest_each = usable.sort("tag_id", "ts").group_by("tag_id", maintain_order=True).last()
    return {
        paths[row["tag_id"]]: (row["ts"], row["value"], row["quality"])
        for row in newest_each.iter_rows(named=True)
    }


def _operands(looks: pl.DataFrame, tag_ids: Sequence[int]) -> list[int]:
    """The measured tags that derived ones are made of."""
    of_tags = looks.filter(pl.col("tag_id").is_in(tag_ids))
    return of_tags["operand_id"].unique().sort().to_list()


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
_FOR_EVER_S: Final = 1e9


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


def _derived(
    tag: Tag, computed: Mapping[str, tuple[datetime, float, int]], operands: Sequence[Newest]
) -> Newest:
    """The value of a derived tag: as good as its worst operand, stale if one is."""
    reason = next((one.reason for one in operands if one.reason), None)
    ts, value, quality = computed.get(tag.path, _NEVER)
    if ts is None:
        times = [one.ts for one in operands if one.ts is not None]
        return Newest(tag.path, max(times, default=None), None, Quality.BAD, tag.unit, reason)
    stale = any(one.quality == Quality.STALE for one in operands)
    return Newest(tag.path, ts, value, int(Quality.STALE if stale else quality), tag.unit, reason)
