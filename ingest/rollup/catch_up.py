"""Bring the rollups and the inputs of KPIs up to date at one go, and say how much is left.

It is what the rollup worker does beside ingest, for whoever waits for it: after a history was
loaded, a backup restored or a plant stored. Beside a running worker the two take turns.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import psycopg

from ingest.rollup.worker import RollupWorker
from schemas.errors import AlreadyAtWork

_TURN_S: Final = 0.2
_MARK: Final = """
    INSERT INTO dirty (bucket, tag_ids)
    SELECT date_trunc('minute', ts, 'UTC'), array_agg(DISTINCT tag_id ORDER BY tag_id)
    FROM reading WHERE ts >= %s AND ts < %s GROUP BY 1"""


@dataclass(frozen=True, slots=True)
class Left:
    """What is still to be done: marked ``minutes`` of tags, ``hours`` of inputs that are new."""

    minutes: int
    hours: int


def mark(connection: psycopg.Connection, start: datetime, end: datetime) -> int:
    """Mark every minute of a tag that has readings in [start, end); how many minutes of the clock.

    It is for readings that were written by something else than ingest, which leaves its own marks.
    """
    return connection.execute(_MARK, (start, end)).rowcount


def catch_up(worker: RollupWorker, now: datetime, patience_s: float = 60.0) -> Iterator[Left]:
    """Do all that is due at *now*, and tell after each step what is left; minutes come first.

    Raises
    ------
    AlreadyAtWork
        Another process was at it for *patience_s* [s] without letting this one have a turn.
    UnavailableError
        The database does not answer; what was done stays done.
    """
    waiting_since: float | None = None
    hours = 0
    while True:
        try:
            marked = worker.step(now).marked
            if not marked:
                past = worker.build(now)
                hours = 0 if past is None else past.hours_left
                if past is None:
                    return
        except AlreadyAtWork:
            waiting_since = waiting_since or time.monotonic()
            if time.monotonic() - waiting_since > patience_s:
                raise
            time.sleep(_TURN_S)
            continue
        waiting_since = None
        yield Left(worker.due(now), hours)
