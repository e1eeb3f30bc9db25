"""What a value does to an alarm: delays and deadband between the limit and the bell."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from alarms.state import Event
from schemas.plant.alarms import AlarmLimit


@dataclass(frozen=True, slots=True)
class Sample:
    """The value as it stands at an instant; None: stale, bad or not there."""

    at: datetime
    value: float | None


@dataclass(frozen=True, slots=True)
class Watch:
    """What is remembered between two samples.

    ``active``: beyond the limit, delays included. ``known``: there is a value; while there is none,
    ``active`` stays as it was. ``pending_since``: since when the value says the contrary.
    """

    active: bool = False
    known: bool = True
    pending_since: datetime | None = None


QUIET: Final = Watch()


def watched(watch: Watch, limit: AlarmLimit, sample: Sample) -> Watch:
    """*watch* after *sample*, which is not older than the one before."""
    if sample.value is None:
        return replace(watch, known=False, pending_since=None)
    if not (limit.back(sample.value) if watch.active else limit.beyond(sample.value)):
        return Watch(watch.active)
    pending = Watch(watch.active, pending_since=watch.pending_since or sample.at)
    at = due(pending, limit)
    return Watch(not watch.active) if at is not None and sample.at >= at else pending


@dataclass(frozen=True, slots=True)
class Change:
    """A change of the condition, at the source's time."""

    at: datetime
    event: Event
    value: float | None


def due(watch: Watch, limit: AlarmLimit) -> datetime | None:
    """When a value that stays as it is changes the alarm; None if it never does."""
    if watch.pending_since is None:
        return None
    delay_s = limit.off_delay_s if watch.active else limit.on_delay_s
    return watch.pending_since + timedelta(seconds=delay_s)


def changes(limit: AlarmLimit, samples: Iterable[Sample]) -> Iterator[Change]:
    """Every time that the samples, each of which holds until the next, raise or clear the alarm."""
    watch, held = QUIET, None
    for sample in samples:
        at = due(watch, limit)
        between = [Sample(at, held)] if at is not None and at < sample.at else []
        for one in (*between, sample):
            before, watch = watch, watched(watch, limit, one)
            if before.active is not watch.active:
                event = Event.RAISE if watch.active else Event.CLEAR
                yield Change(one.at, event, one.value)
        held = sample.value
