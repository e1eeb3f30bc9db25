"""The rollup worker: dirty minutes to ``rollup_1m`` and ``rollup_1h``, and to inputs of KPIs.

There is one path for live and late readings. In one transaction the worker takes the marks of
closed minutes, reads the raw readings around everything that they reach, and replaces the summaries
there; so it may be killed at any point, and what is done twice is done to the same end. Whatever
order readings arrive in, the summaries end up the same to the bit.

A tag whose value still holds when a minute ends is marked for the next one, so that silent minutes
have summaries until the value is stale. Hours are merged when they are closed; until then every tag
with summaries in the hour has a mark in it, at the latest in its last minute.
"""

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from threading import Event
from typing import Final

import polars as pl
import psycopg
import structlog
from prometheus_client import CollectorRegistry

from ingest.rollup import marks, reach, signed
from ingest.rollup.counters import RollupCounters
from ingest.rollup.history import Slice, build
from ingest.rollup.inputs import register
from ingest.rollup.neighbours import (
    NEIGHBOURS,
    neighbours,
    readings_around,
    summaries_in,
)
from ingest.rollup.points import Points, load_points
from ingest.rollup.preparation import Preparation
from ingest.rollup.replacement import replace
from kpi.derive import derive
from kpi.merge import merge
from kpi.summary import summarise
from schemas.backoff import full_jitter
from schemas.db.engine import connect, wrap_errors
from schemas.db.frames import FrameReader
from schemas.db.periods import LOCK
from schemas.errors import AlreadyAtWork, UnavailableError

log = structlog.get_logger()

_MINUTE: Final = timedelta(minutes=1)
_HOUR: Final = timedelta(hours=1)
#: Readings of a minute's last second are still in the writer's batch when the minute ends.
_GRACE: Final = timedelta(seconds=2)
#: Minutes of tags that are read at once, 1.2 million readings of tags that change each second. One
#: late event may reach thousands of minutes.
_CHUNK: Final = 20_000
#: Chunks that are read at the same time: a minute of 100,000 tags took a single session longer than
#: all the rest (2026-11-22).
_SESSIONS: Final = 2
_IDLE_S: Final = 1.0
_LONGEST_WAIT_S: Final = 10.0


@dataclass(frozen=True, slots=True)
class Step:
    """What one step did.

    ``marked`` minutes of tags were taken; summaries were made again for ``minutes`` minutes and
    ``hours`` hours of tags, and ``sums`` minutes and hours of inputs of KPIs; ``refused`` minutes
    lie before the retention floor. In signed periods ``late`` hours of tags would be different and
    were left.
    """

    marked: int = 0
    minutes: int = 0
    hours: int = 0
    sums: int = 0
    refused: int = 0
    late: int = 0


