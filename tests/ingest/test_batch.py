"""Batches against plain Python."""

from collections import defaultdict

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from ingest.batch import MINUTE_MS, Arranged, arrange
from ingest.frame import Columns

Row = tuple[int, int, float | None, int]
rows = st.lists(
    st.tuples(
        st.integers(1, 3),
        st.integers(0, 3).map(lambda step: step * 40_000),
        st.sampled_from([None, 0.0, 1.0, 2.0]),
        st.sampled_from([0, 192]),
    ),
    max_size=12,
)
parts = st.lists(st.tuples(st.integers(0, 2), rows), max_size=5)


def columns(given_rows: list[Row]) -> Columns:
    """Rows of (tag, ms, value, quality) as columns."""
    return Columns(
        np.array([row[0] for row in given_rows], np.int32),
        np.array([row[1] for row in given_rows], np.int64),
        np.array([np.nan if row[2] is None else row[2] for row in given_rows], np.float64),
        np.array([row[2] is None for row in given_rows], np.bool_),
        np.array([row[3] for row in given_rows], np.int16),
        np.arange(len(given_rows), dtype=np.int32),
    )


def plain(arranged: Arranged) -> list[Row]:
    """The rows to write."""
    kept = arranged.rows
    return [
        (int(tag), int(ts), None if null else float(value), int(quality))
        for tag, ts, value, null, quality in zip(
            kept.tag_id, kept.ts_ms, kept.value, kept.null, kept.quality, strict=True
        )
    ]


@given(parts)
def test_as_if_written_one_by_one(sent: list[tuple[int, list[Row]]]) -> None:
    """The later arrival wins; repeats count for whoever repeats, rows for who came first."""
    table: dict[tuple[int, int], tuple[float | None, int]] = {}
    counts: dict[str, defaultdict[int, int]] = {
        fate: defaultdict(int) for fate in ("stored", "duplicate", "conflicting")
    }
    for source, given_rows in sent:
        for tag, ts, value, quality in given_rows:
            known = table.get((tag, ts), "absent")
            fate = "duplicate" if known == (value, quality) else "conflicting"
            counts["stored" if known == "absent" else fate][source] += 1
            table[tag, ts] = (value, quality)

    arranged = arrange([(source, columns(given_rows)) for source, given_rows in sent])

    assert plain(arranged) == sorted(
        ((tag, ts, value, quality) for (tag, ts), (value, quality) in table.items()),
        key=lambda row: row[:2],
    )
    assert dict(enumerate(arranged.duplicate)) == {
        source: counts["duplicate"][source] for source in range(len(arranged.duplicate))
    }
    assert dict(enumerate(arranged.conflicting)) == {
        source: counts["conflicting"][source] for source in range(len(arranged.conflicting))
    }
    stored = np.bincount(arranged.rows.source, minlength=3)
    assert [counts["stored"][source] for source in range(3)] == stored.tolist()


@given(rows)
def test_dirty_minutes_cover_exactly_the_rows(given_rows: list[Row]) -> None:
    """One row a minute, in order, with its tags, each once."""
    arranged = arrange([(0, columns(given_rows))])

    marks = [(ms, tags.tolist()) for ms, tags in arranged.rows.dirty()]

    expected: defaultdict[int, set[int]] = defaultdict(set)
    for tag, ts, _, _ in given_rows:
        expected[ts // MINUTE_MS * MINUTE_MS].add(tag)
    assert marks == [(ms, sorted(tags)) for ms, tags in sorted(expected.items())]
