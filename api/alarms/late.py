"""Alarms that would have rung, had their readings come in time.

A backfill rings no bell: nobody can act on yesterday. What it says is found when the history is
asked for, by running the readings as they are now through the same delays and deadband.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import polars as pl

from alarms.state import Event
from alarms.watch import Change, Sample, changes
from api.span import Span
from api.store import Store
from api.summaries import readings_of
from schemas.db.catalogue import Catalogue
from schemas.db.frames import tag_frame
from schemas.plant.alarms import AlarmLimit
from schemas.quality import Quality, main_quality

#: A raised alarm was heard if its bell rang so near: the tick, and the way from the PLC.
_HEARD_WITHIN: Final = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Late:
    """A change that nobody heard, at the source's time."""

    alarm: int
    change: Change


def late(
    store: Store,
    catalogue: Catalogue,
    limits: Mapping[int, AlarmLimit],
    span: Span,
    heard: Iterable[tuple[int, Event, datetime]],
) -> list[Late]:
    """What the readings in *span* would have raised and cleared, without what was *heard*."""
    rang: dict[tuple[int, Event], list[datetime]] = {}
    for alarm_id, event, at in heard:
        rang.setdefault((alarm_id, event), []).append(at)
    tags = sorted({catalogue.tag_ids[one.source] for one in limits.values()})
    if not tags:
        return []
    with store.frames.snapshot() as frames:
        readings = readings_of(frames, catalogue, tag_frame(catalogue, tags), span)
    by_tag = {key[0]: part for key, part in readings.partition_by("tag_id", as_dict=True).items()}
    found = []
    for alarm_id, limit in limits.items():
        tag = catalogue.plant.tag(limit.source)
        part = by_tag.get(catalogue.tag_ids[limit.source])
        samples = () if part is None else _samples(part, tag.stale_after_s, span.end)
        for change in changes(limit, samples):
            times = rang.get((alarm_id, change.event), ())
            if change.at >= span.start and not _heard(change.at, times):
                found.append(Late(alarm_id, change))
    return sorted(found, key=lambda one: (one.change.at, one.alarm))


def _samples(readings: pl.DataFrame, stale_after_s: float, end: datetime) -> Iterator[Sample]:
    """The readings of one tag, and where its value went stale."""
    holds = timedelta(seconds=stale_after_s)
    before: datetime | None = None
    for ts, value, quality in readings.sort("ts").select("ts", "value", "quality").iter_rows():
        if before is not None and ts - before > holds:
            yield Sample(before + holds, None)
        if ts >= end:
            return
        usable = main_quality(quality) in {Quality.GOOD, Quality.UNCERTAIN}
        yield Sample(ts, value if usable else None)
        before = ts
    if before is not None:
        yield Sample(min(before + holds, end), None)


def _heard(at: datetime, times: Sequence[datetime]) -> bool:
    return any(abs(time - at) <= _HEARD_WITHIN for time in times)
