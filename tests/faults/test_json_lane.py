"""The plain JSON lane: the broker keeps what ingest has not acknowledged."""

import pytest

from tests.faults.device import Device, messages
from tests.faults.load import Load, before_the_hour
from tests.faults.scenario import Promise
from tests.faults.stand import PATIENCE_S, Stand
from tests.fixtures.broker import Mosquitto


@pytest.mark.fault(
    "JSON lane: SIGKILL of ingest between commit and acknowledgement", promise=Promise.INGEST
)
def test_lane_killed_before_acknowledgement(stand: Stand) -> None:
    """The broker delivers again what was committed but not acknowledged: duplicates, no more."""
    load = Load("edge-1", before_the_hour(120))
    doomed = stand.start_ingest(fault="ingest.acknowledge:5")
    stand.wait_ready()
    with Device(stand.mqtt) as device:
        for topic, payload in messages(load):
            device.send(topic, payload)
        assert doomed.wait(PATIENCE_S) == -9, doomed.tail()
        ingest = stand.start_ingest()
        with stand.scenario.recovery():
            stand.wait_rows(load.readings)
        device.settle()
    stand.end(ingest)

    stand.check(load.ledger())


@pytest.mark.mosquitto
@pytest.mark.fault(
    "JSON lane: Mosquitto restarts with messages that nobody has read yet", promise=Promise.BROKER
)
def test_lane_broker_restarts(stand: Stand, mosquitto: Mosquitto) -> None:
    """Ingest has subscribed once; what comes while it is away is in the broker's saved session."""
    stand.use(mosquitto)
    load = Load("edge-1", before_the_hour(120))
    lot = list(messages(load))
    quarter = len(lot) // 4
    doomed = stand.start_ingest()
    stand.wait_ready()
    with Device(stand.mqtt) as device:
        for topic, payload in lot[:quarter]:
            device.send(topic, payload)
        doomed.kill()
        for topic, payload in lot[quarter : 3 * quarter]:
            device.send(topic, payload)
        mosquitto.stop()
        mosquitto.start()
        ingest = stand.start_ingest()
        with stand.scenario.recovery():
            for topic, payload in lot[3 * quarter :]:
                device.send(topic, payload)
            stand.wait_rows(load.readings)
        device.settle()
    stand.end(ingest)

    stand.check(load.ledger())
