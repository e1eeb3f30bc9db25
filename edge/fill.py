"""How long the spool lasts without a host."""


class FillRate:
    """How fast the spool fills, smoothed over a minute."""

    def __init__(self, now_s: float) -> None:
        self._since_s = now_s
        self._bytes_per_s = 0.0
        self._bytes = 0

    def add(self, size: int, now_s: float) -> None:
        """*size* bytes were committed."""
        self._bytes += size
        span_s = now_s - self._since_s
        if span_s >= 1.0:
            weight = min(1.0, span_s / 60.0) if self._bytes_per_s else 1.0
            self._bytes_per_s += weight * (self._bytes / span_s - self._bytes_per_s)
            self._since_s, self._bytes = now_s, 0

    def hours(self, room: int) -> float:
        """Until *room* bytes are full [h]; infinite while nothing comes."""
        return max(0, room) / self._bytes_per_s / 3600 if self._bytes_per_s else float("inf")
