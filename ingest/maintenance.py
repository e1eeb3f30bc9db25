"""Partitions made ahead of time, and dropped when their readings are older than they are kept."""

from datetime import UTC, datetime, timedelta
from threading import Event
from typing import Final

import psycopg
import structlog

from schemas.backoff import full_jitter
from schemas.db.engine import connect, wrap_errors
from schemas.db.tiers import maintain
from schemas.errors import UnavailableError

log = structlog.get_logger()

_EVERY_S: Final = 3600.0
_LONGEST_WAIT_S: Final = 300.0


class Maintenance:
    """Keeps the tables of the database in shape; raw readings are kept for *keep*, None: ever."""

    def __init__(self, dsn: str, keep: timedelta | None) -> None:
        self._dsn = dsn
        self._keep = keep

    def run(self, stop: Event) -> None:
        """Work once an hour until *stop* is set; a database that is away is tried again."""
        attempt = 0
        while not stop.is_set():
            try:
                with wrap_errors(), connect(self._dsn, autocommit=True) as connection:
                    maintain(connection, datetime.now(UTC), {"reading": self._keep})
            except (UnavailableError, psycopg.Error) as error:
                if attempt == 0:
                    log.warning("maintenance failed; it is tried again", error=str(error).strip())
                stop.wait(full_jitter(attempt, cap_s=_LONGEST_WAIT_S))
                attempt += 1
            else:
                attempt = 0
                stop.wait(_EVERY_S)
