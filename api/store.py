"""The database as the API reads it, every statement under a time limit; writes are apart.

Selects are SQLAlchemy Core; what a caller sends reaches PostgreSQL as a parameter alone.
"""

import copy
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Annotated

import sqlalchemy as sa
from fastapi import Depends, Request
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from api.access.areas import EVERYWHERE, Areas, seen
from api.access.person import Asking
from api.settings import ApiSettings
from schemas.db.catalogue import Catalogue, load_catalogue
from schemas.db.engine import conninfo, make_engine, wrap_errors
from schemas.db.frames import FrameReader
from schemas.db.tables import plant
from schemas.instant import EPOCH

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """The clock of a running API."""
    return datetime.now(UTC)


_READING = "-c default_transaction_read_only=on -c default_transaction_isolation=repeatable\\ read "


def session(dsn: str, settings: ApiSettings, mode: str = _READING) -> str:
    """*dsn* with the API's session: read only, one snapshot a transaction, a time limit."""
    given = conninfo_to_dict(conninfo(dsn))
    options = f"{mode}-c statement_timeout={round(settings.statement_timeout_s * 1000)}"
    return make_conninfo("", **{**given, "options": f"{given['options']} {options}"})


def array(tag_ids: Iterable[int]) -> sa.Cast[Sequence[int]]:
    """*tag_ids* as one parameter, written out: of the site a list takes 10 ms (2026-11-22)."""
    written = ",".join(str(int(tag_id)) for tag_id in tag_ids)
    return sa.cast(sa.literal(f"{{{written}}}", sa.String()), sa.ARRAY(sa.Integer))


class Store:
    """What the routes share. Every method blocks: call it in a thread.

    Construction connects nowhere; a database that is down shows at the first request, as
    `DatabaseDown`. ``areas`` is the part of the plant that `catalogue` shows.
    """

    def __init__(self, dsn: str, settings: ApiSettings, now: Clock = utc_now) -> None:
        own = session(dsn, settings)
        self.settings = settings
        self.now = now
        self.areas = EVERYWHERE
        self.frames = FrameReader(own)
        self._engine = make_engine(own, pool_size=settings.threads)
        self._writer = make_engine(session(dsn, settings, ""), pool_size=2)
        self._known = _Known()

    def seen_by(self, areas: Areas) -> "Store":
        """The same store, where the catalogue shows *areas* alone."""
        other = copy.copy(self)
        other.areas = areas
        return other

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

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """A transaction that may write; enter in the audit log what it does.

        Raises
        ------
        UnavailableError
            The database does not answer, or gave the transaction up.
        """
        with wrap_errors(), self._writer.begin() as connection:
            yield connection

    def catalogue(self) -> Catalogue:
        """The plant as far as `areas` go; read again when ``ingest migrate --plant`` changed it."""
        known = self._known
        with known.lock:
            now = utc_now()
            fresh = now - known.checked_at < timedelta(seconds=self.settings.catalogue_s)
            if EVERYWHERE not in known.catalogues or not fresh:
                with self.connection() as connection:
                    loaded_at = connection.scalar(sa.select(plant.c.loaded_at))
                    if EVERYWHERE not in known.catalogues or loaded_at != known.loaded_at:
                        known.catalogues = {EVERYWHERE: load_catalogue(connection)}
                        known.loaded_at = loaded_at
                known.checked_at = now
            if self.areas not in known.catalogues:
                known.catalogues[self.areas] = seen(known.catalogues[EVERYWHERE], self.areas)
            return known.catalogues[self.areas]

    def close(self) -> None:
        """Give the connections back."""
        self.frames.close()
        self._engine.dispose()
        self._writer.dispose()


@dataclass(slots=True, eq=False)
class _Known:
    """The plant as it was last read, and what of it is seen from each set of areas in use."""

    catalogues: dict[Areas, Catalogue] = field(default_factory=dict)
    loaded_at: datetime | None = None
    checked_at: datetime = EPOCH
    lock: threading.Lock = field(default_factory=threading.Lock)


def store_of(request: Request) -> Store:
    """The store with the whole plant: for routes that show nothing of it."""
    found = request.app.state.store
    assert isinstance(found, Store)  # noqa: S101 - create_app puts it there
    return found


def _seen(store: Annotated[Store, Depends(store_of)], person: Asking) -> Store:
    return store.seen_by(person.areas)


#: The store as whoever asks sees it.
Database = Annotated[Store, Depends(_seen)]
