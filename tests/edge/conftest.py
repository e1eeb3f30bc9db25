"""What several tests of the agent need: a PLC, and a plant that it belongs to."""

from collections.abc import Iterator

import pytest

from tests.edge.plc import Plc


@pytest.fixture
def plc() -> Iterator[Plc]:
    """A PLC on a free port."""
    with Plc() as made:
        yield made
