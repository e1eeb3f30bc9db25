"""Spans of minutes in parts."""

import polars as pl

from ingest.rollup import marks


def test_parts_are_of_some_minutes_and_keep_a_tag_together() -> None:
    """Tags of 2, 3 and 1 minutes in parts of 4: the part that a tag begins in has all of it."""
    spans = pl.DataFrame(
        {"tag_id": [1, 1, 2, 3, 4], "start": [0, 5, 0, 0, 9], "end": [1, 6, 3, 1, 10]}
    )
    parts = list(marks.parts(spans, 4))
    assert [part["tag_id"].to_list() for part in parts] == [[1, 1, 2], [3, 4]]
    assert pl.concat(parts).equals(spans)


def test_spans_of_one_tag_are_one_part() -> None:
    """However long."""
    spans = pl.DataFrame({"tag_id": [7, 7], "start": [0, 100], "end": [90, 190]})
    assert [part.height for part in marks.parts(spans, 4)] == [2]


def test_no_spans_are_no_parts() -> None:
    """Nothing to read."""
    assert not list(
        marks.parts(
            pl.DataFrame(schema={"tag_id": pl.Int32, "start": pl.Int64, "end": pl.Int64}), 4
        )
    )
