"""Reports of signed periods, kept as they were first answered.

Neither late readings, another plant model nor another version of Ertis change a byte of them. A
report is known by the signatures that cover its period. If one of them is opened again and the
period signed anew, that is another report; the old one stays on record.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, and_, func, select
from sqlalchemy.dialects.postgresql import insert

from schemas.db.tables import period, report


@dataclass(frozen=True, slots=True)
class ReportKey:
    """The report of the shift, day or month (``kind``) from ``start`` on, of the asset at a path.

    ``period_ids`` are the signatures that cover it, by time.
    """

    kind: str
    start: datetime
    asset: str
    period_ids: tuple[int, ...]


def kept_report(connection: Connection, key: ReportKey) -> bytes | None:
    """The bytes of a report that was kept; None if it was not."""
    found = connection.execute(
        select(report.c.body).where(
            report.c.start_at == key.start,
            report.c.kind == key.kind,
            report.c.asset == key.asset,
            report.c.period_ids == list(key.period_ids),
        )
    ).scalar()
    return None if found is None else bytes(found)


def keep_report(connection: Connection, key: ReportKey, body: bytes) -> bytes | None:
    """Keep *body* in the caller's transaction; what is kept of it now, which another may have made.

    None if a signature of it holds no more: what *body* says may then be of after the opening.
    """
    held = and_(period.c.id.in_(key.period_ids), period.c.reopened_at.is_(None))
    holding = connection.scalar(select(func.count()).select_from(period).where(held))
    if holding != len(key.period_ids):
        return None
    row = {"kind": key.kind, "start_at": key.start, "asset": key.asset, "body": body}
    values = insert(report).values(**row, period_ids=list(key.period_ids))
    connection.execute(values.on_conflict_do_nothing())
    return kept_report(connection, key)
