"""Evaluates the alarms, once a tick, in one of all API processes.

The one that leads holds an advisory lock, and it writes over the very connection that holds the
lock: where that connection goes, its writes fail with it, so that two never write. The states are
in the database alone; what is kept in memory, delays that run, is lost with the process, and
nothing rings again because another goes on.

What is evaluated is the newest committed value by source time, as it stands now. A backfill of
yesterday therefore rings nothing; that it would have rung is found by `api.alarms.late`.
"""

import asyncio
import threading
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa
import structlog
from anyio import CapacityLimiter, to_thread

from alarms.watch import Sample, Watch, watched
from api.alarms.transition import Condition, apply_conditions, end_shelving
from api.counters import Counters
from api.kpi_now import live_kpis
from api.latest import newest
from api.store import Store
from kpi.binding import bind
from kpi.catalogue.park import KPIS
from schemas.db.alarms import load_alarms
from schemas.db.catalogue import Catalogue
from schemas.db.engine import wrap_errors
from schemas.db.tables import alarm
from schemas.errors import ErtisError, is_defect
from schemas.instant import EPOCH
from schemas.plant.alarms import AlarmLimit
from schemas.quality import Quality, main_quality

log = structlog.get_logger()

_LOCK: Final = 0x414C41524D  # "ALARM"
_TICK_S: Final = 1.0
#: A process that is stopped but not dead says nothing: the server then ends its session, and with
#: it the lock.
_SILENT_S: Final = 30.0
#: KPIs over minutes or hours do not jump.
_KPIS_EVERY: Final = timedelta(seconds=10)
_Value = tuple[float | None, datetime | None]


