"""What the tests of the statements share."""

import pytest


@pytest.fixture
def tck_id(request: pytest.FixtureRequest) -> str:
    """The statement that this run of the test is named after (`tests.sparkplug.register.tck`)."""
    named: str = request.param
    return named
