"""Books that a test may sign, each test its own copy."""

from collections.abc import Iterator

import pytest
from psycopg.conninfo import conninfo_to_dict

from api.access.person import Role
from api.app import create_app
from tests.api.conftest import SETTINGS, own_database, serving
from tests.api.demo import store_pavlodar
from tests.api.reports.books import TARGET, Books, declare, fill

ADMIN = SETTINGS.model_copy(update={"keyless_role": Role.ADMIN})


@pytest.fixture(scope="session")
def closed(server: str, migrated: str) -> Iterator[str]:
    """The name of a database with the two days, for tests to copy."""
    with own_database(server, migrated) as dsn:
        catalogue = store_pavlodar(dsn)
        declare(dsn, TARGET)
        fill(dsn, catalogue)
        yield str(conninfo_to_dict(dsn)["dbname"])


@pytest.fixture
def books(server: str, closed: str) -> Iterator[Books]:
    """The two days, nothing signed; without a key one is an admin."""
    with own_database(server, closed) as dsn, serving(create_app(ADMIN, dsn)) as client:
        yield Books(dsn, client)
