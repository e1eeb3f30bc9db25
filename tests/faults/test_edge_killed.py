"""SIGKILL of the edge agent, in the middle of a group commit and at any moment."""

import pytest

from tests.faults.load import Load, before_the_hour
from tests.faults.scenario import Promise
from tests.faults.stand import PATIENCE_S, Stand


@pytest.mark.parametrize(
    "point",
    [
        pytest.param(
            "edge.write:5",
            marks=pytest.mark.fault(
                "SIGKILL of the edge within a group commit", promise=Promise.EDGE
            ),
        ),
        pytest.param(
            "edge.commit:5",
            marks=pytest.mark.fault(
                "SIGKILL of the edge between group commit and publication", promise=Promise.EDGE
            ),
        ),
    ],
)
def test_edge_killed(stand: Stand, point: str) -> None:
    """The transaction is there as a whole or not at all: a source that repeats itself loses none.

    How far the source was read is part of the transaction.
    """
    load = Load("edge-1", before_the_hour(120))
    ingest = stand.start_ingest()
    doomed = stand.start_edge(load, fault=point)
    assert doomed.wait(PATIENCE_S) == -9, doomed.tail()

    edge = stand.start_edge(load)
    with stand.scenario.recovery():
        stand.finish(ingest, edge)

    stand.check(load.ledger())
