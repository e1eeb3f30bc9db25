"""Ways into PostgreSQL, and its errors in our words.

An empty DSN means libpq's own variables (``PGHOST``, ``PGDATABASE`` ...), as for psql.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import adbc_driver_manager
import psycopg
import sqlalchemy
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from schemas.errors import (
    ConfigError,
    DatabaseBusy,
    DatabaseDown,
    StorageFull,
    TablesMissing,
    UnavailableError,
)

#: What libpq gets where the DSN says nothing. A peer that vanished without a word is noticed
#: after 10 + 3 * 5 s, and after 30 s with data under way (tcp_user_timeout, ms).
_DEFAULTS: Final = {
    "fallback_application_name": "ertis",
    "connect_timeout": "10",
    "keepalives_idle": "10",
    "keepalives_interval": "5",
    "keepalives_count": "3",
    "tcp_user_timeout": "30000",
}

#: What helps where a message of the server does not say it.
_ADVICE: Final[dict[type[UnavailableError], str]] = {
    TablesMissing: "; bring the tables up to date: python -m ingest migrate --plant FILE"
}

#: By SQLSTATE or its class (PostgreSQL manual, appendix A); the longest match decides.
_UNAVAILABLE: Final[dict[str, type[UnavailableError]]] = {
    "08": DatabaseDown,  # connection exceptions
    "57P": DatabaseDown,  # shutdown, crash of a sibling, starting up
    "58": DatabaseDown,  # the server's system calls fail
    "25006": DatabaseDown,  # read only: a standby that is not yet promoted
    "53": DatabaseBusy,  # out of memory, connections or locks
    "53100": StorageFull,
    "40": DatabaseBusy,  # deadlock, serialisation
    "55P03": DatabaseBusy,  # lock timeout
    "57014": DatabaseBusy,  # statement timeout
    "42P01": TablesMissing,  # undefined table
    "42703": TablesMissing,  # undefined column
}


def conninfo(dsn: str) -> str:
    """The libpq string for *dsn* (URI, key=value or empty): UTC session, dead peers noticed.

    Raises
    ------
    ConfigError
        libpq cannot read the DSN.
    """
    try:
        given = conninfo_to_dict(dsn)
    except psycopg.ProgrammingError as error:
        raise ConfigError(
            "ERTIS_DSN", dsn, f"a libpq connection string or URI ({str(error).strip()})"
        ) from error
    options = given.pop("options", None) or os.environ.get("PGOPTIONS", "")
    return make_conninfo("", **(_DEFAULTS | given), options=f"{options} -c TimeZone=UTC".strip())


def connect(dsn: str, *, autocommit: bool = False) -> psycopg.Connection:
    """A psycopg connection whose session speaks UTC.

    Raises
    ------
    DatabaseDown
        Nobody answers there, or not yet.
    """
    with wrap_errors():
        return psycopg.connect(conninfo(dsn), autocommit=autocommit)


def make_engine(dsn: str, *, pool_size: int = 5) -> sqlalchemy.Engine:
    """A SQLAlchemy engine on psycopg; a connection that died in the pool is replaced unseen."""
    return sqlalchemy.create_engine(
        "postgresql+psycopg://",
        creator=lambda: connect(dsn),
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=10,
        pool_pre_ping=True,
    )


def psycopg_of(connection: sqlalchemy.Connection) -> psycopg.Connection:
    """The psycopg connection below *connection*, in the same transaction."""
    driver = connection.connection.driver_connection
    assert isinstance(driver, psycopg.Connection)  # noqa: S101 - make_engine knows no other driver
    return driver


@contextmanager
def wrap_errors() -> Iterator[None]:
    """Raise driver errors that may pass as `UnavailableError`, the cause kept; others as they are.

    Raises
    ------
    DatabaseDown
        The server is gone, starting or stopping.
    DatabaseBusy
        The server gave this transaction up; the next may pass.
    StorageFull
        The server's disk has no room.
    TablesMissing
        The database is not migrated to this version.
    """
    try:
        yield
    except sqlalchemy.exc.TimeoutError as error:
        raise DatabaseBusy(f"every pooled connection is in use: {error}") from error
    except (psycopg.Error, sqlalchemy.exc.DBAPIError, adbc_driver_manager.Error) as error:
        if (ours := _unavailable(error)) is None:
            raise
        raise ours from error


def _unavailable(error: Exception) -> UnavailableError | None:
    cause = error.orig if isinstance(error, sqlalchemy.exc.DBAPIError) else error
    message = str(cause).strip()
    if state := getattr(cause, "sqlstate", None):
        for length in (5, 3, 2):
            if found := _UNAVAILABLE.get(state[:length]):
                first = message.partition("\n")[0] if found in _ADVICE else message
                return found(f"{first} (SQLSTATE {state}){_ADVICE.get(found, '')}")
        return None
    # libpq gives no SQLSTATE for a connection that failed or broke.
    if isinstance(cause, psycopg.OperationalError | adbc_driver_manager.OperationalError):
        return DatabaseDown(message)
    return None
