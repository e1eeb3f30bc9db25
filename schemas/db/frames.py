"""Polars frames out of PostgreSQL by ADBC, which copies binary columns straight into Arrow."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from queue import Empty, LifoQueue
from threading import Lock
from typing import Any, Final, Self

import adbc_driver_manager
import polars as pl
import sqlalchemy as sa
from adbc_driver_postgresql import dbapi
from sqlalchemy.dialects.postgresql.base import PGCompiler, PGDialect
from sqlalchemy.types import TypeEngine

from schemas.db.catalogue import Catalogue
from schemas.db.engine import conninfo, wrap_errors
from schemas.db.packed import pack, unpack
from schemas.errors import DatabaseBusy, DefectError

#: A frame of readings.
READINGS: Final = pl.Schema(
    {
        "tag_id": pl.Int32(),
        "ts": pl.Datetime("us", "UTC"),
        "value": pl.Float64(),
        "quality": pl.Int16(),
    }
)
#: A frame of tags, as the KPI core wants it.
TAGS: Final = pl.Schema(
    {
        "tag_id": pl.Int32(),
        "kind": pl.String(),
        "interpolation": pl.String(),
        "stale_after_s": pl.Float64(),
        "modulus": pl.Float64(),
        "max_rate": pl.Float64(),
    }
)
_COLUMNS: Final = "tag_id, ts, value, quality"
_USABLE: Final = "value IS NOT NULL AND (quality BETWEEN 64 AND 127 OR quality BETWEEN 192 AND 255)"
#: A usable reading of a tag whose next reading is compared with it.
_COMPARED: Final = f"tag.kind IN ('counter', 'state') AND {_USABLE}"


class FrameReader:
    """Reads frames over a few ADBC connections, kept for the next call; safe to share by threads.

    Every method raises `DatabaseDown` (or its siblings) as `schemas.db.engine.wrap_errors` does.
    """

    def __init__(self, dsn: str) -> None:
        self._dsn = conninfo(dsn)
        self._idle: LifoQueue[dbapi.Connection] = LifoQueue()
        self._statements = _Statements()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections that are kept."""
        while True:
            try:
                self._idle.get_nowait().close()
            except Empty:
                return

    def apart(self) -> "FrameReader":
        """A reader over the same connections whose `cancel` ends its own statements alone."""
        one = FrameReader(self._dsn)
        one._idle = self._idle
        return one

    def cancel(self) -> None:
        """End what this reader is reading; from any thread. It reads nothing more after that."""
        self._statements.cancel()

    def fetch(self, query: sa.Select[Any]) -> pl.DataFrame:
        """The rows of *query*, columns typed as in the database.

        Raises
        ------
        DefectError
            *query* binds something else than numbers and instants: text does not belong into a
            statement, and ADBC gives up its fast path for bound parameters.
        """
        return self._fetch(_statement(query))

    def packed(
        self, query: sa.Select[Any], order: Sequence[sa.ColumnElement[Any]] = ()
    ) -> pl.DataFrame:
        """The rows of *query* by *order* as `fetch` gives them, at less cost; NaN is null.

        For numbers and instants, all but floats without nulls (`schemas.db.packed`).
        """
        return unpack(query, self.fetch(pack(query, order)).row(0))

    @contextmanager
    def snapshot(self) -> Iterator["FrameReader"]:
        """A reader for one thread whose calls all see one and the same state of the database."""
        with wrap_errors(), self._connection() as connection:
            _execute(connection, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            one = FrameReader(self._dsn)
            one._idle.put(connection)
            one._statements = self._statements
            yield one
            _execute(connection, "COMMIT")

    def readings(
        self,
        tag_ids: Sequence[int],
        start: datetime,
        end: datetime,
        *,
        bounds: bool = False,
        around: Mapping[int, float] | None = None,
    ) -> pl.DataFrame:
        """The readings of *tag_ids* in [start, end), sorted by tag and time, as `READINGS`.

        With *bounds* also, for each tag, its last reading before *start* and its first at or after
        *end*, where these lie within the tag's ``stale_after_s`` of that edge; for counters and
        states the last usable one before *start*, however long ago (`kpi.summary`). For each tag of
        *around* the same, with what lies so many seconds around it: of tags that derived states are
        made of, the rule has to look at that.
        """
        ids, low, high = _ids(tag_ids), _instant(start), _instant(end)
        inside = f"tag_id = ANY({ids}) AND ts >= {low} AND ts < {high}"
        parts = [f"SELECT {_COLUMNS} FROM reading WHERE {inside}"]  # noqa: S608 - numbers alone
        if bounds:
            silence = "make_interval(secs => tag.stale_after_s)"
            parts += [
                _bound(ids, f"ts < {low} AND ts >= {low} - {silence}", "DESC"),
                _bound(ids, f"ts >= {high} AND ts <= {high} + {silence}", "ASC"),
                _bound(ids, f"ts < {low} AND {_COMPARED}", "DESC"),
            ]
        if around:
            parts.append(_around(around, low))
        frame = pl.concat([self._fetch(part).cast(READINGS) for part in parts])
        return frame.unique(["tag_id", "ts"]).sort("tag_id", "ts")

    def latest(self, tag_ids: Sequence[int]) -> pl.DataFrame:
        """The newest reading of each of *tag_ids* that has any, sorted by tag, as `READINGS`."""
        return self._fetch(_bound(_ids(tag_ids), "true", "DESC")).cast(READINGS).sort("tag_id")

    def _fetch(self, statement: str) -> pl.DataFrame:
        with wrap_errors(), self._connection() as connection, self._cursor(connection) as cursor:
            cursor.execute(statement)
            frame: pl.DataFrame = cursor.fetch_polars()
            return frame

    @contextmanager
    def _cursor(self, connection: dbapi.Connection) -> Iterator[dbapi.Cursor]:
        with connection.cursor() as cursor, self._statements.of(cursor):
            yield cursor

    @contextmanager
    def _connection(self) -> Iterator[dbapi.Connection]:
        try:
            connection = self._idle.get_nowait()
        except Empty:
            connection = dbapi.connect(self._dsn, autocommit=True)
        try:
            yield connection
        except BaseException as error:
            connection.close()
            if isinstance(error, adbc_driver_manager.OperationalError):
                self.close()  # the idle ones have met the same restart of the server
            raise
        self._idle.put(connection)


class _Statements:
    """The statements under way, so that another thread can end them."""

    def __init__(self) -> None:
        self._running: set[dbapi.Cursor] = set()
        self._cancelled = False
        self._lock = Lock()

    @contextmanager
    def of(self, cursor: dbapi.Cursor) -> Iterator[None]:
        """Count *cursor* in while it is used."""
        with self._lock:
            if self._cancelled:
                raise DatabaseBusy("whoever asked for this has left")
            self._running.add(cursor)
        try:
            yield
        finally:
            with self._lock:
                self._running.discard(cursor)

    def cancel(self) -> None:
        """End them, and let none begin."""
        with self._lock:
            self._cancelled = True
            for cursor in self._running:
                cursor.adbc_cancel()


def literal(numbers: pl.Series, of: str) -> sa.ColumnElement[Any]:
    """*numbers* as one literal array of the PostgreSQL type *of*, for `FrameReader.fetch`.

    One text, where ARRAY[...] would be a node for each: 20,000 spans took 1.5 s to be written and
    parsed (2026-11-22).
    """
    if not (numbers.dtype.is_numeric() or numbers.dtype == pl.Boolean):
        raise DefectError(f"a literal array of {numbers.dtype}; only numbers may be")
    written = ",".join(numbers.cast(pl.String).to_list())
    return sa.literal_column(f"'{{{written}}}'::{of}[]")


def tag_frame(catalogue: Catalogue, tag_ids: Iterable[int]) -> pl.DataFrame:
    """What the KPI core needs to know about *tag_ids*, as `TAGS`."""
    rows = [
        (i, tag.kind.value, tag.interpolation.value, tag.stale_after_s, tag.modulus, tag.max_rate)
        for i, tag in ((i, catalogue.tags[i]) for i in tag_ids)
    ]
    return pl.DataFrame(rows, schema=TAGS, orient="row")


class _Numbers(PGCompiler):
    """Writes numbers and instants into a statement, and nothing else."""

    def render_literal_value(self, value: Any, type_: TypeEngine[Any]) -> str:  # noqa: ANN401 - any
        """*value* as SQL."""
        parts = value if isinstance(value, list | tuple) else (value,)
        if not all(isinstance(part, int | float | datetime) for part in parts):
            raise DefectError(f"query binds {value!r}; only numbers and instants may")
        return str(super().render_literal_value(value, type_))  # type: ignore[no-untyped-call] # theirs


class _Dialect(PGDialect):
    statement_compiler = _Numbers


_DIALECT: Final = _Dialect()  # type: ignore[no-untyped-call] # theirs


def _statement(query: sa.Select[Any]) -> str:
    return str(query.compile(dialect=_DIALECT, compile_kwargs={"literal_binds": True}))


def _execute(connection: dbapi.Connection, statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


def _bound(ids: str, condition: str, order: str) -> str:
    """The nearest reading of each tag that meets *condition*.

    One index descent a tag; within a tag the partitions come in the order of time, so that the
    scan ends in the first one that has a row.
    """
    return (
        f"SELECT nearest.* FROM tag CROSS JOIN LATERAL"  # noqa: S608 - numbers alone
        f" (SELECT {_COLUMNS} FROM reading WHERE tag_id = tag.id AND {condition}"
        f" ORDER BY ts {order} LIMIT 1) AS nearest WHERE tag.id = ANY({ids})"
    )


def _around(seconds: Mapping[int, float], low: str) -> str:
    """What lies so many *seconds* around the last usable reading of each tag before *low*."""
    last = _bound(_ids([*seconds]), f"ts < {low} AND {_USABLE}", "DESC")
    spans = ",".join(f"({int(tag_id)}, {float(given)})" for tag_id, given in seconds.items())
    width = "make_interval(secs => span.seconds)"
    return (
        f"SELECT near.* FROM ({last}) AS last"  # noqa: S608 - numbers alone
        f" JOIN (VALUES {spans}) AS span (id, seconds) ON span.id = last.tag_id"
        f" CROSS JOIN LATERAL (SELECT {_COLUMNS} FROM reading WHERE reading.tag_id = span.id"
        f" AND reading.ts >= last.ts - {width} AND reading.ts <= last.ts + {width}) AS near"
    )


def _ids(tag_ids: Sequence[int]) -> str:
    return f"'{{{','.join(str(int(tag_id)) for tag_id in tag_ids)}}}'::int4[]"


def _instant(instant: datetime) -> str:
    if instant.tzinfo is None:
        raise DefectError(f"{instant.isoformat()} has no time zone")
    return f"timestamptz '{instant.isoformat()}'"
