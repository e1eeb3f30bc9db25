"""The intervals that a request asks for (OPC 10000-13, 5.4.2.2)."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Self

import polars as pl

from schemas.errors import RequestError
from schemas.instant import EPOCH

_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Intervals:
    """*count* half-open intervals of *every* from *start*; the last one is what remains to *end*.

    Instants are microseconds since 1970, as Polars keeps them. Interval k runs from edge k to edge
    k + 1; edge *count* is the end.
    """

    start: int
    end: int
    every: int
    count: int

    @classmethod
    def between(cls, start: datetime, end: datetime, every: timedelta) -> Self:
        """The intervals of a request; ``every`` = 0 asks for one interval over all of it.

        Raises
        ------
        RequestError
            An instant is naive, the end is not after the start (the standard's reverse reading is
            not offered), or ``every`` is negative.
        """
        for name, instant in (("start", start), ("end", end)):
            if instant.tzinfo is None:
                raise RequestError(name, instant.isoformat(), "add a time zone, UTC for instance")
        if end <= start:
            raise RequestError(
                "end", end.isoformat(), f"must be after the start, {start.isoformat()}"
            )
        if every < timedelta(0):
            raise RequestError("every", str(every), "must not be negative; 0 is one interval")
        first, last = (start - EPOCH) // _MICROSECOND, (end - EPOCH) // _MICROSECOND
        length = (every // _MICROSECOND) or (last - first)
        return cls(first, last, length, -((first - last) // length))

    def index(self, instant: pl.Expr) -> pl.Expr:
        """Number of the interval that holds *instant*: negative before all, *count* behind."""
        inside = (instant - self.start) // self.every
        return pl.when(instant >= self.end).then(self.count).otherwise(inside)

    def edge(self, index: pl.Expr) -> pl.Expr:
        """The start of interval *index*, which is the end of the one before."""
        return pl.min_horizontal(self.start + index * self.every, pl.lit(self.end))

    def slot(self, index: pl.Expr) -> pl.Expr:
        """One number for (tag_id, *index*); slot + 1 is the same tag's next interval."""
        return pl.col("tag_id").cast(pl.Int64) * (self.count + 1) + index
