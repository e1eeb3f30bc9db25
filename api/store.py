"""The database as the API reads it: never written, every statement under a time limit.

Selects are SQLAlchemy Core; what a caller sends reaches PostgreSQL as a parameter alone.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Annotated

import sqlalchemy as sa
from fastapi import Depends, Request
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from api.settings import ApiSettings
from schemas.db.catalogue import Catalogue, load_catalogue
from schemas.db.engine import conninfo, make_engine, wrap_errors
from schemas.db.frames import FrameReader
from schemas.db.tables import plant

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """The clock of a running API."""
    return datetime.now(UTC)


def session(dsn: str, settings: ApiSettings) -> str:
    """*dsn* with the API's session: read only, one snapshot a transaction, a time limit."""
    given = conninfo_to_dict(conninfo(dsn))
    options = (
        "-c default_transaction_read_only=on "
        "-c default_transaction_isolation=repeatable\\ read "
        f"-c statement_timeout={round(settings.statement_timeout_s * 1000)}"
    )
    return make_conninfo("", **{**given, "options": f"{given['options']} {options}"})


class Store:
    """What the routes share. Every method blocks: call it in a thread.

    Construction connects nowhere; a database that is down shows at the first request, as
    `DatabaseDown`.
    """

    def __init__(self, dsn: str, settings: ApiSettings, now: Clock = utc_now) -> None:
        own = session(dsn, settings)
        self.settings = settings
        self.now = now
        self.frames = FrameReader(own)
        self._engine = make_engine(own, pool_size=settings.threads)
        self._catalogue: Catalogue | None = None
        self._loaded_at: datetime | None = None
        self._checked_at = datetime.min.replace(tzinfo=UTC)
        self._lock = threading.Lock()

    @contextmanager
    def connection(self) -> Iterator[sa.Connection]:
        """A transaction on one snapshot of the database.

        Raises
        ------
        UnavailableError
            The database does not answer, or gave the transaction up.
        """
        with wrap_errors(), self._engine.connect() as connection:
            yield connection

    def catalogue(self) -> Catalogue:
        """The plant; read again after ``python -m ingest migrate --plant`` changed it."""
        with self._lock:
            now = utc_now()
            fresh = now - self._checked_at < timedelta(seconds=self.settings.catalogue_s)
            if self._catalogue is not None and fresh:
                return self._catalogue
            with self.connection() as connection:
                loaded_at = connection.scalar(sa.select(plant.c.loaded_at))
                if self._catalogue is None or loaded_at != self._loaded_at:
                    self._catalogue = load_catalogue(connection)
                    self._loaded_at = loaded_at
            self._checked_at = now
            return self._catalogue

    def close(self) -> None:
        """Give the connections back."""
        self.frames.close()
        self._engine.dispose()


def _store(request: Request) -> Store:
    found = request.app.state.store
    assert isinstance(found, Store)  # noqa: S101 - create_app puts it there
    return found


Database = Annotated[Store, Depends(_store)]
