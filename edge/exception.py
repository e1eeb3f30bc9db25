"""Report by exception: a value goes out when it changed, or when it was silent for too long.

Sparkplug asks for it (tck-id-principles-rbe-recommended). A repeat after the maximum silence
carries the time at which the device really showed that value again, so a value whose source is
silent never looks fresh.

How far an average over any span may be off for what was withheld: by the deadband where the value
holds between readings (step), by less than twice the deadband where it is a straight line, by the
deviation with a swinging door (`edge.swinging_door` says why).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from edge.swinging_door import SwingingDoor
from schemas.quality import Quality
from schemas.reading import Reading


@dataclass(frozen=True, slots=True)
class Rule:
    """What change of a tag counts [unit], and after what silence it is repeated [ms].

    The value of a ``linear`` tag is a straight line between two readings: before a change of it
    the last reading withheld goes out too, or the line would cut the corner. With a ``deviation``
    [unit] a linear tag is not reported by its deadband but by a swinging door.
    """

    deadband: float
    max_silence_ms: int
    linear: bool = False
    deviation: float | None = None


class _Track:
    """The last reading that was reported, and the last one since then that was not."""

    __slots__ = ("door", "reported", "rule", "withheld")

    def __init__(self, rule: Rule) -> None:
        self.rule = rule
        self.door = None if rule.deviation is None else SwingingDoor(rule.deviation)
        self.reported: Reading | None = None
        self.withheld: Reading | None = None


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
            if track.door is not None:
                self._swing(track, track.door, reading, reported)
                continue
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

    def _swing(
        self, track: _Track, door: SwingingDoor, reading: Reading, reported: list[Reading]
    ) -> None:
        """Append to *reported* what the line of *track* needs now that *reading* is seen."""
        last = track.reported
        newest = track.withheld or last
        if last is None or newest is None or _breaks(newest, reading):
            self._corner(track, reported)
            self._pivot(track, door, reading)
            reported.append(reading)
            return
        if reading.ts_ms == newest.ts_ms:
            return  # the same scan, read again
        if reading.value is not None and not door.admits(reading.ts_ms, reading.value):
            self._corner(track, reported)
            self._pivot(track, door, newest)
            door.admits(reading.ts_ms, reading.value)  # the first behind a pivot always passes
        if _silent(track.reported or newest, reading, track.rule.max_silence_ms):
            self._pivot(track, door, reading)
            reported.append(reading)
        else:
            track.withheld = reading

    def _corner(self, track: _Track, reported: list[Reading]) -> None:
        if track.withheld is not None:
            reported.append(track.withheld)
            self.corners += 1

    @staticmethod
    def _pivot(track: _Track, door: SwingingDoor, reading: Reading) -> None:
        track.reported, track.withheld = reading, None
        if reading.value is not None:
            door.hang(reading.ts_ms, reading.value)


def _changed(last: Reading, reading: Reading, deadband: float) -> bool:
    if reading.quality != last.quality or (reading.value is None) != (last.value is None):
        return True
    if reading.value is None or last.value is None:
        return False
    return abs(reading.value - last.value) > deadband


def _breaks(last: Reading, reading: Reading) -> bool:
    """Whether no line leads from *last* to *reading*: another quality, a gap, a clock set back."""
    return (
        reading.quality != last.quality
        or (reading.value is None) != (last.value is None)
        or reading.ts_ms < last.ts_ms
        or (reading.ts_ms == last.ts_ms and reading.value != last.value)
    )


def _silent(last: Reading, reading: Reading, max_silence_ms: int) -> bool:
    """Whether a repeat is due. A clock that was set back starts a new series at once."""
    waited = reading.ts_ms - last.ts_ms
    return waited < 0 or (waited > 0 and waited >= max_silence_ms)
