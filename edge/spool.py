"""The spool: what was read and is not yet known to be in the database, on disk.

SQLite in WAL mode, one transaction for everything that a moment brought (group commit, at most
250 ms of readings): frames, and how far each event log was read. A kill at any instant leaves all
of a transaction or nothing. ``synchronous = FULL`` lets it survive a power cut as well; at five
commits a second that costs nothing that matters.

Positions count up from 1 and are never used twice, not even after everything was deleted. The row
ids of ``metric`` are the aliases on the wire, so an alias means one metric for the spool's life.
"""

import sqlite3
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic_ns, time_ns
from typing import Final

from edge.frame import Frame, chunks, encode, seal
from edge.reserve import Reserve
from schemas.errors import ConfigError, StorageFull
from schemas.fault import FaultPoint
from schemas.reading import Reading
from schemas.sparkplug.node import SPOOL_POSITION

_SCHEMA: Final = """
create table if not exists meta (key text primary key, value) without rowid;
create table if not exists metric (
    alias integer primary key autoincrement,
    device text not null,
    name text not null,
    unique (device, name)
);
create table if not exists frame (
    position integer primary key autoincrement,
    device text not null,
    readings integer not null,
    committed_ms integer not null,
    body blob not null
);
create table if not exists mark (log text primary key, number integer not null) without rowid;
"""
#: The layout above; a file of another layout is refused, not guessed at.
_LAYOUT: Final = 1
#: Pages given back to the disk after one acknowledgement (1 MiB), so that it never takes long.
_VACUUM_PAGES: Final = 256
#: Result codes of a disk without room, and of one that fails.
_FULL: Final = frozenset({sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR})


@dataclass(frozen=True, slots=True)
class Tally:
    """How much was deleted: because it is in the database, or because a bound was passed."""

    frames: int = 0
    readings: int = 0

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(self.frames + other.frames, self.readings + other.readings)


@dataclass(frozen=True, slots=True)
class Committed:
    """What a group commit put on disk, and what it had to drop for it.

    ``first`` is the lowest position that is left, ``used_bytes`` the size on disk [B].
    """

    frames: Sequence[Frame]
    dropped: Tally
    first: int
    used_bytes: int


@dataclass(frozen=True, slots=True)
class Contents:
    """What the spool holds: positions ``first`` up to but not including ``next``."""

    first: int
    next: int
    frames: int
    readings: int
    last_of_device: Mapping[str, int] = field(default_factory=dict)


