"""Which process leads a shard: one at a time, and the one before it can write no more.

A shard is a host id: its Sparkplug groups, perhaps the JSON lane. Any number of processes may be
started with the same host id; one leads, the others stand by.

*Lock.* A leader holds a PostgreSQL advisory lock on a connection of its own and says something on
it every `_BEAT_S`. The session ends where the process ends, and the server ends it after the
lease's time of silence (``idle_session_timeout``): a process that is stopped but not dead loses the
lock too. The server notices a vanished machine by TCP keep-alive within the same time.

*Fence.* A process that slept through all that does not know it yet, so the lock alone is not
enough. Each leader begins with a new epoch in the row of its shard, and each of its transactions
compares that epoch as its last step, holding the row until the commit (FOR SHARE). Either the
transaction commits before the next leader can write its epoch, and so before that one reads what is
committed, or it sees that epoch and fails. Sessions that the leader before left open in the midst
of a transaction are ended first, since their locks would hold up the new one.

*Lease.* What goes to the broker has no such fence, but has a time: a leader acknowledges only while
its last beat is younger than the lease, until which no other can have the lock (unless the server
itself restarts). Nor does it connect to the broker without, since both have one client id there.

A leader whose connection breaks goes on: its database is away, as often happens. It takes the lock
again when the database is back, and if no epoch passed meanwhile nothing has happened. Where
another came first, what it still had of nodes without a spool is gone, and is entered as a gap.
"""

import select
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from hashlib import blake2b
from threading import Event
from typing import Final

import psycopg
import structlog
from psycopg.conninfo import make_conninfo

from schemas.db.engine import connect, wrap_errors
from schemas.errors import LeaseLost, UnavailableError

log = structlog.get_logger()

_BEAT_S: Final = 0.5
#: Any other session of the shard's writers belongs to a leader that is one no more.
_END_OTHERS: Final = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE application_name = %s AND datname = current_database()"""
_NEXT_EPOCH: Final = """
    INSERT INTO shard AS known (host_id, epoch, since) VALUES (%s, 1, now())
    ON CONFLICT (host_id) DO UPDATE SET epoch = known.epoch + 1, since = now()
    RETURNING epoch"""
_EPOCH: Final = "SELECT epoch FROM shard WHERE host_id = %s"
_FENCE: Final = _EPOCH + " FOR SHARE"
#: One round trip: that the server answers, and when the plant was last stored.
_BEAT: Final = "SELECT max(loaded_at) FROM plant"


class Lease:
    """The right of this process to lead *host*. One thread runs `hold`; the others ask.

    ``plant_stored_at`` is when the plant model was last stored, as of the last beat.
    """

    def __init__(self, dsn: str, host: str, lease_s: float) -> None:
        self.database_up = False
        self.plant_stored_at: datetime | None = None
        self._dsn = dsn
        self._host = host
        self._lease_s = lease_s
        self._key = int.from_bytes(blake2b(host.encode(), digest_size=8).digest(), signed=True)
        self._epoch: int | None = None
        self._beat_s = 0.0
        self._lost = Event()
        self._connection: psycopg.Connection | None = None

    @property
    def writer_dsn(self) -> str:
        """The DSN for connections that write as this shard: the next leader ends those."""
        return make_conninfo(self._dsn, application_name=self._application)

    @property
    def held(self) -> bool:
        """Whether no other process can lead now."""
        return not self.lost and time.monotonic() - self._beat_s < self._lease_s

    @property
    def lost(self) -> bool:
        """Whether another process leads: nothing that this one knows is worth anything."""
        return self._lost.is_set()

    def acquire(self, stop: Event, waiting: Callable[[], None]) -> bool:
        """Wait to be the leader; False if *stop* came first. *waiting* is told once, if at all.

        Raises
        ------
        UnavailableError
            The database is not there, or went.
        TablesMissing
            It has no tables of ours.
        """
        told = False
        while not stop.is_set():
            if self._try_to_lead():
                return True
            if not told:
                waiting()
                told = True
            stop.wait(_BEAT_S)
        return False

    def hold(self, stop: Event) -> None:
        """Keep the lock, and take it again where it was lost, until *stop* or another leads."""
        while not stop.is_set() and not self.lost:
            try:
                self._beat()
                self._wait(stop)
            except (UnavailableError, psycopg.Error) as error:
                self._disconnect(error)
                stop.wait(_BEAT_S)

    def fence(self, connection: psycopg.Connection) -> None:
        """The last step of each transaction of a leader.

        Raises
        ------
        LeaseLost
            Another process leads: roll back.
        """
        if connection.execute(_FENCE, (self._host,)).fetchone() != (self._epoch,):
            self._lost.set()
            raise LeaseLost(f"another process leads host {self._host!r}; nothing is written here")

    def close(self) -> None:
        """Let the lock go."""
        self.database_up = False
        if self._connection is not None:
            with suppress(psycopg.Error):
                self._connection.close()
            self._connection = None

    @property
    def _application(self) -> str:
        return f"ertis ingest {self._key & (2**64 - 1):016x}"

    def _try_to_lead(self) -> bool:
        with wrap_errors():
            connection = self._connected()
            self._beat_s = time.monotonic()
            self._ask(connection)
            if not self._lock(connection):
                return False
            connection.execute(_END_OTHERS, (self._application,))
            (self._epoch,) = connection.execute(_NEXT_EPOCH, (self._host,)).fetchone() or (None,)
        return True

    def _beat(self) -> None:
        """Say that we are here; on a new connection, take the lock again."""
        with wrap_errors():
            started_s, fresh = time.monotonic(), self._connection is None
            connection = self._connected()
            self._ask(connection)
            if fresh and not self._lead_again(connection):
                return
            self._beat_s = started_s

    def _lead_again(self, connection: psycopg.Connection) -> bool:
        if connection.execute(_EPOCH, (self._host,)).fetchone() != (self._epoch,):
            self._lost.set()
            log.error("another process leads", host=self._host)
        elif not self._lock(connection):
            # The server has not noticed yet that our last session is gone, or another process is
            # about to lead: the epoch will tell.
            self.close()
        return self._connection is not None and not self.lost

    def _lock(self, connection: psycopg.Connection) -> bool:
        row = connection.execute("SELECT pg_try_advisory_lock(%s)", (self._key,)).fetchone()
        return row == (True,)

    def _ask(self, connection: psycopg.Connection) -> None:
        (self.plant_stored_at,) = connection.execute(_BEAT).fetchone() or (None,)
        self.database_up = True

    def _wait(self, stop: Event) -> None:
        """Wait for the next beat; a server that goes says so, which ends the wait."""
        if self._connection is None:
            stop.wait(_BEAT_S)
        else:
            select.select([self._connection.fileno()], [], [], _BEAT_S)

    def _connected(self) -> psycopg.Connection:
        if self._connection is None:
            connection = connect(self._dsn, autocommit=True)
            silence_s = max(1, round(self._lease_s))
            for name, value in {
                "idle_session_timeout": f"{self._lease_s:g}s",
                "tcp_keepalives_idle": silence_s,
                "tcp_keepalives_interval": 1,
                "tcp_keepalives_count": 3,
                "tcp_user_timeout": f"{silence_s}s",
                "statement_timeout": f"{self._lease_s:g}s",
            }.items():
                connection.execute("SELECT set_config(%s, %s, false)", (name, str(value)))
            self._connection = connection
        return self._connection

    def _disconnect(self, error: Exception) -> None:
        if self.database_up:
            log.warning("database does not answer", error=str(error).strip())
        self.close()
