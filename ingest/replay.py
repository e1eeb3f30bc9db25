"""Dead letters, listed and read again: after a tag was added to the plant, or a clock was set."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

import psycopg
from psycopg.rows import class_row

from ingest import lane
from ingest.buffer import Batch
from ingest.decode import decode, letter
from ingest.event import Data, Source
from ingest.frame import Frame
from ingest.intake import Horizon
from ingest.metric_table import MetricTable
from ingest.names import TagNames
from ingest.ready import make_ready
from ingest.screen import sift
from ingest.transaction import make_partitions, write
from schemas.errors import SenderError
from schemas.instant import to_ms
from schemas.sparkplug import payload as codec
from schemas.sparkplug.topic import Topic
from schemas.telemetry import TOPIC_PREFIX

_OPEN = """
    SELECT id, received_at, topic, payload, reason, detail, readings FROM dead_letter
    WHERE replayed_at IS NULL AND (%(reason)s::text IS NULL OR reason = %(reason)s)
    ORDER BY id LIMIT %(limit)s"""


@dataclass(frozen=True, slots=True)
class StoredLetter:
    """A row of ``dead_letter`` that was not replayed."""

    id: int
    received_at: datetime
    topic: str
    payload: bytes
    reason: str
    detail: str
    readings: int


@dataclass(slots=True)
class Replayed:
    """What a replay came to."""

    letters: int = 0
    stored: int = 0
    duplicate: int = 0
    conflicting: int = 0
    left: int = 0


def open_letters(
    connection: psycopg.Connection, *, reason: str | None = None, limit: int | None = None
) -> Sequence[StoredLetter]:
    """The letters not yet replayed, oldest first."""
    with connection.cursor(row_factory=class_row(StoredLetter)) as cursor:
        return cursor.execute(_OPEN, {"reason": reason, "limit": limit}).fetchall()


def replay(
    connection: psycopg.Connection,
    letters: Sequence[StoredLetter],
    names: TagNames,
    horizon: Horizon,
    now_ms: int,
) -> Iterator[Replayed]:
    """Read each of *letters* again, one transaction each; yields the counts so far.

    A letter of which nothing can be used is left as it is. Of one that can be used in part, the
    rest becomes a letter of its own.
    """
    counts = Replayed()
    partitions: set[int] = set()
    for stored in letters:
        frame = _read(stored, names, horizon, now_ms)
        if len(frame.columns) or frame.texts:
            _store(connection, stored, frame, partitions, counts)
        else:
            counts.left += 1
        yield counts


def _read(stored: StoredLetter, names: TagNames, horizon: Horizon, now_ms: int) -> Frame:
    topic, payload, received_ms = stored.topic, stored.payload, to_ms(stored.received_at)
    bounds = horizon.bounds(now_ms)
    if topic.startswith(TOPIC_PREFIX):
        frame = lane.decode(topic, payload, received_ms, names.ids)
        sift(frame, bounds, partial(lane.letter, topic, payload, received_ms))
        return frame
    try:
        parsed = Topic.parse(topic)
        message = codec.decode(payload)
    except SenderError:
        return Frame(0)
    source = Source(parsed.group, parsed.node, parsed.device)
    data = Data(source, topic, message, payload, received_ms)
    # The letter carries names and types: it is its own birth.
    table = MetricTable(source, message, names.resolve)
    frame = decode(data, table)
    sift(frame, bounds, partial(letter, data, table))
    return frame


def _store(
    connection: psycopg.Connection,
    stored: StoredLetter,
    frame: Frame,
    partitions: set[int],
    counts: Replayed,
) -> None:
    batch = Batch()
    batch.add_readings(stored.topic, frame.columns, frame.texts, frame.letters, 0)
    ready = make_ready(batch)
    make_partitions(connection, ready.arranged.rows, partitions)
    with connection.transaction():
        fates = write(connection, ready, merge=True)
        connection.execute("UPDATE dead_letter SET replayed_at = now() WHERE id = %s", (stored.id,))
    counts.letters += 1
    counts.stored += int(fates.stored.sum())
    counts.duplicate += int(fates.duplicate.sum())
    counts.conflicting += int(fates.conflicting.sum())
