"""Fixtures of the fault scenarios, and the record that each leaves."""

from collections.abc import Generator, Iterator
from pathlib import Path

import pytest

from schemas.db.catalogue import store_plant
from schemas.db.engine import make_engine
from tests.faults.load import plant
from tests.faults.scenario import Scenario
from tests.faults.stand import Stand
from tests.fixtures.broker import MOSQUITTO, Broker, make_broker

_PASSED = pytest.StashKey[bool]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Remember whether the test itself passed."""
    report = yield
    if report.when == "call":
        item.stash[_PASSED] = report.passed
    return report


@pytest.fixture
def scenario(request: pytest.FixtureRequest) -> Iterator[Scenario]:
    """The scenario that the test's mark declares; kept if the test passes."""
    mark = request.node.get_closest_marker("fault")
    made = Scenario(mark.args[0], mark.kwargs["promise"].name)
    yield made
    if request.node.stash.get(_PASSED, False):
        made.keep()


@pytest.fixture
def faults_database(database: str) -> str:
    """DSN of a database with the plant of the scenarios."""
    return prepared(database)


def prepared(dsn: str) -> str:
    """Store the plant in a migrated database."""
    engine = make_engine(dsn, pool_size=1)
    with engine.begin() as connection:
        store_plant(connection, plant())
    engine.dispose()
    return dsn


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    """A running broker of the scenario's own: Mosquitto where it is installed."""
    made = make_broker("embedded" if MOSQUITTO is None else "mosquitto", tmp_path)
    made.start()
    yield made
    made.stop()


@pytest.fixture
def stand(
    faults_database: str, broker: Broker, tmp_path: Path, scenario: Scenario
) -> Iterator[Stand]:
    """Nothing started yet but database and broker."""
    made = Stand(tmp_path, faults_database, (broker.host, broker.port), scenario)
    yield made
    made.close()
