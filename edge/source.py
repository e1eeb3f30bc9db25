"""What stands in front of the agent: a source that is looked at again and again.

Some devices answer when they are asked, others report by themselves. Both are a `Source`: the first
is scanned at its period, the second has none, and its `Source.scan` waits until something came, or
`PATIENCE_S`: so whoever scans can end.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol, runtime_checkable

from schemas.reading import Reading

#: How long a source without a period waits for what its device sends [s].
PATIENCE_S: Final = 1.0
NO_MARKS: Mapping[str, int] = {}


@dataclass(frozen=True, slots=True)
class Scan:
    """What one look at a device gave.

    ``readings`` are all values that were seen; which of them go out is decided later. ``events``
    are amounts read from an event log: each goes out. ``quiet`` has an amount of 0 for each tag of
    a log: the log was read, so a tag without events is not taken for a dead one; they go out as
    values that never change. ``marks`` say how far each log was read; they must be
    kept together with the events, or a restart loses or doubles some. ``lost`` events were
    overwritten in the device before they were read.
    """

    readings: Sequence[Reading] = ()
    events: Sequence[Reading] = ()
    quiet: Sequence[Reading] = ()
    marks: Mapping[str, int] = field(default_factory=dict)
    lost: int = 0


class Source(Protocol):
    """A device that the agent scans."""

    device: str
    """Its Sparkplug device id."""
    paths: Sequence[str]
    """The tags that it measures: what its DBIRTH declares."""
    period_s: float
    """Time between the starts of two scans [s]; 0 where a scan waits for what the device sends."""

    async def scan(self) -> Scan:
        """Look once, at what there is or, without a period, what came since the last look.

        Raises
        ------
        DeviceDown
            The device does not answer. The next call tries to reach it again.
        """

    def now_ms(self) -> int:
        """The device's present time as far as it is known, UTC [ms]."""

    async def close(self) -> None:
        """Let go of the device."""


@runtime_checkable
class WritableSource(Source, Protocol):
    """A device that can be written to as well."""

    async def write(self, path: str, value: float) -> None:
        """Write *value* [unit of the tag] to the tag at *path*; it comes back with the next scan.

        Raises
        ------
        DeviceDown
            The device does not answer, or is not connected now.
        CommandError
            The value does not fit, or the device refuses it.
        """


Writer = Callable[[str, float], Awaitable[None]]
