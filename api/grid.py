"""A table with a row for every tag in every bucket, tag by tag, and how it is cut into pages."""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from api.cursor import Key
from api.span import from_us, to_us
from schemas.errors import RequestError

#: Rows that are held at one time: some 30 MB of frames, and as many objects of Python.
BLOCK_ROWS: Final = 200_000


@dataclass(frozen=True, slots=True)
class Grid:
    """The buckets between ``edges`` of each of the tags. The key of a row is tag id and start."""

    tag_ids: Sequence[int]
    edges: Sequence[datetime]

    def __len__(self) -> int:
        return len(self.tag_ids) * self.buckets

    @property
    def buckets(self) -> int:
        """Rows of each tag."""
        return len(self.edges) - 1

    def place(self, key: Key) -> int:
        """Where the row with this *key* stands, tag id and start [us since 1970].

        Raises
        ------
        RequestError
            There is no such row: the key is of another table.
        """
        tag_id, us = key
        bucket = bisect_left(self.edges, from_us(us))
        if tag_id not in self.tag_ids or bucket >= self.buckets:
            raise RequestError("cursor", key, "send the cursor of the page before, unchanged")
        return self.tag_ids.index(tag_id) * self.buckets + bucket

    def key(self, place: int) -> Key:
        """The key of the row at *place*."""
        tag, bucket = divmod(place, self.buckets)
        return self.tag_ids[tag], to_us(self.edges[bucket])

    def page(self, first: Key | None, limit: int) -> tuple[int, int, Key | None]:
        """First row and stop of the page of *limit* rows from *first* on, and the key behind it."""
        place = self.place(first) if first else 0
        stop = min(place + limit, len(self))
        return place, stop, self.key(stop) if stop < len(self) else None

    def blocks(
        self, first: int, stop: int, most: int = BLOCK_ROWS
    ) -> Iterator[tuple[Sequence[int], Sequence[datetime]]]:
        """The rows from *first* to just before *stop* as blocks of at most *most* rows.

        A block is some tags in some consecutive buckets: these tags, and the edges of the buckets.
        """
        while first < stop:
            tag, bucket = divmod(first, self.buckets)
            last = min(self.buckets, bucket + min(stop - first, most))
            tags = 1
            if last - bucket == self.buckets:
                tags = min(stop - first, most) // self.buckets
            yield self.tag_ids[tag : tag + tags], self.edges[bucket : last + 1]
            first += tags * (last - bucket)
