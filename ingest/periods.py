"""Periods that are closed and signed: month end, by whom and why; and opened again.

The summaries of a signed period are frozen, so an answer about it stays what it was. Readings that
come later are stored, what they would change is noted (`ingest.rollup.signed`), and opening the
period again applies it. Each row of ``period`` is one signature; none is ever removed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import psycopg
import sqlalchemy as sa
from psycopg.rows import class_row

from ingest.rollup import marks
from ingest.rollup.worker import LOCK
from kpi.calendar import Calendar
from schemas.db.catalogue import Catalogue, load_catalogue
from schemas.db.engine import psycopg_of
from schemas.errors import ConfigError, nearest

_HOUR: Final = timedelta(hours=1)
_ROWS = """
    SELECT name, start_at, end_at, signed_at, signed_by, reason,
           (SELECT count(*) FROM late WHERE period_id = period.id) AS late,
           reopened_at, reopened_by, reopened_reason
    FROM period ORDER BY start_at, id"""
_LATE = """
    SELECT tag.path AS tag, count(*) AS hours, min(bucket) AS first, max(bucket) AS last,
           max(found_at) AS found_at
    FROM late JOIN tag ON tag.id = late.tag_id WHERE period_id = %s GROUP BY tag.path ORDER BY 1"""
_SIGN = """
    INSERT INTO period (name, start_at, end_at, signed_at, signed_by, reason)
    VALUES (%s, %s, %s, %s, %s, %s)"""
_REOPEN = """
    UPDATE period SET reopened_at = %s, reopened_by = %s, reopened_reason = %s WHERE id = %s"""


@dataclass(frozen=True, slots=True)
class PeriodRow:
    """A signature. ``late`` hours of tags have changed since; ``reopened_at``: it holds no more."""

    name: str
    start_at: datetime
    end_at: datetime
    signed_at: datetime
    signed_by: str
    reason: str
    late: int
    reopened_at: datetime | None
    reopened_by: str | None
    reopened_reason: str | None


@dataclass(frozen=True, slots=True)
class LateRow:
    """A tag of which some ``hours`` of a signed period would be different now."""

    tag: str
    hours: int
    first: datetime
    last: datetime
    found_at: datetime


def periods(connection: psycopg.Connection) -> Sequence[PeriodRow]:
    """All signatures, by time of the period."""
    with connection.cursor(row_factory=class_row(PeriodRow)) as cursor:
        return cursor.execute(_ROWS).fetchall()


def late(connection: psycopg.Connection, name: str) -> Sequence[LateRow]:
    """What would change in the signed period *name*, by tag.

    Raises
    ------
    ConfigError
        No period of that name is signed.
    """
    period_id = _signed(connection, name)
    with connection.cursor(row_factory=class_row(LateRow)) as cursor:
        return cursor.execute(_LATE, (period_id,)).fetchall()


def sign(connection: sa.Connection, name: str, by: str, reason: str, now: datetime) -> int:
    """Sign the period *name* in the caller's transaction; how many of its gaps are still open.

    Raises
    ------
    ConfigError
        *name* is no year, month or day; the period is not over, overlaps a signed one, or has
        minutes that are still to be summarised.
    """
    zone = ZoneInfo(load_catalogue(connection).plant.time_zone)
    span = Calendar(zone, zone).named(name)
    if span is None:
        raise ConfigError("period", name, "name a year, month or day: 2026, 2026-10, 2026-10-31")
    start, end = span
    if end > now:
        raise ConfigError("period", name, f"it ends at {end:%Y-%m-%d %H:%M} UTC: sign it then")
    driver = psycopg_of(connection)
    # No step of the rollup worker is under way while this is held.
    driver.execute("SELECT pg_advisory_xact_lock(%s)", (LOCK,))
    for other in periods(driver):
        if other.reopened_at is None and other.start_at < end and other.end_at > start:
            raise ConfigError("period", name, f"{other.name} is signed: open it again first")
    waiting = _count(
        driver,
        "SELECT coalesce(sum(cardinality(tag_ids)), 0)::int8 FROM dirty WHERE bucket < %s",
        end,
    )
    if waiting:
        right = f"{waiting} minutes of tags before its end wait for the rollup worker: sign then"
        raise ConfigError("period", name, right)
    driver.execute(_SIGN, (name, start, end, now, by, reason))
    return _count(
        driver,
        "SELECT count(*) FROM gap WHERE closed_at IS NULL AND (from_ts IS NULL OR from_ts < %s)",
        end,
    )


def reopen(connection: sa.Connection, name: str, by: str, reason: str, now: datetime) -> int:
    """Open the period *name* again in the caller's transaction; how many hours of tags change.

    The rollup worker makes their summaries again.

    Raises
    ------
    ConfigError
        No period of that name is signed.
    """
    driver = psycopg_of(connection)
    driver.execute("SELECT pg_advisory_xact_lock(%s)", (LOCK,))
    period_id = _signed(driver, name)
    driver.execute(_REOPEN, (now, by, reason, period_id))
    found = driver.execute(
        "SELECT tag_id, bucket FROM late WHERE period_id = %s", (period_id,)
    ).fetchall()
    marks.leave(driver, _marks(load_catalogue(connection), found))
    return len(found)


def _marks(catalogue: Catalogue, hours: Sequence[tuple[int, datetime]]) -> dict[int, list[int]]:
    """Every minute of *hours*, for the measured tags that theirs are made of."""
    found: dict[int, set[int]] = {}
    for tag_id, hour in hours:
        made_of = list(catalogue.plant.made_of(catalogue.tags[tag_id].path))
        first = marks.minute_of(hour)
        for minute in range(first, first + _HOUR // timedelta(minutes=1)):
            found.setdefault(minute, set()).update(catalogue.tag_ids[tag.path] for tag in made_of)
    return {minute: sorted(tag_ids) for minute, tag_ids in found.items()}


def _signed(connection: psycopg.Connection, name: str) -> int:
    rows = connection.execute("SELECT name, id FROM period WHERE reopened_at IS NULL").fetchall()
    known: dict[str, int] = dict(rows)
    if name not in known:
        raise ConfigError("period", name, f"it is not signed; {nearest(name, known)}")
    return known[name]


def _count(connection: psycopg.Connection, query: str, end: datetime) -> int:
    row = connection.execute(query, (end,)).fetchone()
    return 0 if row is None else int(row[0])
