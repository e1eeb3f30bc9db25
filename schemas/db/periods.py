"""Signed periods in the database: closed by whom and why, what came too late, opened again.

The summaries of a signed period are frozen, so an answer about it stays what it was. Readings that
come later are stored, what they would change is noted by the rollup worker (table ``late``), and
opening the period again applies it. Each row of ``period`` is one signature; none is ever removed.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import (
    ARRAY,
    Connection,
    Integer,
    Select,
    any_,
    cast,
    func,
    insert,
    literal,
    or_,
    select,
    update,
)

from schemas.db.audit import record
from schemas.db.catalogue import Catalogue
from schemas.db.tables import dirty, gap, late, period, tag
from schemas.errors import ConflictError, NotFoundError, PeriodSigned, nearest

#: Advisory lock of a transaction that changes summaries or what of them is frozen: a step of the
#: rollup worker, a signature, an opening. "ERTIroll".
LOCK: Final = 0x45525449_726F6C6C
_HOUR: Final = timedelta(hours=1)
_MINUTE: Final = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Decision:
    """Who decides to sign or to open, when and why."""

    by: str
    at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class SignedPeriod:
    """A period that was signed, [start, end). It is frozen until it is ``reopened_at``.

    ``late`` hours of tags would be different if it were opened (again).
    """

    id: int
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
class LateTag:
    """A tag of which some ``hours`` would be different; ``found_at``: when that was last seen."""

    tag: str
    hours: int
    first: datetime
    last: datetime
    found_at: datetime


def periods(connection: Connection) -> list[SignedPeriod]:
    """All signatures, those that were opened again too, by time of the period."""
    return [SignedPeriod(*row) for row in connection.execute(_rows())]


def frozen_between(connection: Connection, start: datetime, end: datetime) -> list[SignedPeriod]:
    """The periods that are frozen and have a part in [start, end), in order."""
    touched = (period.c.start_at < end, period.c.end_at > start)
    query = _rows().where(period.c.reopened_at.is_(None), *touched)
    return [SignedPeriod(*row) for row in connection.execute(query)]


def find_frozen(connection: Connection, name: str) -> SignedPeriod:
    """The frozen period that is called *name*; `NotFoundError` names the nearest one."""
    query = _rows().where(period.c.reopened_at.is_(None))
    known = {row.name: SignedPeriod(*row) for row in connection.execute(query)}
    if name not in known:
        raise NotFoundError("name", name, f"it is not signed; {nearest(name, known)}")
    return known[name]


def late_tags(
    connection: Connection,
    signed: Iterable[SignedPeriod],
    start: datetime,
    end: datetime,
    tag_ids: Sequence[int] | None = None,
) -> list[LateTag]:
    """What of [start, end) the periods *signed* keep though readings changed, by path of the tag.

    Only of *tag_ids*, if they are given.
    """
    query = (
        select(
            tag.c.path,
            func.count(),
            func.min(late.c.bucket),
            func.max(late.c.bucket),
            func.max(late.c.found_at),
        )
        .join_from(late, tag, late.c.tag_id == tag.c.id)
        .where(
            late.c.period_id.in_([one.id for one in signed]),
            late.c.bucket > start - _HOUR,
            late.c.bucket < end,
        )
        .group_by(tag.c.path)
        .order_by(tag.c.path)
    )
    if tag_ids is not None:
        query = query.where(late.c.tag_id == any_(cast(list(tag_ids), ARRAY(Integer))))
    return [LateTag(*row) for row in connection.execute(query)]


def sign(
    connection: Connection, name: str, span: tuple[datetime, datetime], decision: Decision
) -> SignedPeriod:
    """Sign the period *name*, which is *span*, in the caller's transaction, audit log included.

    Raises
    ------
    PeriodSigned
        It is signed, or a part of it is.
    ConflictError
        It is not over, or has minutes that are still to be summarised.
    """
    start, end = span
    if end > decision.at:
        raise ConflictError("name", name, f"it ends at {end:%Y-%m-%d %H:%M} UTC: sign it then")
    _alone(connection)
    for other in frozen_between(connection, start, end):
        raise PeriodSigned("name", name, f"{other.name} is signed: open it again first")
    pending = func.coalesce(func.sum(func.cardinality(dirty.c.tag_ids)), 0)
    if waiting := connection.scalar(select(pending).where(dirty.c.bucket < end)):
        right = f"{waiting} minutes of tags before its end wait for the rollup worker: sign then"
        raise ConflictError("name", name, right)
    row = {"name": name, "start_at": start, "end_at": end, "signed_at": decision.at}
    connection.execute(insert(period).values(**row, signed_by=decision.by, reason=decision.reason))
    after = {"start": start.isoformat(), "end": end.isoformat()}
    at, by = decision.at, decision.by
    record(connection, at, by, "period.sign", name, after=after, reason=decision.reason)
    return find_frozen(connection, name)


def gaps_open(connection: Connection, end: datetime) -> int:
    """How many gaps that began before *end* are still open: what may arrive late."""
    began = or_(gap.c.from_ts.is_(None), gap.c.from_ts < end)
    counted = select(func.count()).select_from(gap).where(gap.c.closed_at.is_(None), began)
    return connection.execute(counted).scalar_one()


def reopen(
    connection: Connection, catalogue: Catalogue, name: str, decision: Decision
) -> SignedPeriod:
    """Open the period *name* again in the caller's transaction; ``late`` hours of tags change.

    They are marked for the rollup worker, which makes their summaries again.

    Raises
    ------
    NotFoundError
        No period of that name is signed.
    """
    _alone(connection)
    found = find_frozen(connection, name)
    at, by, reason = decision.at, decision.by, decision.reason
    told = {"reopened_at": at, "reopened_by": by, "reopened_reason": reason}
    connection.execute(update(period).where(period.c.id == found.id).values(**told))
    _mark_late(connection, catalogue, found.id)
    before = {"signed_by": found.signed_by, "signed_at": found.signed_at.isoformat()}
    record(connection, at, by, "period.reopen", name, before=before, reason=reason)
    return SignedPeriod(*connection.execute(_rows().where(period.c.id == found.id)).one())


def _mark_late(connection: Connection, catalogue: Catalogue, period_id: int) -> None:
    """Mark every minute of the late hours, for the measured tags that theirs are made of."""
    hours: dict[datetime, set[int]] = {}
    query = select(late.c.tag_id, late.c.bucket).where(late.c.period_id == period_id)
    for tag_id, hour in connection.execute(query):
        if tag_id not in catalogue.tags:  # taken out of the plant since
            continue
        made_of = catalogue.plant.made_of(catalogue.tags[tag_id].path)
        hours.setdefault(hour, set()).update(catalogue.tag_ids[one.path] for one in made_of)
    marks = [
        {"bucket": hour + minute * _MINUTE, "tag_ids": sorted(tag_ids)}
        for hour, tag_ids in hours.items()
        for minute in range(_HOUR // _MINUTE)
    ]
    if marks:
        connection.execute(insert(dirty), marks)


def _alone(connection: Connection) -> None:
    """Let no step of the rollup worker and no other signature be under way in this transaction."""
    connection.execute(select(func.pg_advisory_xact_lock(literal(LOCK))))


def _rows() -> Select[Any]:
    """The columns of `SignedPeriod`."""
    own = period.c
    changed = select(func.count()).where(late.c.period_id == own.id).scalar_subquery()
    told = (own.reopened_at, own.reopened_by, own.reopened_reason)
    return select(
        own.id,
        own.name,
        own.start_at,
        own.end_at,
        own.signed_at,
        own.signed_by,
        own.reason,
        changed,
        *told,
    ).order_by(own.start_at, own.id)
