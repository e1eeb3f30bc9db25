"""``/api/v1/comparison``: many KPIs of many assets, beside the time before and their targets."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from importlib.metadata import version
from typing import Annotated, Final

import polars as pl
from fastapi import APIRouter, Header, Query, Request, Response
from pydantic import Field

from api.before import before
from api.cursor import Cursor, fingerprint
from api.formats import choose_format
from api.formulas import bindings_at, find_binding, find_kpi
from api.inputs import sums
from api.openapi import answers
from api.parameters import AskedTable, begin, check_budget
from api.pattern import is_pattern, matching
from api.signed import Signature, signatures
from api.span import cut
from api.store import Database, Store
from api.stream import Answer, Frames, answered
from kpi.binding import Binding
from kpi.evaluate import evaluate_together
from kpi.frames import INSTANT
from schemas.db.catalogue import Catalogue
from schemas.db.frames import FrameReader
from schemas.errors import NotFoundError, TooLargeError
from schemas.plant.targets import Target, target_on

router = APIRouter(prefix="/api/v1", tags=["KPIs"])

COLUMNS: Final[Mapping[str, pl.DataType]] = {
    "kpi": pl.String(),
    "asset": pl.String(),
    "unit": pl.String(),
    "start": INSTANT,
    "end": INSTANT,
    "value": pl.Float64(),
    "coverage": pl.Float64(),
    "reason": pl.String(),
    "previous": pl.Float64(),
    "change": pl.Float64(),
    "target": pl.Float64(),
    "difference": pl.Float64(),
    "met": pl.Boolean(),
}
#: Series whose inputs are summed at one time, and the most buckets of one.
_BLOCK: Final = 100
_BUCKETS_MAX: Final = 10_000


@dataclass(frozen=True, slots=True)
class Compared:
    """A KPI at an asset from ``start`` to just before ``end``, beside what it is measured by.

    ``previous`` is its value in the bucket before, ``change`` what it rose by since. ``target`` is
    that of the day on which the bucket begins, ``difference`` the value less the target, and
    ``met`` whether it is on the right side of it. What is not known is null.
    """

    kpi: str
    asset: str
    unit: str
    start: datetime
    end: datetime
    value: float | None
    coverage: float
    reason: str | None
    previous: float | None
    change: float | None
    target: float | None
    difference: float | None
    met: bool | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """KPIs of assets, series by series; a page ends with a whole series.

    ``compared_from`` is when the time began that the first buckets are compared with.
    """

    compared_from: datetime
    start: datetime
    end: datetime
    code_version: str
    signed: list[Signature]
    truncated: bool
    cursor: str | None
    rows: list[Compared]


class AskedComparison(AskedTable):
    """Which KPIs of which assets."""

    kpi: list[str] = Field(
        default=[],
        description="ids; every KPI that an asset has if left out",
        examples=[["dc_specific_energy", "current_efficiency"]],
    )
    asset: list[str] = Field(
        min_length=1,
        description="paths of assets, or patterns, which pass over assets without the KPIs",
        examples=[["smelter/potline-*"]],
    )


@router.get(
    "/comparison",
    summary="KPIs beside the period before and their targets",
    responses=answers(Comparison, table=True),
)
async def comparison(
    request: Request,
    store: Database,
    asked: Annotated[AskedComparison, Query()],
    accept: Annotated[str | None, Header(include_in_schema=False)] = None,
) -> Response:
    """Each KPI of each asset, bucket by bucket, with its first parameter set; up to now.

    A whole shift, day, week, month or year is compared with the one before, any other span with as
    long a time before it; with ``every`` each bucket with the one before.
    """
    form = choose_format(asked.form, accept)
    return await answered(request, form, store.frames, lambda frames: _answer(store, frames, asked))


def _answer(store: Store, frames: FrameReader, asked: AskedComparison) -> Answer:
    check_budget(asked, store.settings.rows_max)
    catalogue, now = store.catalogue(), store.now()
    calendar = asked.calendar(catalogue.plant)
    request = fingerprint("comparison", asked.kpi, asked.asset, asked.every, asked.zone)
    bindings = _bindings(catalogue, asked)
    span, key = begin(asked, request, now, calendar)
    first = key[0] if key else 0
    span = span.until(now)
    began = before(span, asked.every, calendar)
    inner = cut(span, asked.every, calendar)
    buckets = len(inner) - 1
    if buckets > min(asked.limit, _BUCKETS_MAX):
        right = f"a series has {buckets} buckets, a page room for at most {_BUCKETS_MAX}"
        raise TooLargeError("every", asked.every, right)
    stop = first + asked.limit // buckets
    page, rest = bindings[first:stop], bindings[stop:]
    with store.connection() as connection:
        tag_ids = sorted({tag_id for binding in page for tag_id in binding.tag_ids})
        signed = signatures(connection, span, tag_ids)
    facts: dict[str, object] = {
        "compared_from": began,
        "start": span.start,
        "end": span.end,
        "code_version": version("ertis"),
        "signed": signed,
        "truncated": bool(rest),
        "cursor": Cursor(request, (stop, 0), span.us).encode() if rest else None,
    }
    zone = calendar.plant_zone
    rows = _rows(frames, catalogue, page, [began, *inner], zone)
    return facts, pl.Schema(COLUMNS), rows


def _bindings(catalogue: Catalogue, asked: AskedComparison) -> list[Binding]:
    """The KPIs that are asked for, by asset; of a pattern those that are there.

    Raises
    ------
    NotFoundError
        There is no such KPI or asset, an asset that is named lacks the KPI, or there is nothing.
    """
    kpis = [find_kpi(id_, "kpi") for id_ in dict.fromkeys(asked.kpi)]
    found: dict[tuple[str, str], Binding] = {}
    for text in asked.asset:
        named = not is_pattern(text)
        for path in [text] if named else matching("asset", text, catalogue.plant.assets):
            if named and kpis:
                has = [find_binding(catalogue, kpi, path) for kpi in kpis]
            else:
                wanted = {kpi.id for kpi in kpis}
                every = bindings_at(catalogue, path)
                has = [one for one in every if not wanted or one.kpi.id in wanted]
            found |= {(path, one.kpi.id): one for one in has}
    if not found:
        raise NotFoundError("asset", asked.asset, "none of them has these KPIs: see /api/v1/assets")
    return list(found.values())


def _rows(
    frames: FrameReader,
    catalogue: Catalogue,
    bindings: Sequence[Binding],
    edges: Sequence[datetime],
    zone: tzinfo,
) -> Frames:
    with frames.snapshot() as snapshot:
        for place in range(0, len(bindings), _BLOCK):
            block = bindings[place : place + _BLOCK]
            terms = pl.concat(binding.frame for binding in block).unique()
            found = sums(snapshot, catalogue, terms, edges)
            targets = catalogue.plant.targets
            rows = evaluate_together(block, found, edges)
            yield pl.concat(
                _beside(one, of_one, targets, zone) for one, of_one in zip(block, rows, strict=True)
            )


def _beside(
    binding: Binding, rows: pl.DataFrame, targets: Sequence[Target], zone: tzinfo
) -> pl.DataFrame:
    """The *rows* of a KPI's series beside the bucket before and the targets."""
    kpi, asset = binding.kpi, binding.asset
    own = [one for one in targets if (one.kpi, one.asset) == (kpi.id, asset)]
    rows = rows.with_columns(previous=pl.col("value").shift(1)).slice(1)
    days = [start.astimezone(zone).date() for start in rows["start"]]
    of_day = [target_on(own, kpi.id, asset, day) for day in days]
    met = [
        None if one is None or value is None else one.is_met(value)
        for one, value in zip(of_day, rows["value"], strict=True)
    ]
    aims = [None if one is None else one.value for one in of_day]
    return (
        rows.with_columns(
            pl.Series("target", aims, dtype=pl.Float64),
            pl.Series("met", met, dtype=pl.Boolean),
            kpi=pl.lit(kpi.id),
            asset=pl.lit(asset),
            unit=pl.lit(kpi.unit),
            change=pl.col("value") - pl.col("previous"),
        )
        .with_columns(difference=pl.col("value") - pl.col("target"))
        .select(pl.col(name).cast(dtype) for name, dtype in COLUMNS.items())
    )
