"""Sources, gaps and dead letters."""

from datetime import timedelta

import httpx
import psycopg

from schemas.db.catalogue import Catalogue
from tests.api.demo import NOW, TURBINE, add_device

_GAP = """INSERT INTO gap (source, cause, from_ts, to_ts, found_at, closed_at)
          VALUES (%s, %s, %s, %s, %s, %s)"""
_LETTER = """INSERT INTO dead_letter (received_at, topic, payload, reason, detail, readings)
             VALUES (%s, 'telemetry/x', '', %s, '', %s)"""


def test_devices_gaps_and_letters(api: httpx.Client, database: str, pavlodar: Catalogue) -> None:
    """What is open comes first; letters are counted by reason."""
    hour = timedelta(hours=1)
    add_device(database, "wtg-01", [pavlodar.tag_ids[TURBINE]], online=False)
    with psycopg.connect(database) as connection:
        connection.execute(_GAP, ("a/b", "sequence", NOW - 2 * hour, NOW - hour, NOW, None))
        connection.execute(_GAP, ("a/c", "spooled", NOW - 2 * hour, NOW - hour, NOW, NOW))
        connection.execute(_LETTER, (NOW, "unmapped", 3))
        connection.execute(_LETTER, (NOW, "unmapped", 4))

    found = api.get("/api/v1/sources").json()

    (device,) = found["devices"]
    assert device["source"].endswith("/wtg-01")
    assert (device["online"], device["tags"]) == (False, 1)
    assert [one["source"] for one in found["gaps"]] == ["a/b", "a/c"]
    assert [(one["reason"], one["letters"], one["readings"]) for one in found["dead_letters"]] == [
        ("unmapped", 2, 7)
    ]
