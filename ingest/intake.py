"""The intake: from a message to the batch that fills. One thread owns all of its state.

The order check of a node runs beside its data: what is understood is stored at once. While the
buffer is full, the frames of spooling nodes are left to their spools, messages of the JSON lane
wait unacknowledged, and what comes from anyone else is refused and entered as a gap.
"""

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import partial
from typing import Final, Protocol

import numpy as np
import structlog

from ingest import lane
from ingest.acks import Acknowledgements
from ingest.buffer import Batch, Birth, Buffer, Gap, Vital
from ingest.counters import UNKNOWN_SOURCE, Counters
from ingest.decode import decode, letter
from ingest.event import (
    Born,
    Data,
    Deferred,
    Died,
    Event,
    Missing,
    Publish,
    Source,
    Subscribe,
    Unusable,
)
from ingest.frame import Columns, Frame
from ingest.gap import Cause, GapWatch
from ingest.inbox import Arrival, Connected, Disconnected, Message, Renamed
from ingest.letter import Fault, Letter
from ingest.metric_table import MetricTable
from ingest.names import TagNames
from ingest.ordinary import Ordinary
from ingest.positions import HIGHEST_POSITION, Ranges
from ingest.screen import Bounds, screen, sift
from ingest.session import HostSession
from schemas.fault import FaultPoint
from schemas.telemetry import TOPIC_PREFIX

log = structlog.get_logger()

_LANE_SOURCE: Final = "telemetry"


class Wire(Protocol):
    """Where the host's messages go out."""

    def subscribe(self, topic: str, qos: int) -> None:
        """Subscribe to *topic*."""

    def publish(self, message: Publish) -> None:
        """Send *message* now."""


@dataclass(frozen=True, slots=True)
class Horizon:
    """Which times are believed: not before ``earliest_ms``, not later than now + ``future_ms``."""

    earliest_ms: int
    future_ms: int

    def bounds(self, now_ms: int) -> Bounds:
        """The bounds for a message received at *now_ms*."""
        return Bounds(self.earliest_ms, now_ms + self.future_ms)


