"""What the database will never take: found, and set aside so that it does not hold up the rest."""

from collections.abc import Iterator
from typing import Final

import psycopg

from ingest.batch import Rows, arrange
from ingest.buffer import Batch, Birth, Gap, Vital
from ingest.event import Died
from ingest.frame import TextReading
from ingest.letter import Letter
from ingest.ready import encode
from ingest.transaction import merge_rows, write

#: What PostgreSQL raises for what no second attempt will change.
REFUSALS: Final = (psycopg.errors.IntegrityError, psycopg.errors.DataError)

_Note = Birth | Died | Gap | Vital


def refused_rows(
    connection: psycopg.Connection, rows: Rows, start: int = 0
) -> list[tuple[int, str]]:
    """Place and reason of each row that the database refuses, found by halving; writes nothing."""
    if not len(rows):
        return []
    try:
        with connection.transaction(force_rollback=True), connection.cursor() as cursor:
            merge_rows(cursor, rows)
    except REFUSALS as error:
        if len(rows) == 1:
            return [(start, str(error).strip())]
        half = len(rows) // 2
        return [
            *refused_rows(connection, rows.pick(slice(half)), start),
            *refused_rows(connection, rows.pick(slice(half, None)), start + half),
        ]
    return []


def set_aside(connection: psycopg.Connection, batch: Batch, now_ms: int) -> None:
    """Make dead letters of the texts, births, deaths, gaps and vitals of *batch* that are refused.

    Each is tried alone. They leave the batch for good: it may have to be written once more.
    """
    for number, text in list(batch.texts):
        alone = Batch(sources=batch.sources, texts=[(number, text)])
        if reason := _refusal(connection, alone):
            batch.texts.remove((number, text))
            batch.letters.append((number, _letter_of_text(text, reason, now_ms)))
    for alone, notes, note in _notes(batch):
        if reason := _refusal(connection, alone):
            notes.remove(note)
            source = note.node if isinstance(note, Vital) else note.source
            seen = Letter(now_ms, str(source), repr(note).encode(), "refused", reason, 0)
            batch.letters.append((batch.number(str(source)), seen))


def _notes(batch: Batch) -> Iterator[tuple[Batch, list[_Note], _Note]]:
    """Each birth, death, gap and vital: a batch of it alone, the list that it is in, and itself."""
    for name in ("marks", "gaps", "vitals"):
        notes: list[_Note] = getattr(batch, name)
        for note in list(notes):
            alone = Batch()
            getattr(alone, name).append(note)
            yield alone, notes, note


def _refusal(connection: psycopg.Connection, alone: Batch) -> str | None:
    """Why the database refuses *alone*; None if it does not. Writes nothing."""
    try:
        with connection.transaction(force_rollback=True):
            write(connection, encode(alone, arrange(())), merge=False)
    except REFUSALS as error:
        return str(error).strip()
    return None


def _letter_of_text(text: TextReading, reason: str, now_ms: int) -> Letter:
    payload = (text.value or "").encode(errors="backslashreplace")
    return Letter(now_ms, f"text of tag {text.tag_id}", payload, "refused", reason, 1)
