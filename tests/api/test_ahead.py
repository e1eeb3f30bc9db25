"""Reading ahead: in order, within bounds, and ended with the caller."""

import threading
from collections.abc import Iterator

import polars as pl
import pytest

from api.ahead import in_order
from schemas.db.frames import FrameReader
from schemas.errors import DatabaseDown


def frame(part: int) -> pl.DataFrame:
    """A frame that says which part it is of."""
    return pl.DataFrame({"part": [part]})


def threads() -> list[str]:
    """The threads that read rows."""
    return [one.name for one in threading.enumerate() if one.name.startswith("rows")]


@pytest.fixture
def reader() -> FrameReader:
    """A reader that never reads: cancelling it shows."""
    return FrameReader("")


def test_frames_come_in_the_order_of_the_parts(reader: FrameReader) -> None:
    """Also where a later part is ready first."""
    later = threading.Event()

    def read(part: int) -> pl.DataFrame:
        if part == 0:
            assert later.wait(20)
        if part == 1:
            later.set()
        return frame(part)

    found = [one.item() for one in in_order(reader, range(20), read)]

    assert found == list(range(20))
    assert not threads()


def test_no_more_than_three_parts_are_ahead(reader: FrameReader) -> None:
    """Whoever takes no frame has no more read for them."""
    begun: list[int] = []

    def read(part: int) -> pl.DataFrame:
        begun.append(part)
        return frame(part)

    def parts() -> Iterator[int]:
        for part in range(10):
            given.append(part)
            yield part

    given: list[int] = []
    frames = in_order(reader, parts(), read)
    assert next(frames).item() == 0
    assert given == [0, 1, 2, 3]
    frames.close()

    assert set(begun) <= {0, 1, 2, 3}
    assert not threads()


@pytest.mark.parametrize("leaves", [True, False], ids=["closed", "an error"])
def test_who_leaves_ends_what_runs(reader: FrameReader, *, leaves: bool) -> None:
    """The reader is cancelled, and no thread outlives the generator."""
    running, ended = threading.Event(), threading.Event()
    cancel = reader.cancel

    def cancelled() -> None:
        cancel()
        ended.set()

    def read(part: int) -> pl.DataFrame:
        if part == 1 and not leaves:
            assert running.wait(20)
            raise DatabaseDown("gone")
        if part == 2:
            running.set()
            assert ended.wait(20)
        return frame(part)

    reader.cancel = cancelled  # type: ignore[method-assign] # to see when
    frames = in_order(reader, range(9), read)
    next(frames)
    assert running.wait(20)
    if leaves:
        frames.close()
    else:
        with pytest.raises(DatabaseDown):
            next(frames)

    assert ended.is_set()
    assert not threads()
