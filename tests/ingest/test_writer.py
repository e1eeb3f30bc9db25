"""Batches into a real database."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np
import psycopg
import pytest

from ingest.batch import Rows
from ingest.buffer import Batch, Birth, Buffer, Gap
from ingest.counters import Counters, Tally
from ingest.event import Died, Source, Spool
from ingest.frame import Columns, TextReading
from ingest.letter import Letter
from ingest.positions import Ranges
from ingest.writer import Writer, WriterState
from schemas.fault import FaultPoint
from tests.fixtures.until import until
from tests.ingest.plant import readings, store

START_MS = 1_795_255_200_000
NODE = Source("pavlodar", "potline-1")


def columns(*rows: tuple[int, int, float | None]) -> Columns:
    """Good readings of (tag, seconds after the start, value)."""
    return Columns(
        np.array([tag for tag, _, _ in rows], np.int32),
        np.array([START_MS + 1000 * second for _, second, _ in rows], np.int64),
        np.array([np.nan if value is None else value for _, _, value in rows], np.float64),
        np.array([value is None for _, _, value in rows], np.bool_),
        np.array([0 if value is None else 192 for _, _, value in rows], np.int16),
        np.arange(len(rows), dtype=np.int32),
    )


def explain(rows: Rows, place: int, reason: str) -> Letter:
    """A letter that names the row."""
    return Letter(START_MS, f"row/{rows.tag_id[place]}", b"", "refused", reason, 1)


@dataclass
class Bench:
    """A writer at work."""

    dsn: str
    tags: dict[str, int]
    writer: Writer
    buffer: Buffer
    counters: Counters
    committed: list[Batch] = field(default_factory=list)
    give_up: threading.Event = field(default_factory=threading.Event)

    def put(self, source: str, *rows: tuple[str, int, float | None]) -> None:
        """Readings of (measure, second, value)."""
        given = columns(*((self.tags[measure], second, value) for measure, second, value in rows))
        self.counters.ledger.taken_in(source, len(given))
        self.buffer.put(lambda batch: batch.add_readings(source, given, (), (), START_MS))

    def put_text(self, source: str, value: str) -> None:
        """A text reading."""
        text = TextReading(self.tags["recipe"], START_MS, value, 192)
        self.counters.ledger.taken_in(source, 1)
        self.buffer.put(lambda batch: batch.add_readings(source, columns(), [text], (), START_MS))

    def settle(self, batches: int) -> None:
        """Wait until so many batches are written in all."""
        until(lambda: len(self.committed) >= batches, f"{batches} batches")

    def tally(self, source: str = "a") -> Tally:
        """What is counted for *source*; the identity holds."""
        tallies = self.counters.ledger.tallies()
        assert all(tally.balanced for tally in tallies.values())
        return tallies[source]

    def fetch(self, query: str) -> list[tuple[object, ...]]:
        """What the database says."""
        with psycopg.connect(self.dsn) as connection:
            return connection.execute(query.encode()).fetchall()

    def execute(self, statement: str) -> None:
        """Change the database."""
        with psycopg.connect(self.dsn, autocommit=True) as connection:
            connection.execute(statement.encode())


@contextmanager
def bench_at(dsn: str, tags: dict[str, int]) -> Iterator[Bench]:
    """A writer on *dsn*, ended with the test."""
    buffer = Buffer(rows=10_000, wait_s=0.02, most_bytes=10_000_000)
    counters = Counters()
    writer = Writer(dsn, buffer, counters, explain, FaultPoint())
    made = Bench(dsn, tags, writer, buffer, counters)
    thread = threading.Thread(target=writer.run, args=(made.committed.append, made.give_up))
    thread.start()
    yield made
    buffer.close()
    thread.join(10)
    made.give_up.set()
    thread.join()


@pytest.fixture
def bench(database: str) -> Iterator[Bench]:
    """A writer on a database with the test's plant."""
    with bench_at(database, store(database)) as made:
        yield made


def ms(second: int) -> int:
    """The time of that second."""
    return START_MS + 1000 * second


def test_readings_nulls_and_qualities(bench: Bench) -> None:
    """The COPY path: values bit for bit, null as null with its quality."""
    bench.put("a", ("current", 1, 0.1 + 0.2), ("voltage", 2, None), ("voltage", 1, -0.0))
    bench.settle(1)

    assert readings(bench.dsn) == [
        ("voltage", ms(1), -0.0, 192),
        ("voltage", ms(2), None, 0),
        ("current", ms(1), 0.1 + 0.2, 192),
    ]
    assert bench.tally() == Tally(received=3, stored=3)


