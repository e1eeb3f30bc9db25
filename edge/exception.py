"""Report by exception: a value goes out when it changed, or when it was silent for too long.

Sparkplug asks for it (tck-id-principles-rbe-recommended). A repeat after the maximum silence
carries the time at which the device really showed that value again, so a value whose source is
silent never looks fresh.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from schemas.quality import Quality
from schemas.reading import Reading


@dataclass(frozen=True, slots=True)
class Rule:
    """What change of a tag counts [unit], and after what silence it is repeated [ms].

    The value of a ``linear`` tag is a straight line between two readings: before a change of it
    the last reading withheld goes out too, or the line would cut the corner.
    """

    deadband: float
    max_silence_ms: int
    linear: bool = False


@dataclass(slots=True)
class _Track:
    """The last reading that was reported, and the last one since then that was not."""

    rule: Rule
    reported: Reading | None = None
    withheld: Reading | None = None


class ExceptionReport:
    """Decides which of the readings of a device go out, by the rule of each tag.

    ``corners`` counts those that were withheld at first and went out before a change.
    """

    def __init__(self, rules: Mapping[str, Rule]) -> None:
        self.corners = 0
        self._tracks = {path: _Track(rule) for path, rule in rules.items()}

    def filter(self, readings: Iterable[Reading]) -> list[Reading]:
        """Those of *readings* that are reported, with the corner where a tag is linear."""
        reported: list[Reading] = []
        for reading in readings:
            track = self._tracks[reading.tag]
            last = track.reported
            if last is None or _changed(last, reading, track.rule.deadband):
                if track.rule.linear and track.withheld is not None:
                    reported.append(track.withheld)
                    self.corners += 1
            elif not _silent(last, reading, track.rule.max_silence_ms):
                if reading.ts_ms != last.ts_ms:  # else the scan that was reported, read again
                    track.withheld = reading
                continue
            reported.append(reading)
            track.reported = reading
            track.withheld = None
        return reported

    def lost(self, now_ms: int) -> list[Reading]:
        """The end of what is known: each tag's last value once more, as bad from now on."""
        return self.filter(
            Reading(path, max(now_ms, last.ts_ms + 1), last.value, Quality.BAD)
            for path, track in self._tracks.items()
            if (last := track.withheld or track.reported) is not None
        )


def _changed(last: Reading, reading: Reading, deadband: float) -> bool:
    if reading.quality != last.quality or (reading.value is None) != (last.value is None):
        return True
    if reading.value is None or last.value is None:
        return False
    return abs(reading.value - last.value) > deadband


def _silent(last: Reading, reading: Reading, max_silence_ms: int) -> bool:
    """Whether a repeat is due. A clock that was set back starts a new series at once."""
    waited = reading.ts_ms - last.ts_ms
    return waited < 0 or (waited > 0 and waited >= max_silence_ms)
