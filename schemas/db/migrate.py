"""Bring a database to the tables of this version, by Alembic."""

from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text

from schemas.db.engine import make_engine, psycopg_of, wrap_errors
from schemas.db.tiers import offer_timescale

#: Two services that start together migrate one after the other.
_LOCK: Final = 0x4552544953  # "ERTIS"


def upgrade(dsn: str, revision: str = "head") -> None:
    """Create or bring up to date all tables; does nothing where they are.

    Raises
    ------
    DatabaseDown
        Nobody answers at *dsn*.
    """
    _run(dsn, revision, up=True)


def downgrade(dsn: str, revision: str = "base") -> None:
    """Go back to *revision*: the tables made after it are dropped with what they hold."""
    _run(dsn, revision, up=False)


def _run(dsn: str, revision: str, *, up: bool) -> None:
    engine = make_engine(dsn)
    try:
        with wrap_errors(), engine.connect() as connection:
            connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": _LOCK})
            connection.commit()
            try:
                _migrate(connection, revision, up=up)
            finally:
                connection.rollback()
                connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": _LOCK})
                connection.commit()
    finally:
        engine.dispose()


def _migrate(connection: Connection, revision: str, *, up: bool) -> None:
    if up:
        offer_timescale(psycopg_of(connection))
        connection.commit()
    config = Config()
    config.set_main_option(
        "script_location", str(Path(__file__).with_name("migrations")).replace("%", "%%")
    )
    config.attributes["connection"] = connection
    (command.upgrade if up else command.downgrade)(config, revision)
    connection.commit()
