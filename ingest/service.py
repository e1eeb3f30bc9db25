"""Ingest as a process: threads, sockets and the clock around the parts that do the work.

The network threads put messages into the inbox; the intake, on the thread that calls `run`, makes
batches of them; the writer thread brings those into the database and leaves each for the intake to
acknowledge.
"""

import random
import threading
from collections.abc import Callable, Mapping
from queue import Empty, SimpleQueue
from typing import Final, TypeVar

import structlog

from ingest.acks import Acknowledgements
from ingest.broker import HostLink, LaneLink, now_ms
from ingest.buffer import Batch, Buffer
from ingest.counters import Counters
from ingest.gap import GapWatch
from ingest.health import HealthServer, Part, Readiness
from ingest.inbox import Inbox
from ingest.intake import Horizon, Intake
from ingest.lease import Lease
from ingest.maintenance import CatalogueWatch, Maintenance
from ingest.rebirth import RebirthPolicy
from ingest.rollup.process import RollupProcess
from ingest.session import HostSession, SessionPolicy
from ingest.settings import IngestSettings
from ingest.start import Knowledge, learn, our_tables
from ingest.writer import Writer, WriterState
from schemas.backoff import full_jitter
from schemas.errors import LeaseLost, UnavailableError
from schemas.fault import FaultPoint
from schemas.instant import to_ms
from schemas.settings import MqttSettings

log = structlog.get_logger()

_TICK_S: Final = 0.02
_ARRIVALS_A_TURN: Final = 64

#: A part of ingest that works beside the stream until the event is set.
Worker = Callable[[threading.Event], None]
Answer = TypeVar("Answer")


