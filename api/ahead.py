"""Reading ahead: the parts of a long answer are read while those before them are sent."""

from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import Final, TypeVar

import polars as pl

from api.stream import Frames
from schemas.db.frames import FrameReader

Part = TypeVar("Part")
#: Statements of one answer at one time: with one, the server and we wait for each other by turns.
_AT_ONCE: Final = 2


def in_order(
    frames: FrameReader, parts: Iterable[Part], read: Callable[[Part], pl.DataFrame]
) -> Frames:
    """What *read* makes of each of *parts*, in their order; three at most are held or under way.

    Closing it early, or an error in one part, cancels *frames*, which *read* reads from, and ends
    its statements.
    """
    rest = iter(parts)
    with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="rows") as pool:
        coming: deque[Future[pl.DataFrame]] = deque()
        try:
            coming.extend(pool.submit(read, part) for part in islice(rest, _AT_ONCE + 1))
            while coming:
                frame = coming.popleft().result()
                coming.extend(pool.submit(read, part) for part in islice(rest, 1))
                yield frame
        except BaseException:
            for future in coming:
                future.cancel()
            frames.cancel()
            raise
