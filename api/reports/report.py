"""The report of a period: what is frozen with it, and what is only known beside it."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from importlib.metadata import version
from typing import Final

from pydantic import TypeAdapter

from api.access.areas import PART
from api.assets import find_asset
from api.completeness import complete_as_of
from api.effects import Effect, effects
from api.formats import dumps
from api.formulas import Bound, bound_at
from api.reports.alarms import AlarmsOfPeriod, alarms_of_period
from api.reports.gaps import GapLine, gaps_of
from api.reports.lines import ReportLine, report_lines
from api.reports.period import ReportPeriod
from api.span import Span, iso
from api.store import Store
from api.summaries import MINUTE, measured
from kpi.calendar import Calendar, Unit
from schemas.db.periods import LateTag, SignedPeriod, frozen_between, late_tags
from schemas.db.reports import ReportKey, keep_report, kept_report
from schemas.errors import DatabaseBusy, NotAllowed, RequestError
from schemas.instant import EPOCH
from schemas.plant.model import Asset

#: When the readings of a minute are in its summaries, beginning with its end.
_SETTLED: Final = timedelta(seconds=5)


class ReportStatus(StrEnum):
    """Whether a report may still change."""

    PRELIMINARY = "preliminary"
    SIGNED = "signed"


@dataclass(frozen=True, slots=True)
class SignedBy:
    """A signature that covers the period or a part of it."""

    name: str
    start: datetime
    end: datetime
    by: str
    at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Report:
    """What is said of ``asset`` in a period, up to ``until``: its end, or the last closed minute.

    ``signed``: the whole period is. Then these bytes were kept and are answered ever after. Targets
    are those that were known when it was signed. ``compared_from`` is when the period before began.
    """

    asset: str
    title: str
    period: ReportPeriod
    until: datetime
    compared_from: datetime | None
    status: ReportStatus
    signed: list[SignedBy]
    code_version: str
    kpis: list[ReportLine]
    alarms: AlarmsOfPeriod


@dataclass(frozen=True, slots=True)
class Late:
    """What arrived after a signature, and is in no line of the report.

    ``hours`` of ``tags`` would differ if it were opened again; ``effects``: and so these KPIs.
    """

    hours: int
    tags: list[LateTag]
    effects: list[Effect]


@dataclass(frozen=True, slots=True)
class ReportNow:
    """A report, the digest of its bytes, and what is known of its period now.

    ``complete_as_of``: nothing dated before it can still arrive; null: nobody knows. ``gaps`` are
    those of the sources of the asset.
    """

    report: Report
    sha256: str
    late: Late
    complete_as_of: datetime | None
    gaps: list[GapLine]


@dataclass(frozen=True, slots=True)
class Written:
    """A report as the ``body`` in which it is kept and answered, and what is known beside it."""

    body: bytes
    late: Late
    complete_as_of: datetime | None
    gaps: list[GapLine]

    @property
    def sha256(self) -> str:
        """The digest of the report's bytes."""
        return hashlib.sha256(self.body).hexdigest()

    @property
    def report(self) -> Report:
        """What the bytes say."""
        return _REPORT.validate_json(self.body)


_REPORT: Final = TypeAdapter(Report)


def write_report(store: Store, path: str, period: ReportPeriod) -> Written:
    """The report of *period* for the asset at *path*; kept, if the period is signed.

    Raises
    ------
    NotFoundError
        There is no such asset.
    NotAllowed
        The caller sees only a part of it.
    RequestError
        The period began less than a minute ago.
    """
    catalogue = store.catalogue()
    asset = _whole(find_asset(catalogue.plant, "asset", path), store)
    bound, span = bound_at(catalogue, asset.path), _closed(period, store.now())
    with store.connection() as connection:
        signed = frozen_between(connection, span.start, span.end)
        tags = late_tags(connection, signed, span.start, span.end, bound.tag_ids)
        operands = measured(catalogue, bound.tag_ids)
        complete = complete_as_of(connection, operands, store.now())
        gaps = gaps_of(connection, span, operands)
        key = _key(asset, period, signed)
        body = kept_report(connection, key) if key else None
    if body is None:
        subject = _Subject(asset, bound, period, span)
        body = dumps(_made(store, subject, signed, frozen=key is not None))
        if key is not None:
            body = _kept(store, key, body)
    touched: list[Effect] = []
    if tags:
        values = {line.kpi: line.value for line in _REPORT.validate_json(body).kpis}
        touched = effects(store, bound, [one.tag for one in tags], span, values)
    return Written(body, Late(sum(one.hours for one in tags), tags, touched), complete, gaps)


def _whole(asset: Asset, store: Store) -> Asset:
    if asset.type == PART:
        shown = ", ".join(store.areas.patterns)
        raise NotAllowed(
            f"you see only a part of {asset.path}: ask for an asset that lies in {shown}"
        )
    return asset


def _closed(period: ReportPeriod, now: datetime) -> Span:
    """What of *period* is over."""
    until = EPOCH + (now - _SETTLED - EPOCH) // MINUTE * MINUTE
    if until <= period.start:
        right = f"its first minute is in the summaries at {iso(period.start + MINUTE + _SETTLED)}"
        raise RequestError("at", period.name, right)
    return Span(period.start, min(period.end, until))


def _key(asset: Asset, period: ReportPeriod, signed: Sequence[SignedPeriod]) -> ReportKey | None:
    """By what the report is kept; None if *signed*, in order, leave a part of *period* open."""
    reached = period.start
    for one in signed:
        if one.start > reached:
            return None
        reached = max(reached, one.end)
    if not signed or reached < period.end:
        return None
    ids = tuple(one.id for one in signed)
    return ReportKey(period.kind.value, period.start, asset.path, ids)


def _kept(store: Store, key: ReportKey, body: bytes) -> bytes:
    with store.writing() as connection:
        kept = keep_report(connection, key, body)
    if kept is None:
        raise DatabaseBusy("the period was opened again while its report was written: ask again")
    return kept


@dataclass(frozen=True, slots=True)
class _Subject:
    """What a report is about; ``span`` is what of the period is over."""

    asset: Asset
    bound: Bound
    period: ReportPeriod
    span: Span


def _made(
    store: Store, subject: _Subject, signed: Sequence[SignedPeriod], *, frozen: bool
) -> Report:
    asset, period, span = subject.asset, subject.period, subject.span
    calendar = Calendar.of(store.catalogue().plant)
    # What runs is no measure for what is over, nor the other way round.
    over = span.end == period.end
    before = calendar.beginning(Unit(period.kind.value), period.start, 1) if over else None
    known_at = max(one.signed_at for one in signed) if frozen else None
    return Report(
        asset=asset.path,
        title=asset.title,
        period=period,
        until=span.end,
        compared_from=before,
        status=ReportStatus.SIGNED if frozen else ReportStatus.PRELIMINARY,
        signed=[
            SignedBy(one.name, one.start, one.end, one.signed_by, one.signed_at, one.reason)
            for one in signed
        ],
        code_version=version("ertis"),
        kpis=report_lines(store, subject.bound, span, before, known_at),
        alarms=alarms_of_period(store, "**" if asset.parent is None else asset.path, span),
    )
