"""The writer: one batch after the other into the database, until it is there.

What may pass (the database away, busy or without room) is tried again for ever; meanwhile the
buffer fills up to its bound and intake turns frames away. What will never pass is found by halving
the batch and goes to the dead letters, so that one row does not hold up the others.
"""

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from enum import StrEnum
from threading import Event
from typing import Final

import numpy as np
import psycopg
import structlog

from ingest.batch import Arranged, Rows
from ingest.buffer import Batch, Buffer
from ingest.counters import Counters
from ingest.letter import Letter
from ingest.quarantine import REFUSALS, refused_rows, set_aside
from ingest.ready import Ready, encode, ready_batches
from ingest.transaction import Fates, make_partitions, write
from schemas.backoff import full_jitter
from schemas.db.engine import connect, wrap_errors
from schemas.errors import StorageFull, UnavailableError
from schemas.fault import FaultPoint

log = structlog.get_logger()

_LONGEST_WAIT_S: Final = 5.0

#: How a row that the database refuses is written down: its number, and why -> the letter.
Explain = Callable[[Rows, int, str], Letter]


class WriterState(StrEnum):
    """What the writer is held up by."""

    STARTING = "starting"
    WRITING = "writing"
    DATABASE_DOWN = "database down"
    STORAGE_FULL = "storage full"
    BLOCKED = "blocked"


class Writer:
    """Takes batches from *buffer*, writes them, and tells *committed* (on its own thread).

    *fence* is the last step of each transaction; what it raises ends it.
    """

    def __init__(
        self,
        dsn: str,
        buffer: Buffer,
        counters: Counters,
        explain: Explain,
        fault: FaultPoint,
        *,
        fence: Callable[[psycopg.Connection], None] = lambda _: None,
    ) -> None:
        self.state = WriterState.WRITING  # the database answered when the catalogue was read
        self._dsn = dsn
        self._buffer = buffer
        self._counters = counters
        self._explain = explain
        self._fault = fault
        self._fence = fence
        self._connection: psycopg.Connection | None = None
        self._partitions: set[int] = set()

    def run(self, committed: Callable[[Batch], None], give_up: Event) -> None:
        """Write until the buffer is closed and empty, or until *give_up* while nothing passes."""
        try:
            for ready in ready_batches(self._buffer):
                if self._write(ready, give_up):
                    committed(ready.batch)
        finally:
            self._disconnect()

    def _write(self, ready: Ready, give_up: Event) -> bool:
        started_s = time.monotonic()
        attempt = 0
        while True:
            try:
                fates = self._attempt(ready)
                break
            except UnavailableError as error:
                full = isinstance(error, StorageFull)
                self._enter(WriterState.STORAGE_FULL if full else WriterState.DATABASE_DOWN, error)
            except Exception as error:  # noqa: BLE001 - whatever it is, the batch must not be lost
                self._enter(WriterState.BLOCKED, error)
            self._disconnect()
            self._counters.retries.labels(self.state.value).inc()
            if give_up.wait(full_jitter(attempt, base_s=0.2, cap_s=_LONGEST_WAIT_S)):
                log.error("batch abandoned at shutdown", readings=sum(ready.batch.readings))
                return False
            attempt += 1
        self._enter(WriterState.WRITING)
        self._fault.reached("ingest.commit")
        self._count(ready.batch, fates, started_s)
        return True

    def _attempt(self, ready: Ready) -> Fates:
        with wrap_errors():
            connection = self._connected()
            try:
                make_partitions(connection, ready.arranged.rows, self._partitions)
                return self._commit(connection, ready, (), merge=False)
            except psycopg.errors.UniqueViolation:
                pass
            except REFUSALS:
                return self._without_faulty(connection, ready)
            try:
                return self._commit(connection, ready, (), merge=True)
            except REFUSALS:
                return self._without_faulty(connection, ready)

    def _commit(
        self,
        connection: psycopg.Connection,
        ready: Ready,
        refused: Sequence[tuple[int, Letter]],
        *,
        merge: bool,
    ) -> Fates:
        with connection.transaction():
            fates = write(connection, ready, refused, merge=merge)
            self._fence(connection)
            self._fault.reached("ingest.copy")
        self._counters.batches.labels("merge" if merge else "copy").inc()
        return fates

    def _without_faulty(self, connection: psycopg.Connection, ready: Ready) -> Fates:
        """Write all but what the database refuses; that becomes dead letters."""
        arranged = ready.arranged
        self._partitions.clear()  # retention may have dropped one since it was made
        make_partitions(connection, arranged.rows, self._partitions)
        refused: list[tuple[int, Letter]] = []
        faulty = np.zeros(len(arranged.rows), np.bool_)
        for place, reason in refused_rows(connection, arranged.rows):
            faulty[place] = True
            source = int(arranged.rows.source[place])
            refused.append((source, self._explain(arranged.rows, place, reason)))
        kept = Arranged(arranged.rows.pick(~faulty), arranged.duplicate, arranged.conflicting)
        rest = encode(ready.batch, kept)
        try:
            return self._commit(connection, rest, refused, merge=True)
        except REFUSALS:
            set_aside(connection, ready.batch, time.time_ns() // 1_000_000)
        return self._commit(connection, rest, refused, merge=True)

    def _connected(self) -> psycopg.Connection:
        if self._connection is None:
            self._connection = connect(self._dsn, autocommit=True)
        return self._connection

    def _disconnect(self) -> None:
        self._partitions.clear()
        if self._connection is not None:
            with suppress(psycopg.Error):
                self._connection.close()
            self._connection = None

    def _enter(self, state: WriterState, error: Exception | None = None) -> None:
        if state is self.state:
            return
        self.state = state
        if error is None:
            log.info("writing to the database")
        else:
            log.error("writer held up", state=state.value, error=str(error).strip())

    def _count(self, batch: Batch, fates: Fates, started_s: float) -> None:
        self._counters.ledger.committed(batch, fates)
        for _, letter in batch.letters:
            self._counters.letters.labels(letter.reason).inc()
        for gap in batch.gaps:
            self._counters.gaps.labels(gap.cause).inc()
        self._counters.batch_seconds.observe(time.monotonic() - started_s)
        if batch.oldest_ms is not None:
            self._counters.latency_seconds.observe(time.time() - batch.oldest_ms / 1000)
