"""The API over a small plant, behind a real server."""

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from uuid import uuid4

import httpx
import psycopg
import pytest
import uvicorn
from fastapi import FastAPI
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from api.access.person import Role
from api.app import create_app
from api.settings import ApiSettings
from schemas.db.catalogue import Catalogue
from tests.api.demo import NOW, TURBINE, add_device, demo_rows, insert, store_pavlodar
from tests.fixtures.proxy import Proxy
from tests.fixtures.until import until

SETTINGS = ApiSettings(
    catalogue_s=0.0,
    tick_s=0.1,
    kpi_tick_s=0.1,
    keyless_role=Role.VIEWER,
    rate_per_s=1e4,
    rate_burst=10_000,
)


def frozen() -> datetime:
    """The clock of the demo plant."""
    return NOW


@contextmanager
def serving(app: FastAPI) -> Iterator[httpx.Client]:
    """A client of *app* behind uvicorn on a free port."""
    config = uvicorn.Config(
        app, host="127.0.0.1", port=0, log_config=None, timeout_graceful_shutdown=1
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        until(lambda: server.started, "uvicorn to listen")
        port = server.servers[0].sockets[0].getsockname()[1]
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
            yield client
    finally:
        server.should_exit = True
        thread.join()


@contextmanager
def own_database(server: str, template: str) -> Iterator[str]:
    """A migrated database that outlives one test."""
    name = f"ertis_api_{uuid4().hex[:8]}"
    own = sql.Identifier(name)
    with psycopg.connect(server, autocommit=True) as connection:
        create = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
        connection.execute(create.format(own, sql.Identifier(template)))
        yield make_conninfo(server, dbname=name)
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(own))


@pytest.fixture(scope="session")
def demo_dsn(server: str, migrated: str) -> Iterator[str]:
    """A database with the demo plant; tests only read it."""
    with own_database(server, migrated) as dsn:
        catalogue = store_pavlodar(dsn)
        insert(dsn, catalogue, demo_rows())
        add_device(dsn, "wtg-01", [catalogue.tag_ids[TURBINE]], online=False)
        yield dsn


@pytest.fixture(scope="session")
def demo(demo_dsn: str) -> Iterator[httpx.Client]:
    """The API of the demo plant, at 10:00."""
    with serving(create_app(SETTINGS, demo_dsn, frozen)) as client:
        yield client


@pytest.fixture
def pavlodar(database: str) -> Catalogue:
    """The plant in the test's own database, without readings."""
    return store_pavlodar(database)


@pytest.fixture
def api(database: str, pavlodar: Catalogue) -> Iterator[httpx.Client]:
    """The API on the test's own database, at 10:00."""
    with serving(create_app(SETTINGS, database, frozen)) as client:
        yield client


Serve = Callable[[FastAPI], httpx.Client]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Starts a real server for an application; it ends with the test."""
    with ExitStack() as closing:
        yield lambda app: closing.enter_context(serving(app))


@contextmanager
def through(dsn: str) -> Iterator[tuple[Proxy, str]]:
    """A wire to the database *dsn* that can be cut, and the DSN that leads through it."""
    given = conninfo_to_dict(dsn)
    wire = Proxy(str(given.get("host", "")), int(given.get("port") or 5432))
    try:
        yield wire, make_conninfo(dsn, host=wire.host, port=wire.port)
    finally:
        wire.close()
