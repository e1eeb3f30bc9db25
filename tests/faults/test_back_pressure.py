"""The database stays away until every buffer is full: where readings wait, and how they come."""

import time
from statistics import mean

import psycopg
import pytest

from standalone.database import EmbeddedDatabase
from tests.faults.load import Load, before_the_hour
from tests.faults.scenario import Promise
from tests.faults.stand import PATIENCE_S, Stand
from tests.faults.test_database import faults_database, own_server
from tests.fixtures.until import until

__all__ = ["faults_database", "own_server"]

BUFFER_MB = 1
#: A message is taken in as a whole, 500 readings at the most.
MESSAGE_BYTES = 50_000
MEMORY_MB = 300
#: Readings turned away before the database comes back: some hundred times what fits the buffer
#: would be long, some ten times shows whether there is a bound.
TURNED_AWAY = 200_000
#: Rows by the order in which they were committed (one writer: transactions do not overlap).
ROWS = """
    SELECT extract(epoch FROM ts), reading.xmin::text::int8,
           extract(epoch FROM pg_xact_commit_timestamp(reading.xmin))
    FROM reading JOIN tag ON tag.id = tag_id WHERE path LIKE %s ORDER BY ts"""


def rows(stand: Stand, line: str) -> list[tuple[float, int, float]]:
    """Time [s], transaction and commit time [s] of the readings of a line, in their order."""
    with psycopg.connect(stand.dsn) as connection:
        return [
            (float(ts), xid, float(at)) for ts, xid, at in connection.execute(ROWS, (f"{line}/%",))
        ]


@pytest.mark.fault(
    "PostgreSQL is away until every buffer is full, two edge nodes going on",
    promise=Promise.DATABASE,
)
def test_back_pressure(stand: Stand, own_server: EmbeddedDatabase) -> None:
    """Memory has a bound; the backlog comes oldest first, and live readings do not wait for it."""
    ingest = stand.start_ingest(INGEST_BUFFER_MB=str(BUFFER_MB))
    stand.wait_ready()
    own_server.stop("immediate")
    backlog = Load("edge-1", before_the_hour(600), steps=1500)
    first = stand.start_edge(backlog, rate=1000.0, replay_readings_per_s=15_000.0)
    until(lambda: stand.deferred() > TURNED_AWAY, f"{TURNED_AWAY} to be turned away", PATIENCE_S)
    live = Load("edge-2", time.time_ns() // 1_000_000 + 1000, steps=400, step_ms=25)
    second = stand.start_edge(live, rate=None)
    until(lambda: stand.deferred("edge-2"), "live readings to be turned away", PATIENCE_S)

    own_server.start()
    back_s = time.time()
    with stand.scenario.recovery():
        stand.finish(ingest, first, second)

    deferred = stand.watch.total()["deferred"]
    assert stand.watch.peak_buffer <= BUFFER_MB * 1_000_000 + MESSAGE_BYTES
    assert stand.watch.peak_mb < MEMORY_MB
    old, new = rows(stand, "line-1"), rows(stand, "line-2")
    half = len(old) // 2
    assert mean(xid for _, xid, _ in old[:half]) < mean(xid for _, xid, _ in old[half:])
    caught_up = max(xid for _, xid, _ in old)
    lags = sorted(at - ts for ts, xid, at in new if ts > back_s and xid < caught_up)
    assert lags, "no live reading came before the end of the backlog"
    stand.scenario.note(
        f"{deferred:,} readings were left to the spools meanwhile; the buffer of "
        f"{BUFFER_MB} MB held {stand.watch.peak_buffer / 1e6:.2f} MB at most; "
        f"{len(lags):,} readings measured during catch-up were committed within "
        f"{lags[len(lags) * 99 // 100]:.1f} s (99 %)"
    )
    stand.check({**backlog.ledger(), **live.ledger()})