def test_repeats_are_told_from_contradictions(bench: Bench) -> None:
    """The merge path: an identical repeat is a duplicate; another value wins and is counted."""
    bench.put("a", ("voltage", 1, 1.0), ("voltage", 2, 2.0), ("voltage", 3, None))
    bench.settle(1)
    bench.put(
        "b",
        ("voltage", 1, 1.0),
        ("voltage", 2, 2.5),
        ("voltage", 3, None),
        ("voltage", 4, 4.0),
    )
    bench.settle(2)

    assert [row[2] for row in readings(bench.dsn)] == [1.0, 2.5, None, 4.0]
    assert bench.tally("b") == Tally(received=4, stored=1, duplicate=2, conflicting=1)


def test_repeats_within_a_batch(bench: Bench) -> None:
    """Two sources that say the same: the first stores, the second repeats."""
    with bench.buffer._changed:  # both must be in one batch
        for source in ("a", "b"):
            given = columns((bench.tags["voltage"], 1, 1.0))
            bench.counters.ledger.taken_in(source, 1)
            bench.buffer._filling.add_readings(source, given, (), (), START_MS)
        bench.buffer._changed.notify()
    bench.settle(1)

    assert bench.tally("a") == Tally(received=1, stored=1)
    assert bench.tally("b") == Tally(received=1, duplicate=1)


def test_minutes_are_marked_in_the_same_transaction(bench: Bench) -> None:
    """One row a minute with the tags that it touches."""
    bench.put("a", ("voltage", 1, 1.0), ("voltage", 61, 1.0), ("current", 2, 1.0))
    bench.settle(1)

    first, second = bench.tags["voltage"], bench.tags["current"]
    rows = bench.fetch(
        "SELECT extract(epoch FROM bucket)::int8 * 1000, tag_ids FROM dirty ORDER BY 1"
    )
    assert rows == [(ms(0), sorted([first, second])), (ms(60), [first])]


def test_a_refused_row_does_not_hold_up_the_others(bench: Bench) -> None:
    """A permanent error: the batch is halved down to the row, which becomes a dead letter."""
    bench.execute("ALTER TABLE reading ADD CONSTRAINT sane CHECK (value < 1000)")
    values = [5000.0 if second in (3, 8) else 1.0 for second in range(10)]
    bench.put("a", *(("voltage", second, value) for second, value in enumerate(values)))
    bench.settle(1)

    assert len(readings(bench.dsn)) == 8
    rows = bench.fetch("SELECT reason, detail FROM dead_letter")
    assert [reason for reason, _ in rows] == ["refused"] * 2
    assert all("sane" in str(detail) for _, detail in rows)
    assert bench.tally() == Tally(received=10, stored=8, dead_letter=2)


def test_a_reading_of_long_ago_makes_one_partition(bench: Bench) -> None:
    """Not one for every week since."""
    before = bench.fetch("SELECT count(*) FROM pg_inherits WHERE inhparent = 'reading'::regclass")
    bench.put("a", ("voltage", -700_000_000, 1.0), ("voltage", 1, 1.0))
    bench.settle(1)

    after = bench.fetch("SELECT count(*) FROM pg_inherits WHERE inhparent = 'reading'::regclass")
    made = int(str(after[0][0])) - int(str(before[0][0]))
    assert made <= 2
    assert len(readings(bench.dsn)) == 2


def test_a_partition_that_retention_dropped_is_made_again(bench: Bench) -> None:
    """The writer's memory of partitions may be wrong; no reading becomes a dead letter for it."""
    bench.put("a", ("voltage", 1, 1.0))
    bench.settle(1)
    tables = bench.fetch("SELECT tableoid::regclass::text FROM reading")
    if tables != [("reading",)]:
        bench.execute(f"DROP TABLE {tables[0][0]}")
    bench.put("a", ("voltage", 2, 2.0))
    bench.settle(2)

    assert ("voltage", ms(2), 2.0, 192) in readings(bench.dsn)
    assert bench.fetch("SELECT count(*) FROM dead_letter") == [(0,)]


def test_texts(bench: Bench) -> None:
    """Text readings go to their table, with the same fates."""
    for batch, value in enumerate(("A", "A", "B"), start=1):
        bench.put_text("a", value)
        bench.settle(batch)

    assert bench.fetch("SELECT value FROM reading_text") == [("B",)]
    assert bench.tally() == Tally(received=3, stored=1, duplicate=1, conflicting=1)


def mark(bench: Bench, event: Birth | Died) -> None:
    """Put a birth or death into a batch and wait for it."""

    def change(batch: Batch) -> None:
        batch.opened()
        batch.marks.append(event)

    done = len(bench.committed)
    bench.buffer.put(change)
    bench.settle(done + 1)


def birth(source: Source, at_ms: int, spool: Spool | None = None, dropped: int = 1) -> Birth:
    """A birth."""
    return Birth(source, at_ms, at_ms, 3, spool, Ranges([(1, dropped)]), [1, 2])


