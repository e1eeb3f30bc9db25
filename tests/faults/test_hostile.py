"""Thousands of payloads that are almost right, beside a node that does its work."""

import time

import psycopg
import pytest

from tests.faults.device import Device
from tests.faults.load import STRANGER, Load, before_the_hour
from tests.faults.mutation import mutated
from tests.faults.scenario import Promise
from tests.faults.stand import Stand, stored_readings

COUNT = 10_000
STATE = "spBv1.0/STATE/ertis"


@pytest.mark.fault(f"{COUNT:,} mutated payloads", promise=Promise.HOSTILE)
def test_mutated_payloads(stand: Stand) -> None:
    """None ends ingest or disturbs the other node; each reading in them has a counted fate."""
    load = Load("edge-1", before_the_hour(120))
    recent = f"{time.gmtime().tm_year - 1}-01-01T00:00:00Z"  # or each century wants partitions
    stand.judge.judged = lambda topic: "/edge-1" in topic or topic == STATE
    ingest = stand.start_ingest(INGEST_EARLIEST=recent)
    stand.wait_ready()
    edge = stand.start_edge(load)
    with Device(stand.mqtt) as device:
        for topic, payload in mutated(COUNT, time.time_ns() // 1_000_000, seed=11):
            device.send(topic, payload)
        device.settle()
    stand.finish(ingest, edge)

    strange = {
        key: value
        for key, value in stored_readings(stand.dsn).items()
        if key[0].startswith(STRANGER)
    }
    stand.check(load.ledger() | strange)
    stand.scenario.sent = stand.scenario.stored = load.readings
    total = stand.watch.total()
    assert total["stored"] == load.readings + len(strange) + texts(stand)
    letters, readings = dead_letters(stand)
    assert readings == total["dead_letter"] > 0
    stand.scenario.note(
        f"{letters:,} dead letters; {len(strange)} of the readings in mutated payloads could be "
        "true and are stored; the duplicates and conflicts are theirs too"
    )


def dead_letters(stand: Stand) -> tuple[int, int]:
    """How many there are, and the readings in them."""
    with psycopg.connect(stand.dsn) as connection:
        row = connection.execute("SELECT count(*), sum(readings) FROM dead_letter").fetchone()
    assert row is not None
    return int(row[0]), int(row[1] or 0)


def texts(stand: Stand) -> int:
    """Readings that are text."""
    with psycopg.connect(stand.dsn) as connection:
        row = connection.execute("SELECT count(*) FROM reading_text").fetchone()
    assert row is not None
    return int(row[0])
