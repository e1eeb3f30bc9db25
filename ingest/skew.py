"""How far a source's clock is off, as seen from here."""

from typing import Final

WINDOW_MS: Final = 60_000


class ClockSkew:
    """The offset of one source's clock [ms]: positive where it is behind ours.

    A message is never received before it is sent, so over a window the smallest difference between
    receipt and sending time is the offset and the shortest delay on the wire. ``estimate_ms`` is
    that of the last full window; of the first one, as far as it has come.
    """

    def __init__(self) -> None:
        self._window: int | None = None
        self._smallest_ms = 0
        self._settled_ms: int | None = None

    @property
    def estimate_ms(self) -> int:
        """The offset [ms]; 0 before the first message."""
        return self._smallest_ms if self._settled_ms is None else self._settled_ms

    def see(self, sent_ms: int, received_ms: int) -> None:
        """Take note of a message that its source dates *sent_ms*."""
        difference, window = received_ms - sent_ms, received_ms // WINDOW_MS
        if window == self._window:
            self._smallest_ms = min(self._smallest_ms, difference)
            return
        if self._window is not None:
            self._settled_ms = self._smallest_ms
        self._window, self._smallest_ms = window, difference
