"""Periods by the name that an accountant types: signed and opened again on the command line."""

from datetime import datetime

import sqlalchemy as sa

from kpi.calendar import Calendar
from schemas.db import periods
from schemas.db.catalogue import load_catalogue
from schemas.db.periods import Decision
from schemas.errors import RequestError


def sign(connection: sa.Connection, name: str, by: str, reason: str, now: datetime) -> int:
    """Sign the period *name* in the caller's transaction; how many of its gaps are still open.

    Raises
    ------
    RequestError
        *name* is no year, month, day or shift; or as `schemas.db.periods.sign`.
    """
    span = Calendar.of(load_catalogue(connection).plant).named(name)
    if span is None:
        right = "name a year, month, day or shift: 2026, 2026-10, 2026-10-31, 2026-10-31-night"
        raise RequestError("name", name, right)
    signed = periods.sign(connection, name, span, Decision(by, now, reason))
    return periods.gaps_open(connection, signed.end)


def reopen(connection: sa.Connection, name: str, by: str, reason: str, now: datetime) -> int:
    """Open the period *name* again in the caller's transaction; how many hours of tags change.

    Raises
    ------
    NotFoundError
        No period of that name is signed.
    """
    catalogue = load_catalogue(connection)
    return periods.reopen(connection, catalogue, name, Decision(by, now, reason)).late
