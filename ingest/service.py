"""Ingest as a process: threads, sockets and the clock around the parts that do the work.

The network threads put messages into the inbox; the intake, on the thread that calls `run`, makes
batches of them; the writer thread brings those into the database and leaves each for the intake to
acknowledge.
"""

import random
import threading
from collections.abc import Callable, Mapping
from queue import Empty, SimpleQueue
from typing import Final

import structlog

from ingest.acks import Acknowledgements
from ingest.broker import HostLink, LaneLink, now_ms
from ingest.buffer import Batch, Buffer
from ingest.counters import Counters
from ingest.health import HealthServer, Part
from ingest.inbox import Inbox
from ingest.intake import Horizon, Intake
from ingest.maintenance import Maintenance
from ingest.rebirth import RebirthPolicy
from ingest.rollup import RollupWorker
from ingest.session import HostSession, SessionPolicy
from ingest.settings import IngestSettings
from ingest.start import Knowledge, learn
from ingest.writer import Writer, WriterState
from schemas.backoff import full_jitter
from schemas.errors import UnavailableError
from schemas.fault import FaultPoint
from schemas.instant import to_ms
from schemas.settings import MqttSettings

log = structlog.get_logger()

_TICK_S: Final = 0.02
_ARRIVALS_A_TURN: Final = 64

#: A part of ingest that works beside the stream until the event is set.
Worker = Callable[[threading.Event], None]


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
        self._committed: SimpleQueue[Batch] = SimpleQueue()
        self._host: HostLink | None = None
        self._lane: LaneLink | None = None
        self._writer: Writer | None = None

    def run(self, stop: threading.Event) -> None:
        """Work until *stop* is set, then drain and leave.

        A broker or database that is not there yet is waited for.

        Raises
        ------
        ConfigError
            The database lacks our tables or the plant, or the port of /metrics is taken.
        """
        settings = self._settings
        health = None
        if settings.metrics_port is not None:
            health = HealthServer(
                settings.metrics_host, settings.metrics_port, self.counters, self.readiness
            )
            log.info("serving /metrics", host=settings.metrics_host, port=health.port)
        try:
            if (knowledge := self._learn(stop)) is not None:
                self._work(knowledge, stop)
        finally:
            if health is not None:
                health.close()

    def readiness(self) -> Mapping[str, Part]:
        """The parts that are needed, and how each is."""
        writer = WriterState.STARTING if self._writer is None else self._writer.state
        parts = {
            "broker": _connected(self._host),
            "database": Part(writer is WriterState.WRITING, writer.value),
        }
        if self._settings.lane:
            parts["lane"] = _connected(self._lane)
        return parts

    def _learn(self, stop: threading.Event) -> Knowledge | None:
        attempt = 0
        while not stop.is_set():
            try:
                return learn(self._dsn, self._settings.group_ids)
            except UnavailableError as error:
                if attempt == 0:
                    log.warning("waiting for the database", error=str(error))
                stop.wait(full_jitter(attempt, cap_s=5.0))
                attempt += 1
        return None

    def _work(self, knowledge: Knowledge, stop: threading.Event) -> None:
        session, intake = self._assemble(knowledge)
        give_up = threading.Event()
        writer = self._writer = Writer(
            self._dsn,
            self._buffer,
            self.counters,
            lambda rows, place, reason: knowledge.names.refusal(rows, place, reason, now_ms()),
            self._fault,
        )
        writing = threading.Thread(
            target=writer.run, args=(self._committed.put, give_up), name="writer"
        )
        working = [
            threading.Thread(target=work, args=(stop,), name=name)
            for name, work in self._workers().items()
        ]
        host = self._host = HostLink(self._mqtt, self._settings.host_id, self._inbox, session.will)
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
                )
                self._lane.open()
            log.info("listening", groups=knowledge.groups, tags=len(knowledge.names.ids))
            while not stop.is_set():
                self._turn(intake, host, _TICK_S)
            log.info("draining")
            self._inbox.close()
            self._turn(intake, host, 0.0)
        finally:
            stop.set()
            self._buffer.close()
            writing.join(self._settings.drain_s)
            give_up.set()
            writing.join()
            self._turn(intake, host, 0.0)
            if self._lane is not None:
                self._lane.close()
            host.close(session.leaving(now_ms()))
            for thread in working:
                thread.join()

    def _workers(self) -> Mapping[str, Worker]:
        keep = self._settings.keep
        workers: dict[str, Worker] = {"maintenance": Maintenance(self._dsn, keep).run}
        if self._settings.rollup:
            rollup = RollupWorker(self._dsn, registry=self.counters.registry, keep=keep)
            workers["rollup"] = rollup.run
        return workers

    def _turn(self, intake: Intake, host: HostLink, wait_s: float) -> None:
        """Take in what is there, a few messages at a time, with acknowledgements in between."""
        arrivals = self._inbox.take(wait_s)
        while True:
            for _ in range(min(len(arrivals), _ARRIVALS_A_TURN)):
                intake.arrived(arrivals.popleft(), host, now_ms())
            self._acknowledge(intake)
            intake.tick(now_ms())
            self.counters.waiting_bytes.labels("inbox").set(self._inbox.size)
            self.counters.waiting_bytes.labels("buffer").set(self._buffer.size)
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
        for node in knowledge.nodes:
            session.restore(node.source, spooling=node.spool_id is not None)
            if node.spool_id is not None:
                acks.restore(node.source, node.spool_id, node.committed)
        intake = Intake(
            session=session,
            acks=acks,
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
