"""The broker goes away under edge and ingest, with its memory and without."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.faults.load import Load, before_the_hour
from tests.faults.scenario import Promise
from tests.faults.stand import PATIENCE_S, Stand
from tests.fixtures.broker import Broker, Mosquitto, make_broker
from tests.fixtures.until import until


def outlive(stand: Stand, end: Callable[[], None], start: Callable[[], None]) -> None:
    """Take the broker away while readings pass through it; all of them arrive in the end."""
    load = Load("edge-1", before_the_hour(120))
    ingest, edge = stand.start_ingest(), stand.start_edge(load)
    stand.wait_rows(load.readings // 4)
    end()
    until(lambda: stand.ready()["broker"] == "not connected", "ingest to miss it", PATIENCE_S)

    start()
    with stand.scenario.recovery():
        stand.finish(ingest, edge)

    stand.check(load.ledger())


@pytest.mark.mosquitto
@pytest.mark.fault("Mosquitto restarts with its saved sessions", promise=Promise.BROKER)
def test_broker_restarts(stand: Stand, mosquitto: Mosquitto) -> None:
    """What was on its way is sent again out of the spool."""
    stand.use(mosquitto)
    outlive(stand, mosquitto.stop, mosquitto.start)


@pytest.mark.mosquitto
@pytest.mark.fault("Mosquitto is killed and has forgotten everything", promise=Promise.BROKER)
def test_broker_loses_its_memory(stand: Stand, mosquitto: Mosquitto) -> None:
    """No retained STATE, no session: the host announces itself anew, the edge is born anew."""
    stand.use(mosquitto)
    outlive(stand, mosquitto.kill, mosquitto.start)


@pytest.mark.fault("The embedded broker restarts, forgetting everything", promise=Promise.BROKER)
def test_embedded_broker_restarts(stand: Stand, tmp_path: Path) -> None:
    """The broker of the standalone park has no memory to keep."""
    embedded: Broker = make_broker("embedded", tmp_path)
    embedded.start()
    stand.use(embedded)
    outlive(stand, embedded.stop, embedded.start)
    embedded.stop()
