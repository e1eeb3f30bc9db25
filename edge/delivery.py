"""Which frames of the spool go out next, and which are on their way.

Two numbers say it all. Frames from ``live_from`` on went out as they happened. The backlog is what
lies between ``cursor`` and ``live_from``: it is replayed oldest first. What lies below ``cursor``
and above ``through`` is on its way; up to ``through`` everything is in the database::

    1 .......... through | on its way | cursor ... backlog ... live_from | sent live ... next

After a new connection, a host that came back, or an acknowledgement that is overdue, everything
above ``through`` is backlog again (`rewind`). The acknowledgement is cumulative, so when a hole in
the middle is filled it leaps over all that had arrived behind it.

Both lanes are bounded. A replayed frame counts until it is acknowledged. A live frame cannot be
acknowledged while a backlog stands before it, so it counts only until the next acknowledgement of
any kind: it bounds what is sent to a host that does not answer at all.
"""

from collections import deque
from dataclasses import dataclass
from typing import Final

from edge.frame import FRAME_READINGS, Frame

#: Frames taken from the disk at once: few enough that live frames get in between.
FETCH_FRAMES: Final = 16


@dataclass(frozen=True, slots=True)
class Limits:
    """How much may be on its way, how fast a backlog goes out, how long an answer may take."""

    window_frames: int = 256
    window_bytes: int = 8_000_000
    replay_readings_per_s: float = 100_000.0
    ack_timeout_s: float = 10.0


@dataclass(frozen=True, slots=True)
class Fetch:
    """Wanted from the spool: up to ``limit`` frames from ``start`` on, before ``end``."""

    start: int
    end: int
    limit: int


class Delivery:
    """The window over a spool whose positions run from *first* up to, not including, *following*.

    With ``live=False`` no frame ever goes out live: all of them are history.
    """

    def __init__(self, limits: Limits, first: int, following: int, *, live: bool = True) -> None:
        self._limits = limits
        self._live = live
        self.through = first - 1
        self.following = following
        self._cursor = first
        self._live_from = following
        self._on_way: deque[tuple[int, int]] = deque()
        self._on_way_bytes = 0
        self._live_frames = 0
        self._live_bytes = 0
        self._highest_sent = self.through
        self._since_s = 0.0
        self._tokens = 0.0
        self._filled_s = 0.0

    @property
    def backlog(self) -> bool:
        """Whether frames wait to be replayed."""
        return self._cursor < self._live_from

    def rewind(self, now_s: float) -> None:
        """Take everything above ``through`` for not sent."""
        self._cursor = self.through + 1
        self._live_from = self.following
        self._on_way.clear()
        self._on_way_bytes = 0
        self._live_frames = self._live_bytes = 0
        self._highest_sent = self.through
        self._since_s = self._filled_s = now_s

    def add(self, frame: Frame, now_s: float, *, open_: bool) -> bool:
        """Take note of a new *frame*; whether it goes out live now, the session being ``open_``."""
        self.following = frame.position + 1
        room = (
            self._live_frames < self._limits.window_frames
            and self._live_bytes < self._limits.window_bytes
        )
        if not (open_ and self._live and room):
            if not self.backlog:  # what went out live before it is on its way, not backlog
                self._cursor = frame.position
            self._live_from = self.following
            return False
        self._live_frames += 1
        self._live_bytes += len(frame.body)
        self._sent(frame.position, now_s)
        return True

    def wanted(self, now_s: float) -> Fetch | None:
        """What to take from the spool now; None while window or budget is used up."""
        rate = self._limits.replay_readings_per_s
        self._tokens = min(rate, self._tokens + (now_s - self._filled_s) * rate)
        self._filled_s = now_s
        room = self._limits.window_frames - len(self._on_way)
        if not self.backlog or room <= 0 or self._on_way_bytes >= self._limits.window_bytes:
            return None
        if self._tokens < min(rate, FRAME_READINGS):
            return None
        return Fetch(self._cursor, self._live_from, min(room, FETCH_FRAMES))

    def replay(self, fetch: Fetch, frames: list[Frame], now_s: float) -> list[Frame]:
        """Those of the fetched *frames* that go out now; none if all was rewound meanwhile."""
        if self._cursor < fetch.start:
            return []
        sent: list[Frame] = []
        for frame in frames:
            if frame.position < self._cursor:
                continue  # acknowledged meanwhile
            if self._tokens <= 0 or self._on_way_bytes >= self._limits.window_bytes:
                return sent
            self._tokens -= frame.readings
            self._on_way.append((frame.position, len(frame.body)))
            self._on_way_bytes += len(frame.body)
            self._sent(frame.position, now_s)
            self._cursor = frame.position + 1
            sent.append(frame)
        if len(frames) < fetch.limit:  # there is no more before the end
            self._cursor = max(self._cursor, fetch.end)
        return sent

    def acknowledge(self, through: int, now_s: float) -> bool:
        """Everything up to *through* is in the database; whether that is news."""
        if not self.forget(through):
            return False
        self._live_frames = self._live_bytes = 0
        self._since_s = now_s
        return True

    def forget(self, through: int) -> bool:
        """Frames up to *through* are gone, for whatever reason; whether that is news.

        Frames that were dropped are no sign of life of the host: neither the wait for it nor the
        live window begins anew.
        """
        if through <= self.through:
            return False
        self.through = through
        self._cursor = max(self._cursor, through + 1)
        while self._on_way and self._on_way[0][0] <= through:
            self._on_way_bytes -= self._on_way.popleft()[1]
        return True

    def overdue(self, now_s: float) -> bool:
        """Whether something was sent and nothing was acknowledged for too long."""
        waiting = self._highest_sent > self.through
        return waiting and now_s - self._since_s > self._limits.ack_timeout_s

    def _sent(self, position: int, now_s: float) -> None:
        if self._highest_sent <= self.through:
            self._since_s = now_s
        self._highest_sent = max(self._highest_sent, position)
