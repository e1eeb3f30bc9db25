"""What goes on beside the stream: partitions made and dropped, a plant that was stored anew.

Partitions are made ahead of time, and dropped when their readings are older than they are kept.
"""

from datetime import UTC, datetime, timedelta
from threading import Event
from typing import Final

import psycopg
import structlog

from ingest.inbox import Inbox, Renamed
from ingest.lease import Lease
from ingest.start import load_names
from schemas.backoff import full_jitter
from schemas.db.engine import connect, wrap_errors
from schemas.db.tiers import maintain
from schemas.errors import ErtisError, UnavailableError

log = structlog.get_logger()

_EVERY_S: Final = 3600.0
_LONGEST_WAIT_S: Final = 300.0
_LOOK_S: Final = 0.5


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


class CatalogueWatch:
    """Reads the names again whenever the plant was stored, and leaves them in *inbox*."""

    def __init__(self, dsn: str, lease: Lease, inbox: Inbox) -> None:
        self._dsn = dsn
        self._lease = lease
        self._inbox = inbox
        self._known = lease.plant_stored_at

    def run(self, stop: Event) -> None:
        """Look until *stop* is set; the beat of the lease brings the time of the last store."""
        while not stop.wait(_LOOK_S):
            stored_at = self._lease.plant_stored_at
            if stored_at == self._known:
                continue
            try:
                names = load_names(self._dsn)
            except ErtisError as error:
                log.warning("the plant was stored anew and cannot be read", error=str(error))
                continue
            self._known = stored_at
            self._inbox.put(Renamed(names))
            log.info("the plant was stored anew", tags=len(names.ids))