class RollupWorker:
    """Brings the rollups up to date; several may run, one works at a time.

    Parameters
    ----------
    dsn
        The database.
    registry
        Where its counters are shown; nowhere if None.
    keep
        How long raw readings are kept (`schemas.db.tiers.maintain`); for ever if None. Summaries of
        what is older are never touched: they could only lose.
    budget
        Marked minutes of tags that one step takes, about: what live minutes wait at most.
    """

    def __init__(
        self,
        dsn: str,
        *,
        registry: CollectorRegistry | None = None,
        keep: timedelta | None = None,
        budget: int = 100_000,
    ) -> None:
        self._dsn = dsn
        self._counters = RollupCounters(registry or CollectorRegistry())
        self._keep = keep
        self._budget = budget
        self._frames = FrameReader(dsn)
        self._connection: psycopg.Connection | None = None
        self._points: Points | None = None
        self._failing = False

    def run(self, stop: Event) -> None:
        """Step until *stop* is set; what fails is tried again, for ever."""
        attempt = 0
        try:
            while not stop.is_set():
                try:
                    step = self.step(datetime.now(UTC))
                    past = None if step.marked else self.build(datetime.now(UTC))
                except AlreadyAtWork:
                    stop.wait(_IDLE_S)
                    continue
                except Exception as error:  # noqa: BLE001 - summaries can be made later, not never
                    self._fail(error)
                    stop.wait(full_jitter(attempt, base_s=0.5, cap_s=_LONGEST_WAIT_S))
                    attempt += 1
                    continue
                if self._failing:
                    log.info("rollups are made again")
                self._failing, attempt = False, 0
                if not step.marked and not past:
                    stop.wait(_IDLE_S)
        finally:
            self.close()

    def step(self, now: datetime) -> Step:
        """Take a budget of dirty minutes that are closed at *now* and make their summaries.

        Raises
        ------
        AlreadyAtWork
            Another worker is at it.
        UnavailableError
            The database does not answer; nothing was changed.
        """
        started_s = time.monotonic()
        closed = marks.minute_of(now - _GRACE)
        floor = None if self._keep is None else marks.minute_of(now - self._keep) + 1
        with self._transaction() as connection:
            _lock(connection)
            taken = marks.take(connection, closed, self._budget)
            if taken.is_empty():
                return Step()
            step = self._roll_up(connection, taken, closed, floor)
        self._counters.minutes.inc(step.minutes)
        self._counters.hours.inc(step.hours)
        self._counters.sums.inc(step.sums)
        self._counters.refused.inc(step.refused)
        self._counters.late.inc(step.late)
        self._counters.seconds.observe(time.monotonic() - started_s)
        return step

    def build(self, now: datetime) -> Slice | None:
        """Sum up one more slice of the past of inputs that are new; None if nothing is left to do.

        Raises
        ------
        AlreadyAtWork
            Another worker is at it.
        UnavailableError
            The database does not answer; nothing was changed.
        """
        with self._transaction() as connection:
            _lock(connection)
            if connection.execute("SELECT FROM plant").rowcount == 0:
                return None
            points = self._known(connection, marks.minute_of(now - _GRACE))
            return build(connection, self._frames, points.inputs)

    def due(self, now: datetime) -> int:
        """How many closed minutes of tags are marked at *now*, counted as often as marked."""
        with self._transaction() as connection:
            return marks.due(connection, marks.minute_of(now - _GRACE))

    def close(self) -> None:
        """Let go of the database."""
        self._frames.close()
        if self._connection is not None:
            with suppress(psycopg.Error):
                self._connection.close()
            self._connection = None

    def _roll_up(
        self, connection: psycopg.Connection, taken: pl.DataFrame, closed: int, floor: int | None
    ) -> Step:
        points = self._known(connection, closed)
        around = self._neighbours(points.holding(marks.spans(taken)))
        reached = reach.reached(around, closed)
        changed = marks.union(reach.with_derived(reached, points.reaches, closed))
        kept = changed if floor is None else _above(points.holding(changed), floor)
        periods = signed.signed_around(connection, kept)
        unsigned = signed.unsigned(kept, periods)
        hours, preparation = 0, Preparation(self._frames, points, closed)
        for chunk, rows in self._ahead(points, list(marks.parts(unsigned, _CHUNK))):
            replace(connection, "rollup_1m", chunk, rows)
            preparation.minutes(chunk, rows)
            hours += self._merge_hours(connection, points, chunk, rows, preparation)
        sums = preparation.finish(connection)
        marks.leave(connection, _left(around, reached, closed))
        late = sum(
            self._note(connection, points, period, chunk)
            for period, spans in signed.signed(kept, periods)
            for chunk in marks.parts(spans, _CHUNK)
        )
        minutes = marks.minutes_in(unsigned)
        refused = marks.minutes_in(changed) - marks.minutes_in(kept)
        return Step(taken.height, minutes, hours, sums, refused, late)

    def _neighbours(self, spans: pl.DataFrame) -> pl.DataFrame:
        with ThreadPoolExecutor(_SESSIONS) as pool:
            found = pool.map(partial(neighbours, self._frames), marks.parts(spans, _CHUNK))
            return pl.concat([pl.DataFrame(schema=dict(NEIGHBOURS)), *found])

    def _ahead(
        self, points: Points, chunks: Sequence[pl.DataFrame]
    ) -> Iterator[tuple[pl.DataFrame, pl.DataFrame]]:
        """Each of *chunks* with its summaries; the next are made while one is written."""
        with ThreadPoolExecutor(_SESSIONS) as pool:
            made = pool.map(partial(self._summaries, points), chunks)
            yield from zip(chunks, made, strict=True)

    def _note(
        self,
        connection: psycopg.Connection,
        points: Points,
        period: signed.Signed,
        spans: pl.DataFrame,
    ) -> int:
        """Note what would be different in *spans* of a signed *period*; how many hours of tags."""
        kept = summaries_in(self._frames, points.holding(spans))
        return signed.note(connection, period, kept, self._summaries(points, spans))

    def _summaries(self, points: Points, spans: pl.DataFrame) -> pl.DataFrame:
        """The summaries of the minutes in *spans*."""
        tags, derived = points.of(spans)
        operands = marks.union(reach.with_operands(spans, points.reaches))
        readings = readings_around(self._frames, points.holding(operands))
        computed = derive(readings, derived, points.derived, points.tags)
        rows = summarise(pl.concat([readings, computed]), tags, *marks.outer(spans), _MINUTE)
        return marks.rows_in(rows, spans, "bucket", inside=True)

    def _merge_hours(
        self,
        connection: psycopg.Connection,
        points: Points,
        spans: pl.DataFrame,
        rows: pl.DataFrame,
        preparation: Preparation,
    ) -> int:
        """Merge the closed hours that *spans* touch; *rows* are their new minutes."""
        end = pl.min_horizontal((pl.col("end") + 59) // 60 * 60, pl.lit(preparation.hour))
        hours = marks.union(
            spans.select("tag_id", start=pl.col("start") // 60 * 60, end=end).filter(
                pl.col("start") < pl.col("end")
            )
        )
        if hours.is_empty():
            return 0
        others = marks.rows_in(
            summaries_in(self._frames, points.holding(hours)), spans, "bucket", inside=False
        )
        minutes = pl.concat([others, marks.rows_in(rows, hours, "bucket", inside=True)])
        merged = merge(minutes, every=_HOUR)
        replace(connection, "rollup_1h", hours, merged)
        preparation.hours(hours, merged)
        return marks.minutes_in(hours) // 60

    def _known(self, connection: psycopg.Connection, closed: int) -> Points:
        """The tags, read again after a new plant was stored; its inputs are entered then."""
        row = connection.execute("SELECT loaded_at FROM plant").fetchone()
        loaded_at = datetime.min.replace(tzinfo=UTC) if row is None else row[0]
        if self._points is None or self._points.loaded_at != loaded_at:
            self._points = load_points(self._dsn, loaded_at)
            register(connection, self._points.inputs, marks.instant_of(closed // 60 * 60))
        return self._points

    @contextmanager
    def _transaction(self) -> Iterator[psycopg.Connection]:
        try:
            with wrap_errors(), self._connected().transaction():
                yield self._connected()
        except AlreadyAtWork:
            raise
        except BaseException:
            self._points = None  # its inputs may not be entered
            raise

    def _connected(self) -> psycopg.Connection:
        if self._connection is None or self._connection.closed:
            self._connection = connect(self._dsn, autocommit=True)
        return self._connection

    def _fail(self, error: Exception) -> None:
        self.close()
        self._counters.failures.inc()
        if not self._failing:
            away = isinstance(error, UnavailableError)
            log.error("no rollups are made", error=str(error).strip(), exc_info=not away)
        self._failing = True


def _lock(connection: psycopg.Connection) -> None:
    """Be the one that works until the transaction ends; `AlreadyAtWork` if another one is."""
    row = connection.execute("SELECT pg_try_advisory_xact_lock(%s)", (LOCK,)).fetchone()
    if row != (True,):
        raise AlreadyAtWork("another process makes the rollups now; it will do this work as well")


def _above(spans: pl.DataFrame, floor: int) -> pl.DataFrame:
    """Of *spans* what lies so far above *floor* that a reading below it holds no more."""
    silent = (pl.col("silence") / 60).ceil().cast(pl.Int64)
    return (
        spans.with_columns(pl.max_horizontal("start", floor + silent).alias("start"))
        .filter(pl.col("start") < pl.col("end"))
        .select("tag_id", "start", "end")
    )


def _left(around: pl.DataFrame, reached: pl.DataFrame, closed: int) -> dict[int, list[int]]:
    """The marks to leave: where values hold on, and for the merging of the open hour."""
    after = reach.holding(around, closed).filter(~pl.col("next"))
    hour = closed // 60 * 60
    in_open_hour = reached.filter(pl.col("end") > hour).select("tag_id").unique()
    done = after.filter(~pl.col("holds")).join(in_open_hour, on="tag_id", how="semi")
    left = {hour + 59: done["tag_id"].to_list()}
    holding = after.filter("holds")["tag_id"].to_list()
    left[closed] = left.get(closed, []) + holding
    return left
