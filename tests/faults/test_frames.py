"""Messages come twice, in another order, or not at all."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.bridge import Bridge
from tests.faults.load import Load, before_the_hour
from tests.faults.scenario import Promise
from tests.faults.stand import Stand
from tests.fixtures.broker import Broker, make_broker


@pytest.fixture
def near(tmp_path: Path) -> Iterator[Broker]:
    """A broker for the edge alone."""
    made = make_broker("embedded", tmp_path / "near")
    made.start()
    yield made
    made.stop()


@pytest.mark.fault("Messages are dropped, doubled and reordered", promise=Promise.NETWORK)
def test_frames_meddled_with(stand: Stand, near: Broker) -> None:
    """Births and commands as well: whatever is missing is asked for or sent again."""
    load = Load("edge-1", before_the_hour(120))
    stand.listen(near)  # the bridge keeps no rule
    bridge = Bridge((near.host, near.port), stand.mqtt, seed=5)
    ingest = stand.start_ingest()
    edge = stand.start_edge(load, mqtt=(near.host, near.port))
    stand.finish(ingest, edge)
    bridge.close()

    fates = bridge.fates
    assert min(fates.dropped, fates.doubled, fates.overtaken) > 10
    stand.scenario.note(
        f"of the edge's messages {fates.dropped} were dropped, {fates.doubled} doubled and "
        f"{fates.overtaken} overtaken"
    )
    stand.check(load.ledger())
