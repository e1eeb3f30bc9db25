"""How much one caller may ask: a token bucket for each key or address."""

from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import ceil

from schemas.errors import TooManyRequests


@dataclass(frozen=True, slots=True)
class Quota:
    """What is left to a caller: ``left`` requests at once; all of them again in ``full_s``."""

    most: int
    left: int
    window_s: int
    full_s: int

    @property
    def headers(self) -> Mapping[str, str]:
        """The fields of draft-ietf-httpapi-ratelimit-headers-10, sections 3 and 4."""
        return {
            "RateLimit-Policy": f'"requests";q={self.most};w={self.window_s}',
            "RateLimit": f'"requests";r={self.left};t={self.full_s}',
        }


class Limits:
    """Token buckets that hold *burst* requests and fill at *rate* [1/s].

    Of each caller one number is kept: when the bucket will be full again (GCRA, as in ATM Forum
    TM 4.1, 4.4.2, the virtual scheduling algorithm). A bucket that is full is as one never seen, so
    beyond *callers* the one that was used least recently is forgotten.
    """

    def __init__(
        self, rate: float, burst: int, clock: Callable[[], float], callers: int = 10_000
    ) -> None:
        self._rate = rate
        self._burst = burst
        self._clock = clock
        self._callers = callers
        self._full_at: OrderedDict[str, float] = OrderedDict()

    def take(self, caller: str) -> Quota:
        """Count one request of *caller*.

        Raises
        ------
        TooManyRequests
            The bucket is empty; says when there is a token again.
        """
        now = self._clock()
        full_at = max(self._full_at.get(caller, now), now) + 1 / self._rate
        missing = (full_at - now) * self._rate
        # A rounding of floats below a thousandth of a request refuses nobody.
        if missing > self._burst + 1e-3:
            raise TooManyRequests(
                f"{self._burst} requests at once and {self._rate:g} a second are yours",
                retry_after_s=max(1, ceil((missing - self._burst) / self._rate)),
            )
        self._full_at[caller] = full_at
        self._full_at.move_to_end(caller)
        while len(self._full_at) > self._callers:
            self._full_at.popitem(last=False)
        return self._quota(missing)

    def _quota(self, missing: float) -> Quota:
        left = max(0, int(self._burst - missing + 1e-3))
        window_s, full_s = ceil(self._burst / self._rate), ceil(missing / self._rate)
        return Quota(self._burst, left, window_s, full_s)