def test_births_deaths_and_positions(bench: Bench) -> None:
    """Nodes and devices with their times, and the committed positions as a multirange."""
    device = Source(*NODE[:2], "plc")
    mark(bench, birth(NODE, ms(0), Spool("s", 3, None), dropped=3))
    mark(bench, birth(device, ms(1)))

    def frames(batch: Batch) -> None:
        for position in (3, 4, 7):
            batch.add_position(NODE, "s", position)

    bench.buffer.put(frames)
    bench.settle(3)
    mark(bench, Died(device, ms(5)))

    assert bench.fetch("SELECT online, bd_seq, spool_id, committed::text FROM edge_node") == [
        (True, 3, "s", "{[1,5),[7,8)}")
    ]
    states = "SELECT device_id, online, extract(epoch FROM since)::int8 * 1000 FROM edge_device"
    assert bench.fetch(states + " ORDER BY 1") == [("", True, ms(0)), ("plc", False, ms(5))]

    mark(bench, Died(NODE, ms(9)))
    assert bench.fetch(states + " ORDER BY 1") == [("", False, ms(9)), ("plc", False, ms(5))]

    mark(bench, birth(NODE, ms(10), Spool("new", 1, None)))
    assert bench.fetch("SELECT online, spool_id, committed::text FROM edge_node") == [
        (True, "new", "{}")
    ]


def test_gaps_and_letters(bench: Bench) -> None:
    """The ledgers are written in the same transaction."""
    letter = Letter(START_MS, "t\0opic", b"\0\xff", "payload", "d\0" + "x" * 5000, 4)

    def change(batch: Batch) -> None:
        batch.add_readings("a", columns(), (), [letter], START_MS)
        batch.gaps.append(Gap("pavlodar/x", "sequence", ms(0), ms(1), ms(2)))

    bench.counters.ledger.taken_in("a", 4)
    bench.buffer.put(change)
    bench.settle(1)

    [(topic, payload, readings_, length)] = bench.fetch(
        "SELECT topic, payload, readings, length(detail) FROM dead_letter"
    )
    assert (topic, payload, readings_) == ("t\\0opic", b"\0\xff", 4)
    assert int(str(length)) < 1100
    assert bench.fetch("SELECT source, cause FROM gap") == [("pavlodar/x", "sequence")]
    assert bench.tally() == Tally(received=4, dead_letter=4)


def test_connections_that_are_killed(bench: Bench) -> None:
    """What the server ends is tried again on a new connection; nothing is lost, nothing twice."""
    kill = """SELECT pg_terminate_backend(pid) FROM pg_stat_activity
              WHERE datname = current_database() AND pid <> pg_backend_pid()"""
    for second in range(20):
        bench.put("a", *((measure, second, float(second)) for measure in ("voltage", "current")))
        if second % 4 == 0:
            bench.execute(kill)
        if second % 4 == 2:
            bench.settle(len(bench.committed) + 1)
    until(lambda: bench.tally().in_flight == 0, "everything to be written")

    assert len(readings(bench.dsn)) == 40
    assert bench.tally().received == 40
    assert bench.writer.state is WriterState.WRITING


def test_database_that_cannot_be_reached(database: str) -> None:
    """The batch waits and the state says why; when asked to stop, the writer does."""
    dsn = psycopg.conninfo.make_conninfo(database, dbname="nowhere")
    with bench_at(dsn, {"voltage": 1}) as bench:
        bench.put("a", ("voltage", 1, 1.0))
        until(lambda: bench.writer.state is WriterState.DATABASE_DOWN, "the state to change")

        assert bench.tally() == Tally(received=1, in_flight=1)
        bench.give_up.set()


def test_a_refused_note_does_not_hold_up_the_readings(bench: Bench) -> None:
    """A birth whose bdSeq fits no int2, beside a text and a reading: it alone is set aside."""
    wrong = Birth(NODE, START_MS, START_MS, 1 << 20, None, Ranges(), [])
    given = columns((bench.tags["current"], 1, 1.0))
    text = TextReading(bench.tags["recipe"], START_MS, "P-7", 192)
    bench.counters.ledger.taken_in("a", 2)

    def fill(batch: Batch) -> None:
        batch.add_readings("a", given, [text], (), START_MS)
        batch.marks.append(wrong)

    bench.buffer.put(fill)
    bench.settle(1)

    assert bench.fetch("SELECT value FROM reading") == [(1.0,)]
    assert bench.fetch("SELECT value FROM reading_text") == [("P-7",)]
    (letter,) = bench.fetch("SELECT topic, reason, readings FROM dead_letter")
    assert letter == (str(NODE), "refused", 0)
    assert bench.tally().stored == 2
