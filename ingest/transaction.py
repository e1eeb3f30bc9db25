"""One batch, one transaction: readings, positions, births, deaths, gaps, dead letters, minutes."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, LiteralString

import numpy as np
import psycopg
from numpy.typing import NDArray

from ingest.batch import Rows
from ingest.buffer import Batch, Birth, Gap, Vital
from ingest.copy_image import image, timestamps
from ingest.event import Died
from ingest.frame import TextReading
from ingest.letter import Letter
from ingest.ready import Ready
from schemas.db.tables import TIMED
from schemas.db.tiers import ensure_span
from schemas.instant import from_ms

_PARTITION: Final = timedelta(days=TIMED["reading"][1])
_PARTITION_MS: Final = _PARTITION // timedelta(milliseconds=1)
_COPY: Final = "COPY reading (tag_id, ts, value, quality) FROM STDIN (FORMAT BINARY)"
_COPY_DIRTY: Final = "COPY dirty (bucket, tag_ids) FROM STDIN (FORMAT BINARY)"
_ARRIVING: Final = """
    CREATE TEMPORARY TABLE IF NOT EXISTS arriving (
        source int4 NOT NULL, tag_id int4 NOT NULL, ts timestamptz NOT NULL,
        value float8, quality int2 NOT NULL
    ) ON COMMIT DELETE ROWS"""
_COPY_ARRIVING: Final = "COPY arriving FROM STDIN (FORMAT BINARY)"
#: The bounds on ts let the planner leave partitions out before it runs.
_KNOWN: Final = """
    SELECT source, (reading.value, reading.quality)
                   IS NOT DISTINCT FROM (arriving.value, arriving.quality), count(*)
    FROM arriving JOIN reading USING (tag_id, ts)
    WHERE reading.ts BETWEEN %s AND %s
    GROUP BY 1, 2"""
_MERGE: Final = """
    INSERT INTO reading (tag_id, ts, value, quality)
    SELECT tag_id, ts, value, quality FROM arriving ORDER BY tag_id, ts
    ON CONFLICT (tag_id, ts) DO UPDATE SET value = excluded.value, quality = excluded.quality
    WHERE (reading.value, reading.quality) IS DISTINCT FROM (excluded.value, excluded.quality)"""
_TEXT: Final = """
    INSERT INTO reading_text AS known (tag_id, ts, value, quality) VALUES (%s, %s, %s, %s)
    ON CONFLICT (tag_id, ts) DO UPDATE SET value = excluded.value, quality = excluded.quality
    WHERE (known.value, known.quality) IS DISTINCT FROM (excluded.value, excluded.quality)
    RETURNING xmax = 0"""
_LETTER: Final = """
    COPY dead_letter (received_at, topic, payload, reason, detail, readings) FROM STDIN"""
_NODE_BORN: Final = """
    INSERT INTO edge_node AS known
        (group_id, node_id, online, since, bd_seq, born_at, spool_id, committed)
    VALUES (%(group)s, %(node)s, true, %(since)s, %(bd_seq)s, %(born_at)s, %(spool)s,
            %(dropped)s::int8multirange)
    ON CONFLICT (group_id, node_id) DO UPDATE SET
        online = true,
        since = CASE WHEN known.online THEN known.since ELSE excluded.since END,
        bd_seq = excluded.bd_seq, born_at = excluded.born_at, spool_id = excluded.spool_id,
        committed = CASE WHEN known.spool_id = excluded.spool_id
            THEN coalesce(known.committed, '{}') + excluded.committed
            ELSE excluded.committed END"""
_DEVICE_BORN: Final = """
    INSERT INTO edge_device AS known (node, device_id, online, since, tag_ids)
    SELECT id, %(device)s, true, %(since)s, %(tag_ids)s::int4[]
    FROM edge_node WHERE group_id = %(group)s AND node_id = %(node)s
    ON CONFLICT (node, device_id) DO UPDATE SET
        online = true, tag_ids = excluded.tag_ids,
        since = CASE WHEN known.online THEN known.since ELSE excluded.since END"""
_NODE_DIED: Final = """
    WITH dead AS (
        UPDATE edge_node SET online = false, since = %(since)s
        WHERE group_id = %(group)s AND node_id = %(node)s AND online RETURNING id
    )
    UPDATE edge_device SET online = false, since = %(since)s
    FROM dead WHERE edge_device.node = dead.id AND edge_device.online"""
_DEVICE_DIED: Final = """
    UPDATE edge_device SET online = false, since = %(since)s
    FROM edge_node
    WHERE edge_node.id = edge_device.node AND group_id = %(group)s AND node_id = %(node)s
      AND device_id = %(device)s AND edge_device.online"""
_COMMITTED: Final = """
    UPDATE edge_node SET committed = coalesce(committed, '{}') + %s::int8multirange
    WHERE group_id = %s AND node_id = %s AND spool_id = %s"""
_VITAL: Final = """
    UPDATE edge_node SET newest_at = greatest(newest_at, %s), last_position = %s, skew_ms = %s
    WHERE group_id = %s AND node_id = %s"""
_GAP: Final = """
    INSERT INTO gap
        (source, cause, from_ts, to_ts, found_at, first_position, last_position, spool_id)
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s)"""
#: What a birth means for the gaps of its node that wait for a backfill: those of another spool are
#: lost; what lies below the spool's first position is entered once more as dropped, exactly.
_GAPS_LOST: Final = """
    UPDATE gap SET cause = 'lost' WHERE source = %(source)s AND closed_at IS NULL
      AND cause <> 'dropped' AND spool_id IS DISTINCT FROM %(spool)s AND spool_id IS NOT NULL"""
_GAPS_DROPPED: Final = """
    DELETE FROM gap WHERE source = %(source)s AND closed_at IS NULL AND cause <> 'dropped'
      AND spool_id = %(spool)s AND last_position < %(first)s"""
_GAPS_SHORTENED: Final = """
    UPDATE gap SET first_position = %(first)s WHERE source = %(source)s AND closed_at IS NULL
      AND cause <> 'dropped' AND spool_id = %(spool)s AND first_position < %(first)s"""
_GAPS_CLOSED: Final = """
    UPDATE gap SET closed_at = now() FROM edge_node
    WHERE gap.source = ANY(%s) AND closed_at IS NULL AND cause <> 'dropped'
      AND source = group_id || '/' || node_id AND gap.spool_id = edge_node.spool_id
      AND int8range(first_position, gap.last_position, '[]') <@ committed"""


@dataclass(frozen=True, slots=True)
class Fates:
    """What became of a batch's readings: counts by source number; they add up to all of them."""

    stored: NDArray[np.int64]
    duplicate: NDArray[np.int64]
    conflicting: NDArray[np.int64]
    dead: NDArray[np.int64]


