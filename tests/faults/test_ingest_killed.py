"""SIGKILL of ingest at each step that a reading takes through it."""

import pytest

from tests.faults.load import Load, before_the_hour
from tests.faults.scenario import Promise
from tests.faults.stand import PATIENCE_S, Stand


def killed(point: str, what: str) -> object:
    """A case: dies at *point*, which is where it does *what*."""
    mark = pytest.mark.fault(f"SIGKILL of ingest {what}", promise=Promise.INGEST)
    return pytest.param(point, marks=mark, id=point)


@pytest.mark.parametrize(
    "point",
    [
        killed("ingest.receive:60", "as it receives a message"),
        killed("ingest.copy:2", "between COPY and commit"),
        killed("ingest.commit:2", "after the commit, before the edge can know"),
        killed("ingest.acknowledge:2", "as it acknowledges"),
    ],
)
def test_ingest_killed(stand: Stand, point: str) -> None:
    """The edge sends again what it was not told about; what is stored already is recognised."""
    load = Load("edge-1", before_the_hour(120))
    edge = stand.start_edge(load)
    doomed = stand.start_ingest(fault=point)
    assert doomed.wait(PATIENCE_S) == -9, doomed.tail()

    ingest = stand.start_ingest()
    with stand.scenario.recovery():
        stand.finish(ingest, edge)

    stand.check(load.ledger())
