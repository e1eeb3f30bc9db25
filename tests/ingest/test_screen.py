"""Screening."""

import numpy as np

from ingest.frame import Columns, Frame, TextReading
from ingest.letter import Fault, Letter
from ingest.screen import Bounds, screen, sift

BOUNDS = Bounds(earliest_ms=100, latest_ms=200)


def columns(*rows: tuple[int, float | None]) -> Columns:
    """Readings of (ms, value)."""
    return Columns(
        np.arange(1, len(rows) + 1, dtype=np.int32),
        np.array([ts for ts, _ in rows], np.int64),
        np.array([np.nan if value is None else value for _, value in rows]),
        np.array([value is None for _, value in rows]),
        np.full(len(rows), 192, np.int16),
        np.arange(len(rows), dtype=np.int32),
    )


def test_good_readings_pass_untouched() -> None:
    """Bounds are inclusive; a null is no NaN."""
    given = columns((100, 1.0), (200, -1.0), (150, None))

    assert screen(given, BOUNDS).accepted is given


def test_each_reject_has_its_rule_and_place() -> None:
    """NaN, infinities, too late and too early; the first rule counts."""
    given = columns((150, np.nan), (150, np.inf), (201, 1.0), (99, 1.0), (150, 1.0), (99, np.nan))

    screened = screen(given, BOUNDS)

    assert screened.accepted.tag_id.tolist() == [5]
    assert {reject.rule: reject.places.tolist() for reject in screened.rejected} == {
        "not_finite": [0, 1, 5],
        "future": [2],
        "past": [3],
    }
    assert "200" in screened.rejected[1].detail


def test_texts_are_screened_too() -> None:
    """By time, and for what PostgreSQL cannot store."""
    texts = [
        TextReading(1, 150, "a", 192, 0),
        TextReading(1, 201, "b", 192, 1),
        TextReading(1, 99, "c", 192, 2),
        TextReading(1, 150, "d\0", 192, 3),
    ]
    frame = Frame(4, texts=texts)

    def write(fault: Fault) -> Letter:
        return Letter(0, "t", b"", fault.reason, fault.detail, len(fault.places))

    sift(frame, BOUNDS, write)

    assert frame.texts == texts[:1]
    assert [letter.reason for letter in frame.letters] == ["future", "past", "null_character"]
