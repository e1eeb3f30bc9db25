"""What several tests of the agent need: a PLC, the agent beside it, and a host."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.edge.files import write_agent
from tests.edge.host import Host
from tests.edge.plc import Plc
from tests.edge.processes import Process
from tests.fixtures.broker import Broker


@pytest.fixture
def plc() -> Iterator[Plc]:
    """A PLC on a free port."""
    with Plc() as made:
        yield made


@pytest.fixture
def edge(tmp_path: Path, plc: Plc, broker: Broker) -> Iterator[Process]:
    """An agent that runs."""
    process = Process(tmp_path, write_agent(tmp_path, plc.port), broker.port).start()
    yield process
    process.close()


@pytest.fixture
def host(broker: Broker) -> Iterator[Host]:
    """A host that is online."""
    with Host(broker.port, "site", "node") as made:
        yield made
