"""Ways into the database, and its errors in our words."""

import psycopg
import pytest
import sqlalchemy
from adbc_driver_postgresql import dbapi
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from schemas.db.engine import connect, conninfo, make_engine, wrap_errors
from schemas.errors import (
    ConfigError,
    DatabaseBusy,
    DatabaseDown,
    StorageFull,
    TablesMissing,
    UnavailableError,
)
from tests.fixtures.ports import free_port

STATES = [
    ("08006", DatabaseDown),
    ("57P01", DatabaseDown),
    ("57P03", DatabaseDown),
    ("58030", DatabaseDown),
    ("25006", DatabaseDown),
    ("53100", StorageFull),
    ("53300", DatabaseBusy),
    ("40P01", DatabaseBusy),
    ("40001", DatabaseBusy),
    ("55P03", DatabaseBusy),
    ("57014", DatabaseBusy),
    ("42P01", TablesMissing),
    ("42703", TablesMissing),
]


def raising(state: str) -> str:
    """A statement that the server fails with that SQLSTATE."""
    return f"DO $$ BEGIN RAISE EXCEPTION 'as asked' USING ERRCODE = '{state}'; END $$"


@pytest.mark.parametrize(("state", "expected"), STATES)
def test_psycopg_errors_that_may_pass_become_ours(
    server: str, state: str, expected: type[UnavailableError]
) -> None:
    """The SQLSTATE decides; the driver's error stays as the cause."""
    with (
        connect(server) as connection,
        pytest.raises(expected, match=state) as caught,
        wrap_errors(),
    ):
        connection.execute(raising(state).encode())

    assert isinstance(caught.value.__cause__, psycopg.Error)


@pytest.mark.parametrize(("state", "expected"), STATES)
def test_sqlalchemy_errors_that_may_pass_become_ours(
    server: str, state: str, expected: type[UnavailableError]
) -> None:
    """Likewise below SQLAlchemy."""
    engine = make_engine(server)
    with engine.connect() as connection, pytest.raises(expected, match=state), wrap_errors():
        connection.exec_driver_sql(raising(state))
    engine.dispose()


@pytest.mark.parametrize(("state", "expected"), STATES)
def test_adbc_errors_that_may_pass_become_ours(
    server: str, state: str, expected: type[UnavailableError]
) -> None:
    """Likewise below ADBC."""
    with (
        dbapi.connect(conninfo(server), autocommit=True) as connection,
        connection.cursor() as cursor,
        pytest.raises(expected, match=state),
        wrap_errors(),
    ):
        cursor.execute(raising(state))


def test_an_error_of_the_statement_stays_as_it_is(database: str) -> None:
    """A broken unique key is for the writer to handle, not for a retry."""
    insert = "INSERT INTO plant VALUES ('park', '', 'UTC', now())"
    with connect(database) as connection:
        connection.execute(insert)
        with pytest.raises(psycopg.errors.UniqueViolation), wrap_errors():
            connection.execute(insert)


def test_a_session_that_the_server_ends_is_a_database_that_is_down(server: str) -> None:
    """What a client sees of a fast shutdown in the middle of its work."""
    with connect(server, autocommit=True) as killer, connect(server) as victim:
        killer.execute("SELECT pg_terminate_backend(%s)", (victim.info.backend_pid,))
        with pytest.raises(DatabaseDown), wrap_errors():
            victim.execute("SELECT 1")
        with pytest.raises(DatabaseDown), wrap_errors():
            victim.execute("SELECT 1")


def test_nobody_at_the_port_is_a_database_that_is_down() -> None:
    """Both ways in say so in the same words."""
    dsn = f"host=127.0.0.1 port={free_port()} dbname=nowhere"
    with pytest.raises(DatabaseDown, match="refused"):
        connect(dsn)
    with pytest.raises(DatabaseDown, match="refused"):
        make_engine(dsn).connect()


def test_an_empty_pool_is_a_busy_database(server: str) -> None:
    """All pooled connections taken: the caller may try again."""
    engine = sqlalchemy.create_engine(
        "postgresql+psycopg://",
        creator=lambda: connect(server),
        pool_size=1,
        max_overflow=0,
        pool_timeout=0.01,
    )
    with engine.connect(), pytest.raises(DatabaseBusy), wrap_errors():
        engine.connect()
    engine.dispose()


def test_a_pooled_connection_that_died_is_replaced(server: str) -> None:
    """After a restart of the server the engine's next use works."""
    engine = make_engine(server, pool_size=1)
    with engine.connect() as connection:
        pid = connection.scalar(sqlalchemy.text("SELECT pg_backend_pid()"))
    with connect(server, autocommit=True) as killer:
        killer.execute("SELECT pg_terminate_backend(%s, 10000)", (pid,))
    with engine.connect() as connection:
        assert connection.scalar(sqlalchemy.text("SELECT pg_backend_pid()")) != pid
    engine.dispose()


def test_sessions_speak_utc_whatever_the_database_prefers(database: str) -> None:
    """A database with a local time zone still gives UTC to every driver."""
    with connect(database, autocommit=True) as connection:
        name = connection.info.dbname
        connection.execute(f"ALTER DATABASE {name} SET timezone = 'Asia/Almaty'".encode())
    with connect(database) as connection:
        assert connection.execute("SHOW timezone").fetchone() == ("UTC",)


def test_an_empty_dsn_means_the_variables_of_libpq(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PGHOST, PGUSER and PGDATABASE lead to the database, as for psql; PGOPTIONS still holds."""
    for key, value in conninfo_to_dict(database).items():
        name = {"dbname": "DATABASE"}.get(key, key.upper())
        monkeypatch.setenv(f"PG{name}", str(value))
    monkeypatch.setenv("PGOPTIONS", "-c work_mem=5MB")
    with connect("") as connection:
        assert connection.info.dbname == conninfo_to_dict(database)["dbname"]
        assert connection.execute("SHOW work_mem").fetchone() == ("5MB",)
        assert connection.execute("SHOW timezone").fetchone() == ("UTC",)


def test_what_the_dsn_says_wins_over_the_defaults() -> None:
    """An operator's own time-outs and options are kept."""
    made = conninfo_to_dict(
        conninfo(make_conninfo("", connect_timeout="3", options="-c jit=off", host="h"))
    )

    assert made["connect_timeout"] == "3"
    assert made["options"] == "-c jit=off -c TimeZone=UTC"
    assert made["tcp_user_timeout"] == "30000"


def test_a_dsn_that_libpq_cannot_read_is_the_operators_error() -> None:
    """The message names the variable."""
    with pytest.raises(ConfigError, match="ERTIS_DSN"):
        conninfo("postgres=//x y")