class Spool:
    """The spool in the file *path*, made if it is not there. Used by one thread at a time.

    Raises
    ------
    ConfigError
        Another agent has it open, or it is no spool.
    StorageFull
        (any method that writes) The disk has no room; nothing of the transaction was kept.
    """

    def __init__(
        self,
        path: Path,
        *,
        max_bytes: int = 1 << 30,
        max_age_s: float = 720 * 3600,
        fault: FaultPoint | None = None,
    ) -> None:
        self._max_bytes = max_bytes
        self._max_age_ms = int(max_age_s * 1000)
        self._opened_ms = time_ns() // 1_000_000 - _steady_ms()
        self._fault = fault or FaultPoint()
        self._reserve = Reserve(path.with_suffix(".reserve"))
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._db = sqlite3.connect(
                path, isolation_level=None, check_same_thread=False, timeout=1
            )
        except (OSError, sqlite3.OperationalError) as error:
            right = f"name a folder that this agent may write to ({error})"
            raise ConfigError("--data-dir", str(path.parent), right) from error
        try:
            with _naming_full():
                self._open()
        except sqlite3.DatabaseError as error:
            self._db.close()
            raise ConfigError("--data-dir", str(path), _why_not(error)) from error

    def _open(self) -> None:
        run = self._db.execute
        # First of all: without it SQLite makes a file for shared memory, even on a full disk.
        run("pragma locking_mode = exclusive")
        (layout,) = run("pragma user_version").fetchone()
        if layout not in (0, _LAYOUT):
            raise sqlite3.DatabaseError(f"layout {layout} where {_LAYOUT} is known")
        if new := layout == 0:  # an old file would be written to
            run("pragma auto_vacuum = incremental")
        run("pragma journal_mode = wal")
        run("pragma synchronous = full")
        run(f"pragma journal_size_limit = {4 << 20}")
        with self._transaction():
            for statement in filter(str.strip, _SCHEMA.split(";")):
                run(statement)
            if new:
                run(f"pragma user_version = {_LAYOUT}")
            run("insert or ignore into meta values ('id', ?)", (uuid.uuid4().hex,))
        (self.id,) = run("select value from meta where key = 'id'").fetchone()
        (self._page,) = run("pragma page_size").fetchone()
        bd_seq = run("select value from meta where key = 'bd_seq'").fetchone()
        self._bd_seq = -1 if bd_seq is None else int(bd_seq[0])

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def declare(self, device: str, names: Sequence[str]) -> dict[str, int]:
        """The aliases of *device*'s metrics and of its spool position; new ones where needed."""
        names = [*names, SPOOL_POSITION]
        known = self.aliases(device)
        if new := [name for name in names if name not in known]:
            with self._transaction():
                self._db.executemany(
                    "insert into metric (device, name) values (?, ?) on conflict do nothing",
                    ((device, name) for name in new),
                )
            known = self.aliases(device)
        return {name: known[name] for name in names}

    def aliases(self, device: str) -> dict[str, int]:
        """The aliases of every metric that *device* ever had."""
        rows = self._db.execute("select name, alias from metric where device = ?", (device,))
        return dict(rows.fetchall())

    def marks(self) -> dict[str, int]:
        """How far each event log was read."""
        return dict(self._db.execute("select log, number from mark").fetchall())

    def next_bd_seq(self) -> int:
        """The bdSeq of a new connection: 0 the first time, then one more each, 255 before 0.

        On a full disk it is remembered until the end of the process: that beats no connection.
        """
        self._bd_seq = (self._bd_seq + 1) % 256
        with suppress(StorageFull), self._transaction():
            self._db.execute("insert or replace into meta values ('bd_seq', ?)", (self._bd_seq,))
        return self._bd_seq

    def commit(
        self,
        readings: Mapping[str, Sequence[Reading]],
        aliases: Mapping[str, Mapping[str, int]],
        marks: Mapping[str, int],
    ) -> Committed:
        """Keep the readings of each device as frames, with the log *marks* that belong to them."""
        self._reserve.keep()
        # From here on only the steady clock counts: frames do not age when the other is set.
        now_ms = self._opened_ms + _steady_ms()
        frames: list[Frame] = []
        with self._transaction():
            position = self._next()
            for device, lot in readings.items():
                for chunk in chunks(lot):
                    body = seal(
                        encode(chunk, aliases[device]), position, aliases[device][SPOOL_POSITION]
                    )
                    frames.append(Frame(position, device, len(chunk), body))
                    position += 1
            self._db.executemany(
                "insert into frame values (?, ?, ?, ?, ?)",
                ((f.position, f.device, f.readings, now_ms, f.body) for f in frames),
            )
            self._db.executemany("insert or replace into mark values (?, ?)", marks.items())
            dropped = self._drop(now_ms)
            self._fault.reached("edge.write")
        self._fault.reached("edge.commit")
        return Committed(frames, dropped, self._first(), self.used_bytes())

    def fetch(self, start: int, end: int, limit: int) -> list[Frame]:
        """Up to *limit* frames from position *start* on and before *end*, oldest first."""
        rows = self._db.execute(
            "select position, device, readings, body from frame"
            " where position >= ? and position < ? order by position limit ?",
            (start, end, limit),
        )
        return [Frame(*row) for row in rows]

    def truncate(self, through: int) -> Tally:
        """Delete what is in the database: every frame up to position *through*."""
        try:
            gone = self._cut(through)
        except StorageFull:
            self._reserve.give_up()
            gone = self._cut(through)
        with suppress(StorageFull), _naming_full():
            # Bounded, so that it never holds up a group commit; the rest follows with the next.
            # As a script: it yields no rows, and `execute` would step over its first page alone.
            self._db.executescript(f"pragma incremental_vacuum({_VACUUM_PAGES})")
            if not self._reserve.kept:
                self._db.execute("pragma wal_checkpoint(truncate)").fetchall()
        return gone

    def _cut(self, through: int) -> Tally:
        with self._transaction():
            return self._delete("position <= ?", through)

    def contents(self) -> Contents:
        """What is in it now."""
        frames, readings = self._db.execute(
            "select count(*), coalesce(sum(readings), 0) from frame"
        ).fetchone()
        devices = self._db.execute("select device, max(position) from frame group by device")
        return Contents(self._first(), self._next(), frames, readings, dict(devices.fetchall()))

    def _first(self) -> int:
        """The lowest position that is there; where there is none, the one that comes next."""
        (first,) = self._db.execute("select min(position) from frame").fetchone()
        return self._next() if first is None else int(first)

    def _next(self) -> int:
        """The position behind the last one ever given; autoincrement remembers it."""
        row = self._db.execute("select seq from sqlite_sequence where name = 'frame'").fetchone()
        return 1 if row is None else int(row[0]) + 1

    def used_bytes(self) -> int:
        """Size of what is in it, on disk [B]."""
        (pages,) = self._db.execute("pragma page_count").fetchone()
        (free,) = self._db.execute("pragma freelist_count").fetchone()
        return int(pages - free) * int(self._page)

    def _drop(self, now_ms: int) -> Tally:
        """Drop the oldest frames until the spool is within its bounds of age and size."""
        dropped = Tally()
        while self._beyond_bounds(now_ms):
            dropped += self._delete("position = (select min(position) from frame)")
        return dropped

    def _beyond_bounds(self, now_ms: int) -> bool:
        oldest = self._db.execute("select committed_ms from frame order by position limit 1")
        if (row := oldest.fetchone()) is None:
            return False
        return row[0] < now_ms - self._max_age_ms or self.used_bytes() > self._max_bytes

    def _delete(self, which: str, *bounds: int) -> Tally:
        rows = self._db.execute(
            f"delete from frame where {which} returning readings",  # noqa: S608 - our own words
            bounds,
        ).fetchall()
        return Tally(len(rows), sum(count for (count,) in rows))

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with _naming_full():
            try:
                self._db.execute("begin immediate")
                yield
                self._db.execute("commit")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("rollback")
                raise


@contextmanager
def _naming_full() -> Iterator[None]:
    """Call a disk that is full, or fails, by its name."""
    try:
        yield
    except sqlite3.OperationalError as error:
        if _full(error):
            raise StorageFull(
                f"the disk of the spool: {error}; free some room or mend it"
            ) from error
        raise


def _steady_ms() -> int:
    return monotonic_ns() // 1_000_000


def _full(error: sqlite3.OperationalError) -> bool:
    return (getattr(error, "sqlite_errorcode", 0) & 0xFF) in _FULL


def _why_not(error: sqlite3.DatabaseError) -> str:
    if getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_BUSY:
        return "another agent has this spool open; end it or name another directory"
    return f"this is not a spool that can be used ({error}); move it away to begin a new one"
