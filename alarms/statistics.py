"""How well operators are served by their alarms: ANSI/ISA-18.2-2016, clause 16; EEMUA 191.

All of it counts raised alarms; the sequences are sorted by time.
"""

from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

#: A flood begins with more than ten alarms in ten minutes for one operator, and ends with less than
#: five in ten minutes (ISA-18.2, 16.5.5; EEMUA 191, chapter 6).
FLOOD_SPAN: Final = timedelta(minutes=10)
FLOOD_FROM: Final = 10
FLOOD_TO: Final = 5
#: An alarm chatters that is raised three times or more in a minute (ISA-18.2, 16.5.6).
CHATTER_SPAN: Final = timedelta(minutes=1)
CHATTER: Final = 3
#: An alarm is stale that stands for more than a day (ISA-18.2, 16.5.7).
STALE_AFTER: Final = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Raised:
    """An alarm that rang."""

    alarm: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Flood:
    """More alarms than one can act on; ``end`` is when it ended, or the last alarm so far."""

    start: datetime
    end: datetime
    alarms: int


def floods(raised: Sequence[Raised]) -> list[Flood]:
    """The floods among the alarms of one operator.

    The rate is that of the ten minutes that end with an alarm. A flood ends with the last alarm
    before the rate fell.
    """
    found: list[Flood] = []
    recent: deque[datetime] = deque()
    flood: Flood | None = None
    for one in raised:
        while recent and one.at - recent[0] >= FLOOD_SPAN:
            recent.popleft()
        recent.append(one.at)
        if flood is not None and len(recent) < FLOOD_TO:
            found.append(flood)
            flood = None
        elif flood is not None:
            flood = Flood(flood.start, one.at, flood.alarms + 1)
        elif len(recent) > FLOOD_FROM:
            flood = Flood(recent[0], one.at, len(recent))
    return found if flood is None else [*found, flood]


def chattering(raised: Sequence[Raised]) -> dict[int, int]:
    """The alarms that chatter, and how often they rang while they did."""
    recent: dict[int, deque[datetime]] = {}
    counted: dict[int, set[datetime]] = {}
    for one in raised:
        times = recent.setdefault(one.alarm, deque())
        while times and one.at - times[0] >= CHATTER_SPAN:
            times.popleft()
        times.append(one.at)
        if len(times) >= CHATTER:
            counted.setdefault(one.alarm, set()).update(times)
    return {alarm: len(times) for alarm, times in counted.items()}


def most_frequent(raised: Sequence[Raised], most: int = 10) -> list[tuple[int, int]]:
    """The alarms that ring most, with how often; some ten of them often make most of the load."""
    return Counter(one.alarm for one in raised).most_common(most)


def busiest(raised: Sequence[Raised]) -> int:
    """The most alarms in any ten minutes (ISA-18.2, 16.5.4: at most ten)."""
    most = 0
    recent: deque[datetime] = deque()
    for one in raised:
        while recent and one.at - recent[0] >= FLOOD_SPAN:
            recent.popleft()
        recent.append(one.at)
        most = max(most, len(recent))
    return most
