"""``/api/v1/periods``: what was closed and signed, and what came too late for it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

import polars as pl
import sqlalchemy as sa
from fastapi import APIRouter, Path, Query, Response
from pydantic import Field

from api.assets import find_asset
from api.formats import JSON
from api.openapi import answers
from api.parameters import Asked
from api.span import Span
from api.store import Database, Store
from api.summaries import HOUR, summaries
from kpi.binding import Binding, bind, kpis_of
from kpi.catalogue.park import KPIS
from kpi.evaluate import evaluate
from schemas.db.catalogue import Catalogue
from schemas.db.tables import late, period
from schemas.errors import NotFoundError, nearest

router = APIRouter(prefix="/api/v1", tags=["periods"])


@dataclass(frozen=True, slots=True)
class Signed:
    """A period that was signed. It is frozen until it is ``reopened_at``.

    ``late`` hours of tags would be different if it were opened (again).
    """

    name: str
    start: datetime
    end: datetime
    signed_at: datetime
    signed_by: str
    reason: str
    late: int
    reopened_at: datetime | None
    reopened_by: str | None
    reopened_reason: str | None


@dataclass(frozen=True, slots=True)
class Signatures:
    """All signatures, by time of the period."""

    periods: list[Signed]


@dataclass(frozen=True, slots=True)
class LateTag:
    """A tag of which some ``hours`` would be different; ``found_at``: when that was last seen."""

    tag: str
    hours: int
    first: datetime
    last: datetime
    found_at: datetime


@dataclass(frozen=True, slots=True)
class Effect:
    """A KPI of the whole period as it was signed, and as it would be if it were opened again."""

    kpi: str
    unit: str
    signed: float | None
    reopened: float | None
    reason: str | None


@dataclass(frozen=True, slots=True)
class LateReport:
    """What came too late for a signed period, and what it would do to the KPIs of an asset."""

    name: str
    start: datetime
    end: datetime
    asset: str
    tags: list[LateTag]
    effects: list[Effect]


class AskedReport(Asked):
    """Whose KPIs."""

    asset: str | None = Field(
        default=None,
        description="path of an asset; the site if left out",
        examples=["smelter/potline-1"],
    )


@router.get("/periods", summary="Signed periods", responses=answers(Signatures))
def periods(store: Database) -> Response:
    """Who signed what, when and why; and who opened it again."""
    changed = sa.select(sa.func.count()).where(late.c.period_id == period.c.id).scalar_subquery()
    columns = period.c
    query: sa.Select[Any] = sa.select(
        columns.name,
        columns.start_at,
        columns.end_at,
        columns.signed_at,
        columns.signed_by,
        columns.reason,
        changed,
        columns.reopened_at,
        columns.reopened_by,
        columns.reopened_reason,
    ).order_by(columns.start_at, columns.id)
    with store.connection() as connection:
        return JSON(Signatures([Signed(*row) for row in connection.execute(query)]))


@router.get(
    "/periods/{name}/late",
    summary="What came too late for a signed period",
    responses=answers(LateReport),
)
def late_report(
    store: Database,
    name: Annotated[str, Path(examples=["2026-10"])],
    asked: Annotated[AskedReport, Query()],
) -> Response:
    """The tags that changed, and KPIs of the asset as signed and as they would be."""
    catalogue = store.catalogue()
    asset = find_asset(catalogue.plant, "asset", asked.asset or catalogue.plant.name).path
    span, tags = _late(store, catalogue, name)
    late_ids = {catalogue.tag_ids[one.tag] for one in tags}
    bound = (
        bind(kpi, asset, catalogue.plant, catalogue.tag_ids)
        for kpi in kpis_of(KPIS, asset, catalogue.plant)
    )
    touched = [binding for binding in bound if late_ids.intersection(binding.tag_ids)]
    effects = _effects(store, catalogue, touched, span)
    return JSON(LateReport(name, span.start, span.end, asset, tags, effects))


def _late(store: Store, catalogue: Catalogue, name: str) -> tuple[Span, list[LateTag]]:
    """The frozen period *name*, and what changed in it of the tags in *catalogue*.

    Raises
    ------
    NotFoundError
        No period of that name is signed.
    """
    by_tag = (
        sa.select(
            late.c.tag_id,
            sa.func.count(),
            sa.func.min(late.c.bucket),
            sa.func.max(late.c.bucket),
            sa.func.max(late.c.found_at),
        )
        .group_by(late.c.tag_id)
        .order_by(late.c.tag_id)
    )
    with store.connection() as connection:
        signed = sa.select(period).where(period.c.reopened_at.is_(None))
        frozen = {row.name: row for row in connection.execute(signed)}
        if name not in frozen:
            raise NotFoundError("name", name, f"it is not signed; {nearest(name, frozen)}")
        row = frozen[name]
        rows = connection.execute(by_tag.where(late.c.period_id == row.id)).all()
    tags = [
        LateTag(catalogue.tags[tag_id].path, *rest)
        for tag_id, *rest in rows
        if tag_id in catalogue.tags
    ]
    return Span(row.start_at, row.end_at), tags


def _effects(
    store: Store, catalogue: Catalogue, touched: list[Binding], span: Span
) -> list[Effect]:
    tag_ids = sorted({tag_id for binding in touched for tag_id in binding.tag_ids})
    if not tag_ids:
        return []
    with store.frames.snapshot() as frames:
        kept, made = (
            summaries(frames, catalogue, tag_ids, span, HOUR, reopened=reopened)
            for reopened in (False, True)
        )
    found = []
    for binding in touched:
        before, after = (_value(binding, rows, span) for rows in (kept, made))
        kpi = binding.kpi
        found.append(Effect(kpi.id, kpi.unit, before[0], after[0], after[1]))
    return found


def _value(binding: Binding, rows: pl.DataFrame, span: Span) -> tuple[float | None, str | None]:
    of_kpi = rows.filter(pl.col("tag_id").is_in(binding.tag_ids))
    value, reason = (
        evaluate(binding, of_kpi, (span.start, span.end)).select("value", "reason").row(0)
    )
    return value, reason
