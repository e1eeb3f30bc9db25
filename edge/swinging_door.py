"""Swinging door: of a slow level only the corners go out, with a bound on what the line hides.

Source: E. H. Bristol, "Swinging door trending: adaptive trend recording?", ISA National Conference
1990. A line is drawn from the last reading that was kept, the pivot. Each reading since then leaves
two doors open, the slopes that pass it at `deviation` below and above; the doors only close. The
newest reading may end the line while the line to it still passes between all doors before it. When
it does not, the reading before it is kept and becomes the pivot.

(Bristol's own criterion, that the doors are not yet past parallel, lets the line to the kept
reading leave its corridor: a point is then off by up to twice the deviation. Here the line itself
is held to the doors, and a point is off by the deviation at the most.)

**The bound for averages.** Let R be the raw line through every reading of a series, K the line
through those that were kept, E the deviation, and D = R - K. At the instant of every reading
abs(D) <= E: there the line that was accepted passed between its doors. Kept readings are readings,
so between two neighbouring readings both R and K are straight, and so is D; a straight piece lies
between its ends; hence abs(D) <= E at *every* instant between the first and the last kept reading.
The time average of D over any span [a, b] in there, wherever a and b fall, is therefore within E
as well::

    abs(average(R) - average(K)) = abs(integral of D) / (b - a) <= E

and an energy or mass integrated over the span is off by E * (b - a) at the most. E cannot be
replaced by anything smaller: readings 0, E, E, ..., E, 0 at equal distances are kept as 0 and 0,
and their averages differ by E * (1 - 1 / n) for n steps.
"""

from math import inf


class SwingingDoor:
    """The doors behind one pivot. ``deviation`` is how far a reading may be off [unit]."""

    __slots__ = ("_high", "_low", "_ts_ms", "_value", "deviation")

    def __init__(self, deviation: float) -> None:
        self.deviation = deviation
        self._ts_ms, self._value = 0, 0.0
        self._low, self._high = -inf, inf

    def hang(self, ts_ms: int, value: float) -> None:
        """Begin anew at the pivot (*ts_ms*, *value*), both doors wide open."""
        self._ts_ms, self._value = ts_ms, value
        self._low, self._high = -inf, inf

    def admits(self, ts_ms: int, value: float) -> bool:
        """Whether a line from the pivot to there passes all that was seen since; it counts as seen.

        *ts_ms* is behind the pivot and behind all that was seen.
        """
        span_ms = ts_ms - self._ts_ms
        rise = value - self._value
        if not self._low <= rise / span_ms <= self._high:
            return False
        self._low = max(self._low, (rise - self.deviation) / span_ms)
        self._high = min(self._high, (rise + self.deviation) / span_ms)
        return True
