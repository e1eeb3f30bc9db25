"""``/api/v1/periods``: what was closed and signed, by whom; what came too late for it."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Body, Path, Query, Response
from pydantic import BaseModel, ConfigDict, Field
from starlette.background import BackgroundTask

from api.access.person import Asking, Person
from api.assets import find_asset
from api.effects import Effect, effects, signed_values
from api.formats import JSON
from api.formulas import bound_at
from api.openapi import answers, problem
from api.parameters import Asked
from api.reports.period import ReportKind, report_period
from api.reports.report import write_report
from api.span import Span
from api.store import Database, Store
from kpi.calendar import Calendar, Unit
from schemas.db import periods as stored
from schemas.db.periods import Decision, LateTag, SignedPeriod
from schemas.errors import RequestError, UnavailableError

router = APIRouter(prefix="/api/v1", tags=["periods"])


@dataclass(frozen=True, slots=True)
class Signatures:
    """All signatures, by time of the period."""

    periods: list[SignedPeriod]


@dataclass(frozen=True, slots=True)
class Signing:
    """A period as it stands after it was signed or opened.

    ``gaps_open`` of the sources began before its end: what they lack may still arrive.
    """

    period: SignedPeriod
    gaps_open: int


@dataclass(frozen=True, slots=True)
class LateReport:
    """What came too late for a signed period, and what it would do to the KPIs of an asset."""

    name: str
    start: datetime
    end: datetime
    asset: str
    tags: list[LateTag]
    effects: list[Effect]


class AskedLate(Asked):
    """Whose KPIs."""

    asset: str | None = Field(
        default=None,
        description="path of an asset; the site if left out",
        examples=["smelter/potline-1"],
    )


class Why(BaseModel):
    """Why a period is signed, or opened again."""

    model_config = ConfigDict(extra="forbid")

    reason: str = Field(
        min_length=1, max_length=1000, pattern=r"\S", examples=["books of October are closed"]
    )


Name = Annotated[
    str,
    Path(
        description="what a year, month, day or shift is called by the plant's clocks",
        examples=["2026-10", "2026-10-31", "2026-10-31-night"],
    ),
]


@router.get("/periods", summary="Signed periods", responses=answers(Signatures))
def periods(store: Database) -> Response:
    """Who signed what, when and why; and who opened it again."""
    with store.connection() as connection:
        return JSON(Signatures(stored.periods(connection)))


@router.get(
    "/periods/{name}/late",
    summary="What came too late for a signed period",
    responses=answers(LateReport),
)
def late_report(store: Database, name: Name, asked: Annotated[AskedLate, Query()]) -> Response:
    """The tags that changed, and KPIs of the asset as signed and as they would be."""
    catalogue = store.catalogue()
    asset = find_asset(catalogue.plant, "asset", asked.asset or catalogue.plant.name).path
    with store.connection() as connection:
        found = stored.find_frozen(connection, name)
        tags = stored.late_tags(connection, [found], found.start, found.end)
    bound, span = bound_at(catalogue, asset), Span(found.start, found.end)
    told = effects(store, bound, [one.tag for one in tags], span, signed_values(store, bound, span))
    return JSON(LateReport(name, span.start, span.end, asset, tags, told))


@router.post(
    "/periods/{name}/sign",
    summary="Sign a period",
    responses={
        **answers(Signing),
        409: problem("It is signed, not over, or has minutes that are still to be summarised"),
    },
)
def sign(store: Database, person: Asking, name: Name, why: Annotated[Why, Body()]) -> Response:
    """Its summaries are frozen, and its reports too; later readings are noted, not applied.

    Who, when and why is with the signature and in the audit log. The report of the site is kept at
    once, that of another asset when it is asked for first.
    """
    span = Calendar.of(store.catalogue().plant).named(name)
    if span is None:
        right = "name a year, month, day or shift: 2026, 2026-10, 2026-10-31, 2026-10-31-night"
        raise RequestError("name", name, right)
    with store.writing() as connection:
        signed = stored.sign(connection, name, span, _decided(store, person, why))
        gaps = stored.gaps_open(connection, signed.end)
    after = BackgroundTask(_keep, store, signed)
    return JSON(Signing(signed, gaps), headers={"Cache-Control": "no-store"}, background=after)


def _keep(store: Store, signed: SignedPeriod) -> None:
    """Keep the report of the site; if the database goes meanwhile, it is kept when asked for."""
    plant = store.catalogue().plant
    calendar = Calendar.of(plant)
    for kind in ReportKind:
        if calendar.called(Unit(kind.value), signed.start) == signed.name:
            period = report_period(kind, signed.name, store.now(), calendar)
            with suppress(UnavailableError):
                write_report(store, plant.name, period)


@router.post(
    "/periods/{name}/reopen", summary="Open a signed period again", responses=answers(Signing)
)
def reopen(store: Database, person: Asking, name: Name, why: Annotated[Why, Body()]) -> Response:
    """What came late is applied: summaries of ``late`` hours of tags are made again.

    The signature stays on record, with who opened it, when and why.
    """
    catalogue = store.catalogue()
    with store.writing() as connection:
        opened = stored.reopen(connection, catalogue, name, _decided(store, person, why))
        gaps = stored.gaps_open(connection, opened.end)
    return JSON(Signing(opened, gaps), headers={"Cache-Control": "no-store"})


def _decided(store: Store, person: Person, why: Why) -> Decision:
    return Decision(person.name, store.now(), why.reason)