def make_partitions(connection: psycopg.Connection, rows: Rows, known: set[int]) -> None:
    """Make the partitions that *rows* need; *known* are those that were looked for before.

    One by one: a single reading of long ago must not make a partition for every week since.
    """
    for number in set(np.unique(rows.ts_ms // _PARTITION_MS).tolist()) - known:
        start = from_ms(number * _PARTITION_MS)
        ensure_span(connection, "reading", start, start + _PARTITION)
        known.add(number)


def write(
    connection: psycopg.Connection,
    ready: Ready,
    refused: Sequence[tuple[int, Letter]] = (),
    *,
    merge: bool,
) -> Fates:
    """Write the whole batch in the caller's transaction.

    With *merge* rows may be in the table already; without, that raises
    `psycopg.errors.UniqueViolation`. *refused* are letters for rows that were taken out of it.
    """
    batch, arranged = ready.batch, ready.arranged
    sources = len(batch.sources)
    duplicate, conflicting = arranged.duplicate.copy(), arranged.conflicting.copy()
    duplicate.resize(sources, refcheck=False)
    conflicting.resize(sources, refcheck=False)
    stored = np.bincount(arranged.rows.source, minlength=sources)
    fates = Fates(stored, duplicate, conflicting, np.zeros(sources, np.int64))
    with connection.cursor() as cursor:
        if len(arranged.rows):
            if merge:
                _merge(cursor, arranged.rows, fates)
            else:
                _copy(cursor, _COPY, ready.readings)
            _copy(cursor, _COPY_DIRTY, ready.minutes)
        _write_texts(cursor, batch.texts, fates)
        _write_gaps(cursor, batch.gaps)
        for mark in batch.marks:
            _write_mark(cursor, mark)
        _write_positions(cursor, batch)
        _write_vitals(cursor, batch.vitals)
        _write_letters(cursor, [*batch.letters, *refused], fates)
    return fates


def _copy(cursor: psycopg.Cursor, statement: LiteralString, rows: bytes) -> None:
    with cursor.copy(statement) as copy:
        copy.write(rows)


def merge_rows(cursor: psycopg.Cursor, rows: Rows) -> list[tuple[int, bool, int]]:
    """Write *rows* of which some may be there; returns (source, same value, count) of those."""
    cursor.execute(_ARRIVING)
    columns = (rows.source, rows.tag_id, timestamps(rows.ts_ms), rows.value, rows.quality)
    _copy(cursor, _COPY_ARRIVING, image(columns, {3: rows.null}))
    span = (from_ms(int(rows.ts_ms.min())), from_ms(int(rows.ts_ms.max())))
    known = cursor.execute(_KNOWN, span).fetchall()
    cursor.execute(_MERGE)
    return known


def _merge(cursor: psycopg.Cursor, rows: Rows, fates: Fates) -> None:
    for source, same, count in merge_rows(cursor, rows):
        fates.stored[source] -= count
        (fates.duplicate if same else fates.conflicting)[source] += count


def _write_texts(
    cursor: psycopg.Cursor, texts: Iterable[tuple[int, TextReading]], fates: Fates
) -> None:
    for source, text in texts:
        row = (text.tag_id, from_ms(text.ts_ms), text.value, text.quality)
        match cursor.execute(_TEXT, row).fetchone():
            case None:
                fates.duplicate[source] += 1
            case (True,):
                fates.stored[source] += 1
            case _:
                fates.conflicting[source] += 1


def _write_mark(cursor: psycopg.Cursor, mark: Birth | Died) -> None:
    source = mark.source
    known: dict[str, object] = {
        "group": source.group,
        "node": source.node,
        "device": source.device or "",
    }
    if isinstance(mark, Died):
        statement = _NODE_DIED if source.device is None else _DEVICE_DIED
        cursor.execute(statement, known | {"since": from_ms(mark.at_ms)})
        return
    known["since"] = from_ms(mark.received_ms)
    if source.device is None:
        born = {
            "bd_seq": mark.bd_seq,
            "born_at": from_ms(mark.at_ms),
            "spool": None if mark.spool is None else mark.spool.id,
            "dropped": None if mark.spool is None else str(mark.dropped),
        }
        cursor.execute(_NODE_BORN, known | born)
        spool = {"source": str(source), "spool": born["spool"]}
        cursor.execute(_GAPS_LOST, spool)
        if mark.spool is not None and mark.spool.first > 1:
            cursor.execute(_GAPS_DROPPED, spool | {"first": mark.spool.first})
            cursor.execute(_GAPS_SHORTENED, spool | {"first": mark.spool.first})
    cursor.execute(_DEVICE_BORN, known | {"tag_ids": mark.tag_ids})


def _write_positions(cursor: psycopg.Cursor, batch: Batch) -> None:
    """The positions of the batch's frames; gaps that they complete are closed."""
    rows = [
        (str(ranges), node.group, node.node, spool_id)
        for node, (spool_id, ranges) in batch.positions.items()
    ]
    if rows:
        cursor.executemany(_COMMITTED, rows)
        cursor.execute(_GAPS_CLOSED, ([str(node) for node in batch.positions],))


def _write_vitals(cursor: psycopg.Cursor, vitals: Sequence[Vital]) -> None:
    rows = [
        (
            None if vital.newest_ms is None else from_ms(vital.newest_ms),
            vital.last_position,
            vital.skew_ms,
            vital.node.group,
            vital.node.node,
        )
        for vital in vitals
    ]
    if rows:
        cursor.executemany(_VITAL, rows)


def _write_letters(
    cursor: psycopg.Cursor, letters: Sequence[tuple[int, Letter]], fates: Fates
) -> None:
    if not letters:
        return
    with cursor.copy(_LETTER) as copy:
        for source, letter in letters:
            fates.dead[source] += letter.readings
            copy.write_row(
                (
                    from_ms(letter.received_ms),
                    letter.topic,
                    letter.payload,
                    letter.reason,
                    letter.detail,
                    letter.readings,
                )
            )


def _write_gaps(cursor: psycopg.Cursor, gaps: Sequence[Gap]) -> None:
    rows = [
        (
            gap.source,
            gap.cause,
            None if gap.from_ms is None else from_ms(gap.from_ms),
            None if gap.to_ms is None else from_ms(gap.to_ms),
            from_ms(gap.found_ms),
            gap.first_position,
            gap.last_position,
            gap.spool_id,
        )
        for gap in gaps
    ]
    if rows:
        cursor.executemany(_GAP, rows)
