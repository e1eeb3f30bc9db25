"""How far a source's clock is off, as seen from here."""

from collections import deque
from statistics import median_low
from typing import Final

RECENT: Final = 61
#: ``edge_node.skew_ms`` holds no more: a clock that begins in 1970 is off by "24 days or more".
MOST_MS: Final = 2**31 - 1


class ClockSkew:
    """The offset of one source's clock [ms]: positive where it is behind ours.

    The median of receipt minus sending time over the last `RECENT` messages, so it has the usual
    delay on the wire in it; single late messages do not move it, and a clock that was set is
    followed within half as many messages. One thread sees, any may ask.
    """

    def __init__(self) -> None:
        self._differences: deque[int] = deque(maxlen=RECENT)

    @property
    def estimate_ms(self) -> int:
        """The offset [ms]; 0 before the first message."""
        recent = self._differences.copy()
        return median_low(recent) if recent else 0

    def see(self, sent_ms: int, received_ms: int) -> None:
        """Take note of a live message that its source dates *sent_ms*."""
        self._differences.append(max(-MOST_MS, min(received_ms - sent_ms, MOST_MS)))
