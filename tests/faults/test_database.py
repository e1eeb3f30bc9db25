"""The database stops, crashes, or stays away until every buffer is full."""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo

from schemas.db.migrate import upgrade
from standalone.database import EmbeddedDatabase
from tests.faults.conftest import prepared
from tests.faults.load import Load, before_the_hour
from tests.faults.scenario import Promise
from tests.faults.stand import PATIENCE_S, Stand
from tests.fixtures.database import SETTINGS
from tests.fixtures.until import until


@pytest.fixture(scope="module")
def own_server() -> Iterator[EmbeddedDatabase]:
    """A PostgreSQL server that the scenarios of this file may stop."""
    with (
        tempfile.TemporaryDirectory(prefix="ertis-faults-") as folder,
        EmbeddedDatabase(Path(folder), SETTINGS | {"track_commit_timestamp": "on"}) as server,
    ):
        yield server


@pytest.fixture
def faults_database(own_server: EmbeddedDatabase, tmp_path: Path) -> str:
    """DSN of a database of the scenario's own, on that server."""
    name = f"faults_{len(tmp_path.name)}_{abs(hash(tmp_path.name))}"
    with psycopg.connect(own_server.dsn, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    dsn = make_conninfo(own_server.dsn, dbname=name)
    upgrade(dsn)
    return prepared(dsn)


@pytest.mark.parametrize(
    "mode",
    [
        pytest.param(
            "fast",
            marks=pytest.mark.fault("PostgreSQL stops and starts again", promise=Promise.DATABASE),
        ),
        pytest.param(
            "immediate",
            marks=pytest.mark.fault(
                "PostgreSQL is killed (immediate) and recovers", promise=Promise.DATABASE
            ),
        ),
    ],
)
def test_database_away(
    stand: Stand, own_server: EmbeddedDatabase, mode: Literal["fast", "immediate"]
) -> None:
    """What was being written is written again; what came meanwhile waits in memory and spools."""
    load = Load("edge-1", before_the_hour(120))
    ingest, edge = stand.start_ingest(), stand.start_edge(load)
    stand.wait_rows(load.readings // 4)
    own_server.stop(mode)
    until(lambda: stand.ready()["database"] == "database down", "ingest to miss it", PATIENCE_S)

    own_server.start()
    with stand.scenario.recovery():
        stand.finish(ingest, edge)

    stand.check(load.ledger())