class Intake:
    """Session, decoding and screening in front of the buffer."""

    def __init__(
        self,
        *,
        session: HostSession,
        acks: Acknowledgements,
        watch: GapWatch,
        names: TagNames,
        buffer: Buffer,
        counters: Counters,
        horizon: Horizon,
        fault: FaultPoint,
    ) -> None:
        self._session = session
        self._acks = acks
        self._watch = watch
        self.names = names
        self._ordinary = Ordinary(names.ids)
        self._buffer = buffer
        self._counters = counters
        self._horizon = horizon
        self._fault = fault
        self._wire: Wire | None = None
        self._tables: dict[Source, MetricTable] = {}
        self._doubts: dict[Source, bool] = {}
        self._refused_ms: dict[str, tuple[int, int]] = {}
        self._waiting: deque[Message] = deque()

    def arrived(self, arrival: Arrival, wire: Wire, now_ms: int) -> None:
        """Take in what came; answers go out on *wire*."""
        self._wire = wire
        match arrival:
            case Connected(will_ms):
                self._follow(self._session.connected(will_ms, now_ms), now_ms)
            case Disconnected():
                events = self._session.disconnected(now_ms)
                for event in events:
                    if isinstance(event, Died):
                        self._watch.away(event.source, Cause.HOST_AWAY, now_ms)
                self._follow(events, now_ms)
                self._wire = None
            case Renamed(names):
                self._rename(names, now_ms)
            case Message(topic) if topic.startswith(TOPIC_PREFIX):
                self._waiting.append(arrival)
            case Message():
                self._hear(arrival)
        self._fault.reached("ingest.receive")

    def committed(self, batch: Batch) -> None:
        """A batch is in the database: acknowledge it."""
        for node, (spool_id, positions) in batch.positions.items():
            self._acks.committed(node, spool_id, positions)
        if batch.receipts:
            self._fault.reached("ingest.acknowledge")
        for receipt in batch.receipts:
            receipt()

    def tick(self, now_ms: int, *, acknowledge: bool = True) -> None:
        """What the time alone brings; Commit Through only where we may *acknowledge*."""
        events = self._session.tick(now_ms)
        self._counters.rebirths.inc(sum(isinstance(event, Publish) for event in events))
        self._follow(events, now_ms)
        self._take_waiting()
        self._gaps(self._watch.due(now_ms))
        self._note(self._watch.vitals(now_ms))
        if acknowledge and self._wire is not None:
            for command in self._acks.due(now_ms):
                self._fault.reached("ingest.acknowledge")
                self._wire.publish(command)
                self._counters.acknowledgements.inc()
        if self._refused_ms and not self._buffer.full:
            self._gaps(
                Gap(source, Cause.REFUSED, first, last, now_ms)
                for source, (first, last) in self._refused_ms.items()
            )
            self._refused_ms.clear()

    def leave(self, now_ms: int) -> None:
        """Nothing more comes: leave what the next process should know."""
        self._note(self._watch.vitals(now_ms, last=True))

    def _note(self, vitals: Iterable[Vital]) -> None:
        for vital in vitals:
            skew_ms = self._counters.skews.estimate_ms(str(vital.node))
            self._buffer.put(partial(_add_vital, replace(vital, skew_ms=skew_ms)))

    def _rename(self, names: TagNames, now_ms: int) -> None:
        """Look all tags up again; births then tell the database whose they are."""
        self.names = names
        self._ordinary = Ordinary(names.ids)
        for source, table in self._tables.items():
            before = table.tag_id
            table.rename(names.resolve)
            if not np.array_equal(before, table.tag_id):
                self._session.ask_rebirth(source, now_ms, spread=True)

    def _follow(self, events: Iterable[Event], now_ms: int) -> None:
        for event in events:
            match event:
                case Data():
                    self._data(event)
                case Born():
                    self._born(event)
                case Died():
                    self._died(event)
                case Missing(source, from_ms, to_ms) if not self._session.is_spooling(source):
                    # A spooling node sends again what was missed: that is no gap.
                    self._gaps([Gap(str(source), Cause.SEQUENCE, from_ms, to_ms, now_ms)])
                case Deferred(source, readings):
                    self._counters.ledger.deferred(str(source), readings)
                case Unusable():
                    self._unusable(event)
                case Publish() if self._wire is not None:
                    self._wire.publish(event)
                case Subscribe(topic, qos) if self._wire is not None:
                    self._wire.subscribe(topic, qos)

    def _hear(self, message: Message) -> None:
        topic, payload, received_ms = message.topic, message.payload, message.received_ms
        try:
            events = self._session.receive(topic, payload, received_ms, retained=message.retained)
            self._follow(events, received_ms)
        except Exception as error:  # noqa: BLE001 - one message must not end all sources
            self._show_defect(message, error)
        self._leave_receipts([message])

    def _show_defect(self, message: Message, error: Exception) -> None:
        """Set a message aside that shows a fault of ours."""
        log.error("message set aside", topic=message.topic, exc_info=error)
        seen = (message.topic, message.payload, message.received_ms)
        self._unusable(Unusable(None, *seen, "defect", f"please report this message: {error!r}"))

    def _died(self, died: Died) -> None:
        if died.source.device is None:
            self._watch.away(died.source, Cause.NODE_OFFLINE, died.at_ms)
        self._buffer.put(partial(_add_mark, died))

    def _born(self, born: Born) -> None:
        data, source = born.data, born.source
        table = self._tables[source] = MetricTable(source, data.payload, self.names.resolve)
        self._settle_doubt(source)
        dropped = Ranges()
        holes: list[tuple[int, int]] = []
        if born.spool is not None:
            holes = self._acks.born(source, born.spool)
            dropped = Ranges([(1, born.spool.first)])
        mark = Birth(
            source,
            data.received_ms,
            data.sent_ms,
            born.bd_seq if born.bd_seq is not None and born.bd_seq < 256 else None,
            born.spool,
            dropped,
            table.tag_ids.tolist(),
        )
        self._buffer.put(partial(_add_mark, mark))
        if source.device is None:
            gaps = self._watch.born(source, born.spool, holes, data.sent_ms, data.received_ms)
            self._gaps(gaps)
        if not self._session.is_spooling(source):
            self._data(data)

    def _data(self, data: Data) -> None:
        table, node = self._tables[data.source], data.source.edge_node
        frame = decode(data, table)
        if data.payload.timestamp and not frame.historical:
            self._counters.skews.see(str(node), data.payload.timestamp, data.received_ms)
        spooling = self._session.is_spooling(node)
        if frame.unknown_alias:
            self._session.ask_rebirth(node, data.received_ms)
            if spooling and self._in_doubt(data.source):
                self._counters.ledger.deferred(table.label, frame.received)
                return
        spool_id = self._acks.spool_of(node) if spooling else None
        if spool_id is None or frame.position is None or frame.position >= HIGHEST_POSITION:
            self._admit(table.label, frame, data.received_ms, partial(letter, data, table))
            self._watch.came(node, None, frame.columns.ts_ms, data.received_ms)
        elif self._buffer.full:
            self._watch.deferred(node)
            self._counters.ledger.deferred(table.label, frame.received)
        elif not self._acks.take(node, frame.position):
            self._counters.ledger.repeated(table.label, frame.received)
        else:
            self._admit(table.label, frame, data.received_ms, partial(letter, data, table))
            position = frame.position
            self._watch.came(node, position, frame.columns.ts_ms, data.received_ms)
            self._buffer.put(lambda batch: batch.add_position(node, spool_id, position))

    def _admit(
        self, source: str, frame: Frame, received_ms: int, write: Callable[[Fault], Letter]
    ) -> None:
        if not frame.received:
            return
        if self._buffer.full:
            self._counters.ledger.refused(source, frame.received)
            first_ms, _ = self._refused_ms.get(source, (received_ms, received_ms))
            self._refused_ms[source] = (first_ms, received_ms)
            return
        sift(frame, self._horizon.bounds(received_ms), write)
        self._put(source, frame, received_ms)

    def _put(self, source: str, frame: Frame, received_ms: int) -> None:
        self._counters.ledger.taken_in(source, frame.received)
        self._buffer.put(
            lambda batch: batch.add_readings(
                source, frame.columns, frame.texts, frame.letters, received_ms
            )
        )

    def _take_waiting(self) -> None:
        """Take in the JSON lane's messages, the ordinary ones many at a time."""
        while self._waiting and not self._buffer.full:
            messages, columns = self._ordinary.take(self._waiting)
            if columns is None:
                self._take_one(self._waiting.popleft())
            elif self._believed(columns, messages):
                frame = Frame(len(columns), columns)
                self._put(_LANE_SOURCE, frame, messages[0].received_ms)
                self._leave_receipts(messages)
            else:
                while messages and not self._buffer.full:
                    self._take_one(messages.popleft())
                self._waiting.extendleft(reversed(messages))

    def _take_one(self, message: Message) -> None:
        seen = (message.topic, message.payload, message.received_ms)
        try:
            frame = lane.decode(*seen, self.names.ids)
            self._admit(_LANE_SOURCE, frame, message.received_ms, partial(lane.letter, *seen))
        except Exception as error:  # noqa: BLE001 - or the broker sends it again for ever
            self._show_defect(message, error)
        self._leave_receipts([message])

    def _believed(self, columns: Columns, messages: Iterable[Message]) -> bool:
        """Whether every reading may be true at the time at which the first message came."""
        bounds = self._horizon.bounds(min(message.received_ms for message in messages))
        return not screen(columns, bounds).rejected

    def _leave_receipts(self, messages: Iterable[Message]) -> None:
        receipts = [message.receipt for message in messages if message.receipt is not None]
        if receipts:
            self._buffer.put(partial(_add_receipts, receipts))

    def _unusable(self, event: Unusable) -> None:
        known = event.source is not None and event.source.edge_node in self._tables
        source = str(event.source) if known else UNKNOWN_SOURCE
        dead = Letter(
            event.received_ms, event.topic, event.raw, event.reason, event.detail, event.readings
        )
        frame = Frame(event.readings, letters=[dead])
        self._admit(source, frame, event.received_ms, lambda _: dead)

    def _in_doubt(self, source: Source) -> bool:
        """Whether a frame with an unknown alias may make sense after the birth that is awaited.

        Once that birth came and did not name the alias either, the frame is as good as it gets.
        """
        return self._doubts.setdefault(source, True)

    def _settle_doubt(self, born: Source) -> None:
        if self._doubts.get(born):
            self._doubts[born] = False
        else:
            self._doubts.pop(born, None)

    def _gaps(self, gaps: Iterable[Gap]) -> None:
        found = list(gaps)
        if found:
            self._buffer.put(partial(_add_gaps, found))


def _add_mark(mark: Birth | Died, batch: Batch) -> None:
    batch.opened()
    batch.marks.append(mark)


def _add_vital(vital: Vital, batch: Batch) -> None:
    batch.opened()
    batch.vitals.append(vital)


def _add_gaps(gaps: list[Gap], batch: Batch) -> None:
    batch.opened()
    batch.gaps += gaps


def _add_receipts(receipts: list[Callable[[], None]], batch: Batch) -> None:
    batch.opened()
    batch.receipts += receipts