class Evaluator:
    """Evaluates the alarms while it leads. One thread at a time calls `step`."""

    def __init__(self, store: Store, engine: sa.Engine, counters: Counters) -> None:
        self._store = store
        self._engine = engine
        self._counters = counters
        self._connection: sa.Connection | None = None
        self._catalogue: Catalogue | None = None
        self._limits: Mapping[int, AlarmLimit] = {}
        self._watches: dict[int, Watch] = {}
        self._kpis: Mapping[tuple[str, str, float], float | None] = {}
        self._kpis_at = EPOCH
        self._leading = False
        self._failing = False
        self._refused: set[str] = set()
        # A step goes on in its thread when the task that waits for it is cancelled.
        self._turn = threading.Lock()

    async def run(self) -> None:
        """Step once a tick until cancelled."""
        thread = CapacityLimiter(1)
        while True:
            tick = asyncio.create_task(asyncio.sleep(_TICK_S))
            try:
                await to_thread.run_sync(self.step, self._store.now(), limiter=thread)
            except Exception as error:  # noqa: BLE001 - the next tick may succeed
                self._tell(error)
                await to_thread.run_sync(self.close, limiter=thread)
            else:
                self._failing = False
            await tick

    def step(self, at: datetime) -> bool:
        """Evaluate all alarms as they stand at *at*; False if another process leads.

        Raises
        ------
        UnavailableError
            The database does not answer, or has no tables yet.
        """
        with self._turn, wrap_errors():
            connection = self._led()
            if connection is None:
                return False
            with connection.begin():
                self._learn(connection)
            changed = self._changed(at)
            with connection.begin():
                apply_conditions(connection, changed, at)
                end_shelving(connection, at)
            if not self._leading:
                log.info("evaluates the alarms")
            self._leading = True
            self._counters.alarms_evaluated.set(len(self._limits))
        return True

    def close(self) -> None:
        """Give the lead away; what is remembered is read again by whoever leads next."""
        with self._turn:
            connection, self._connection = self._connection, None
            self._catalogue = None
            self._leading = False
            if connection is not None:
                _end(connection)
            self._engine.dispose()

    def _led(self) -> sa.Connection | None:
        if self._connection is None:
            connection = self._engine.connect()
            try:
                locked = _lock(connection)
            except BaseException:
                _end(connection)
                raise
            if not locked:
                connection.close()
                return None
            self._connection = connection
        return self._connection

    def _learn(self, connection: sa.Connection) -> None:
        """The alarms of the plant as it stands, with what is known of them."""
        catalogue = self._store.catalogue()
        if catalogue is self._catalogue:
            return
        self._limits = load_alarms(connection)
        rows = connection.execute(sa.select(alarm.c.id, alarm.c.active, alarm.c.known))
        stored = {row.id: Watch(row.active, row.known) for row in rows}
        self._watches = {i: self._watches.get(i, stored[i]) for i in self._limits}
        if self._catalogue is None:
            self._watches = {i: stored[i] for i in self._limits}
        self._catalogue = catalogue

    def _changed(self, at: datetime) -> dict[int, Condition]:
        """What the values say now of the alarms where that is something new."""
        values = self._values(at)
        changed = {}
        for alarm_id, limit in self._limits.items():
            value, ts = values[limit.source, limit.asset, limit.window_s or 0.0]
            before = self._watches[alarm_id]
            now = watched(before, limit, Sample(at, value))
            self._watches[alarm_id] = now
            if (now.active, now.known) != (before.active, before.known):
                changed[alarm_id] = Condition(now.active, now.known, value, ts)
        return changed

    def _values(self, at: datetime) -> Mapping[tuple[str, str, float], _Value]:
        """The value of each source now, None where it is stale or bad, and its source's time."""
        catalogue = self._store.catalogue()
        paths = {one.source for one in self._limits.values() if one.window_s is None}
        tags = [catalogue.plant.tag(path) for path in paths]
        found: dict[tuple[str, str, float], _Value] = {}
        for one in newest(self._store, catalogue, tags, at) if tags else ():
            asset = catalogue.plant.tag(one.tag).asset
            usable = main_quality(one.quality) in {Quality.GOOD, Quality.UNCERTAIN}
            value = one.value if usable else None
            found[one.tag, asset, 0.0] = (value, one.ts)
        if at - self._kpis_at >= _KPIS_EVERY:
            self._kpis, self._kpis_at = self._kpi_values(catalogue, at), at
        return found | {key: (value, None) for key, value in self._kpis.items()}

    def _kpi_values(
        self, catalogue: Catalogue, at: datetime
    ) -> Mapping[tuple[str, str, float], float | None]:
        wanted = [one for one in self._limits.values() if one.window_s is not None]
        found: dict[tuple[str, str, float], float | None] = {}
        for window_s in {one.window_s or 0.0 for one in wanted}:
            bindings = []
            for source, asset in {(i.source, i.asset) for i in wanted if i.window_s == window_s}:
                found[source, asset, window_s] = None
                try:
                    kpi = KPIS[source]
                    bindings.append(bind(kpi, asset, catalogue.plant, catalogue.tag_ids))
                except (ErtisError, KeyError) as error:
                    self._refuse(source, asset, error)
            window = timedelta(seconds=window_s)
            for key, live in live_kpis(self._store, catalogue, bindings, window, at).items():
                found[*key, window_s] = live.value
        return found

    def _refuse(self, kpi: str, asset: str, error: Exception) -> None:
        if (name := f"{kpi}@{asset}") not in self._refused:
            self._refused.add(name)
            log.warning("an alarm has no such KPI and stays unknown", kpi=name, error=str(error))

    def _tell(self, error: Exception) -> None:
        if not self._failing:
            trace = error if is_defect(error) else None
            log.warning("alarms cannot be evaluated", error=str(error).strip(), exc_info=trace)
        self._failing = True


def _lock(connection: sa.Connection) -> bool:
    """Whether the session of *connection* leads now; if so, it ends where it falls silent."""
    locked = bool(connection.scalar(sa.select(sa.func.pg_try_advisory_lock(_LOCK))))
    if locked:
        for name in ("idle_session_timeout", "idle_in_transaction_session_timeout"):
            of_session = sa.func.set_config(name, f"{_SILENT_S}s", sa.false())
            connection.execute(sa.select(of_session))
    connection.commit()
    return locked


def _end(connection: sa.Connection) -> None:
    """End the session: the pool would hand it on with the lock that it holds."""
    connection.invalidate()
    connection.close()
