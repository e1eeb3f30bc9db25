"""What every test can ask for: servers that are real, databases that are its own."""

import sys

import pytest
import structlog
from hypothesis import HealthCheck, settings

#: Speed is no property of an answer: a busy machine must not fail a test.
settings.register_profile("ertis", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("ertis")
#: As in production: what a server in a thread logs is not what a command beside it says.
structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.__stderr__))

pytest_plugins = [
    "tests.fixtures.environment",
    "tests.fixtures.database",
    "tests.fixtures.broker",
    "tests.fixtures.proxy",
    "tests.fixtures.timescale",
]


def pytest_report_header(config: pytest.Config) -> list[str]:
    """Which servers the run meets: a failure of another version is another failure."""
    from tests.fixtures import broker, database  # noqa: PLC0415 - assertions in plugins are rewritten only if pytest imports them first

    return [*database.header(), *broker.header()]