class IngestService:
    """Everything that ``python -m ingest run`` runs."""

    def __init__(
        self,
        mqtt: MqttSettings,
        dsn: str,
        settings: IngestSettings,
        fault: FaultPoint | None = None,
    ) -> None:
        self.counters = Counters()
        self._mqtt = mqtt
        self._dsn = dsn
        self._settings = settings
        self._fault = fault or FaultPoint()
        self._inbox = Inbox(settings.inbox_mb * 1_000_000)
        self._buffer = Buffer(
            rows=settings.batch_rows,
            wait_s=settings.batch_ms / 1000,
            most_bytes=settings.buffer_mb * 1_000_000,
        )
        waiting = self.counters.waiting_bytes
        waiting.labels("inbox").set_function(lambda: self._inbox.size)
        waiting.labels("buffer").set_function(lambda: self._buffer.size)
        self._committed: SimpleQueue[Batch] = SimpleQueue()
        self._lease = Lease(dsn, settings.host_id, settings.lease_s)
        self._leading = False
        self.readiness = Readiness(self.parts)
        self._host: HostLink | None = None
        self._lane: LaneLink | None = None
        self._writer: Writer | None = None

    def run(self, stop: threading.Event) -> None:
        """Work until *stop* is set, then drain and leave; stand by while another process leads.

        A broker or database that is not there yet is waited for.

        Raises
        ------
        ConfigError
            The database lacks our tables or the plant, or the port of /metrics is taken.
        LeaseLost
            Another process took over while this one was not seen; started again, it stands by.
        """
        settings = self._settings
        health = None
        if settings.metrics_port is not None:
            health = HealthServer(
                settings.metrics_host, settings.metrics_port, self.counters, self.readiness
            )
            log.info("serving /metrics", host=settings.metrics_host, port=health.port)
        try:
            if self._patiently(self._lease_or_stop, stop):
                self._lead(stop)
        finally:
            self._lease.close()
            if health is not None:
                health.close()
        if self._lease.lost:
            raise LeaseLost(
                f"another process leads host {settings.host_id!r} now; "
                "start this one again and it stands by"
            )

    def parts(self) -> Mapping[str, Part]:
        """The parts that are needed, and how each is."""
        if not self._leading:
            up = self._lease.database_up
            return {
                "lease": Part(ready=False, state="standby" if up else "waiting"),
                "database": Part(up, "answering" if up else WriterState.DATABASE_DOWN.value),
            }
        writer = WriterState.STARTING if self._writer is None else self._writer.state
        if writer is WriterState.WRITING and not self._lease.database_up:
            writer = WriterState.DATABASE_DOWN
        held = self._lease.held
        parts = {
            "lease": Part(held, "held" if held else "expired"),
            "broker": _connected(self._host),
            "database": Part(writer is WriterState.WRITING, writer.value),
        }
        if self._settings.lane:
            parts["lane"] = _connected(self._lane)
        return parts

    def _patiently(
        self, attempt: Callable[[threading.Event], Answer | None], stop: threading.Event
    ) -> Answer | None:
        """The first answer of *attempt*, for as long as the database is away; None once stopped."""
        tries = 0
        while not (stop.is_set() or self._lease.lost):
            try:
                with our_tables():
                    return attempt(stop)
            except UnavailableError as error:
                if tries == 0:
                    log.warning("waiting for the database", error=str(error))
                stop.wait(full_jitter(tries, cap_s=5.0))
                tries += 1
        return None

    def _lease_or_stop(self, stop: threading.Event) -> bool:
        host = self._settings.host_id
        return self._lease.acquire(
            stop, lambda: log.info("standing by: another process leads", host=host)
        )

    def _lead(self, stop: threading.Event) -> None:
        self._leading = True
        log.info("leading", host=self._settings.host_id)
        done = threading.Event()
        holding = threading.Thread(target=self._lease.hold, args=(done,), name="lease")
        holding.start()
        try:
            knowledge = self._patiently(lambda _: learn(self._dsn, self._settings.group_ids), stop)
            if knowledge is not None:
                self._work(knowledge, stop)
        finally:
            done.set()
            holding.join()

    def _work(self, knowledge: Knowledge, stop: threading.Event) -> None:
        lease = self._lease
        session, intake = self._assemble(knowledge)
        give_up = threading.Event()
        writer = self._writer = Writer(
            lease.writer_dsn,
            self._buffer,
            self.counters,
            lambda rows, place, reason: intake.names.refusal(rows, place, reason, now_ms()),
            self._fault,
            fence=lease.fence,
        )
        writing = threading.Thread(
            target=writer.run, args=(self._committed.put, give_up), name="writer"
        )
        working = [
            threading.Thread(target=work, args=(stop,), name=name)
            for name, work in self._workers().items()
        ]
        host = self._host = HostLink(
            self._mqtt,
            self._settings.host_id,
            self._inbox,
            session.will,
            may=lambda: lease.held,
        )
        for thread in (writing, *working):
            thread.start()
        try:
            host.open()
            if self._settings.lane:
                self._lane = LaneLink(
                    self._mqtt,
                    self._settings.host_id,
                    self._inbox,
                    unacknowledged=self._settings.lane_messages,
                    may=lambda: lease.held,
                )
                self._lane.open()
            log.info("listening", groups=knowledge.groups, tags=len(knowledge.names.ids))
            while not (stop.is_set() or lease.lost):
                self._turn(intake, host, _TICK_S)
                self.readiness.see()
            log.info("draining" if not lease.lost else "leaving what is in memory to the leader")
            self._inbox.close()
            self._turn(intake, host, 0.0)
        finally:
            stop.set()
            intake.leave(now_ms())
            self._buffer.close()
            writing.join(0.0 if lease.lost else self._settings.drain_s)
            give_up.set()
            writing.join()
            self._turn(intake, host, 0.0)
            if self._lane is not None:
                self._lane.close()
            # Of a host that goes on elsewhere nothing is said: its leader is online.
            host.close(None if lease.lost else session.leaving(now_ms()))
            for thread in working:
                thread.join()

    def _workers(self) -> Mapping[str, Worker]:
        keep = self._settings.keep
        workers: dict[str, Worker] = {
            "maintenance": Maintenance(self._dsn, keep).run,
            "catalogue": CatalogueWatch(self._dsn, self._lease, self._inbox).run,
        }
        if self._settings.rollup:
            rollup = RollupProcess(self._dsn, keep)
            self.counters.registry.register(rollup)
            workers["rollup"] = rollup.run
        return workers

    def _turn(self, intake: Intake, host: HostLink, wait_s: float) -> None:
        """Take in what is there, a few messages at a time, with acknowledgements in between."""
        arrivals = self._inbox.take(wait_s)
        while True:
            for _ in range(min(len(arrivals), _ARRIVALS_A_TURN)):
                intake.arrived(arrivals.popleft(), host, now_ms())
            self._acknowledge(intake)
            intake.tick(now_ms(), acknowledge=self._lease.held)
            if not arrivals:
                return

    def _acknowledge(self, intake: Intake) -> None:
        while True:
            try:
                batch = self._committed.get_nowait()
            except Empty:
                return
            intake.committed(batch)

    def _assemble(self, knowledge: Knowledge) -> tuple[HostSession, Intake]:
        settings = self._settings
        policy = SessionPolicy(
            reorder_ms=settings.reorder_ms,
            rebirth=RebirthPolicy(spacing_ms=settings.rebirth_spacing_ms),
        )
        session = HostSession(settings.host_id, knowledge.groups, policy, random.random)
        acks = Acknowledgements(settings.ack_ms)
        watch = GapWatch(acks, settings.gap_ms)
        for node in knowledge.nodes:
            session.restore(node.source, spooling=node.spool_id is not None)
            if node.spool_id is not None:
                acks.restore(node.source, node.spool_id, node.committed)
            watch.restore(node, now_ms())
        intake = Intake(
            session=session,
            acks=acks,
            watch=watch,
            names=knowledge.names,
            buffer=self._buffer,
            counters=self.counters,
            horizon=Horizon(to_ms(settings.earliest), int(settings.future_s * 1000)),
            fault=self._fault,
        )
        return session, intake


def _connected(link: HostLink | LaneLink | None) -> Part:
    up = link is not None and link.connected
    return Part(up, "connected" if up else "not connected")
