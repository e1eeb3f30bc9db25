"""The registers of one PLC, and the scan that renews them.

Input registers (function 04), the image:

===========  ==================================================================================
0 to 3       time of the scan: uint64, UTC [ms]; repeated by no other register
from 4       the tags, one behind the other without gaps, so that one request of at most 125
             registers carries one whole scan with its time
1000, 1001   event log of one measure: uint32 number of the newest entry, 0 while there is none
from 1002    its ring: entry k stands at 1002 + ((k - 1) % 64) * 8 as uint32 number, uint16 place,
             uint16 spare, uint32 seconds since 1970, float32 amount; an empty slot is all zero
2000 ...     the log of the next measure, and so on
===========  ==================================================================================

A new image is built beside the old one and takes its place in one assignment: an answer comes from
one scan or from another, never from both.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from struct import Struct
from typing import Final

import numpy as np

from simulator.model import Event
from simulator.noise import FloatArray, IntArray
from simulator.register import Encoding, Words, words_of
from simulator.wiring import CLOCK, FIRST_TAG, Log, Point, Wiring

LOG_ENTRIES: Final = 64
"""How many events a log keeps: 5 h of taps at one in 300 s."""

_ENTRY = Struct(">IHHIf")
ENTRY_WORDS: Final = _ENTRY.size // 2
_HEAD = Encoding("uint32")

DRIFT_PER_MINUTE: Final = 0.01


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of an event log: ``amount`` at the ``place``-th tag of the log, at ``ts_ms``."""

    number: int
    place: int
    ts_ms: int
    amount: float


@dataclass(frozen=True, slots=True)
class Ring:
    """The log of one measure, with its newest entries, oldest first."""

    log: Log
    entries: tuple[Entry, ...] = ()

    @property
    def end(self) -> int:
        """The address behind its last register."""
        return self.log.head + _HEAD.words + LOG_ENTRIES * ENTRY_WORDS

    def slot(self, entry: Entry) -> int:
        """Where *entry* stands."""
        return self.log.head + _HEAD.words + (entry.number - 1) % LOG_ENTRIES * ENTRY_WORDS

    def logged(self, events: Iterable[Event], ts_ms: int) -> "Ring":
        """The ring after *events* at *ts_ms*; those of other tags are left out."""
        entries = list(self.entries)
        for event in events:
            if event.path in self.log.paths:
                number = entries[-1].number + 1 if entries else 1
                place = self.log.paths.index(event.path)
                entries.append(Entry(number, place, ts_ms, event.amount))
        return replace(self, entries=tuple(entries[-LOG_ENTRIES:]))


@dataclass(frozen=True, slots=True)
class Carried:
    """A value that an answer carried to a client: tag, source time [ms], value [unit]."""

    tag: str
    ts_ms: int
    value: float


@dataclass(frozen=True, slots=True)
class Drift:
    """A sensor that reads more and more, from ``since_ms`` on until ``until_ms``."""

    since_ms: int
    until_ms: int


class Plc:
    """The PLC that *wiring* describes.

    ``image`` holds the input registers from 0 on, ``shown`` the values in them. ``ts_ms`` is when
    it scanned, ``clock_ms`` when it says that it did.
    """

    def __init__(self, wiring: Wiring) -> None:
        self.wiring = wiring
        self.name = wiring.name
        self.points = wiring.points
        self.rings = tuple(Ring(log) for log in wiring.logs)
        self.ts_ms = 0
        self.clock_ms = 0
        self.end = max([self.points[-1].end, *(ring.end for ring in self.rings)])
        self.image: Words = np.zeros(self.end, np.uint16)
        self._groups = _groups(self.points)
        self.shown = np.zeros(len(self.points))
        self._frozen: dict[int, int] = {}
        self._drifting: dict[int, Drift] = {}
        self._set_back: dict[int, float] = {}
        self._jump = (0, 0)
        self._carried: set[int] = set()
        self._carried_log: set[tuple[str, int]] = set()

    @property
    def spans(self) -> tuple[tuple[int, int], ...]:
        """First address and length of each run of registers that can be read."""
        live = (0, self.points[-1].end)
        return (live, *((ring.log.head, ring.end - ring.log.head) for ring in self.rings))

    def freeze(self, address: int, until_ms: int) -> None:
        """Hold the point that starts at *address* as it stands, until the scan at *until_ms*.

        Raises
        ------
        ValueError
            No point starts there; likewise for `drift` and `reset`.
        """
        self._frozen[self._place(address)] = until_ms

    def drift(self, address: int, until_ms: int) -> None:
        """Let the point at *address* read 1 % more with every minute, until *until_ms*."""
        self._drifting[self._place(address)] = Drift(self.ts_ms, until_ms)

    def reset(self, address: int) -> None:
        """Set the totaliser at *address* to 0: it counts on from there.

        Raises
        ------
        ValueError
            What starts there is no totaliser.
        """
        place = self._place(address)
        if self.points[place].encoding.type != "uint32":
            raise ValueError(f"{self.points[place].path} is no totaliser")
        self._set_back[place] = self._set_back.get(place, 0.0) + float(self.shown[place])

    def jump(self, seconds: int, until_ms: int) -> None:
        """Let the clock go wrong by so many *seconds*, until the scan at *until_ms*."""
        self._jump = (seconds * 1000, until_ms)

    def _place(self, address: int) -> int:
        for place, point in enumerate(self.points):
            if point.address == address:
                return place
        raise ValueError(f"no tag of {self.name} starts at input register {address}")

    def scan(self, ts_ms: int, values: FloatArray, events: Sequence[Event] = ()) -> None:
        """Renew all registers at *ts_ms* [ms]: *values* in the order of the points."""
        jump_ms, until_ms = self._jump
        clock_ms = ts_ms + (jump_ms if ts_ms < until_ms else 0)
        shown = self._falsified(values, ts_ms)
        image: Words = np.zeros(self.end, np.uint16)
        image[:FIRST_TAG] = CLOCK.encode(clock_ms)
        for encoding, places, registers in self._groups:
            image[registers] = encoding.encode_all(shown[places])
        self.rings = tuple(ring.logged(events, clock_ms) for ring in self.rings)
        for ring in self.rings:
            _write(image, ring)
        self.image, self.shown, self.ts_ms, self.clock_ms = image, shown, ts_ms, clock_ms
        self._carried.clear()

    def _falsified(self, values: FloatArray, ts_ms: int) -> FloatArray:
        """*values* as the sensors have them, faults included."""
        shown = values.copy()
        for place, offset in self._set_back.items():
            span = 2**32 * self.points[place].encoding.scale
            shown[place] = (shown[place] - offset) % span
        for place, drift in self._drifting.items():
            if ts_ms < drift.until_ms:
                minutes = (ts_ms - drift.since_ms) / 60_000
                shown[place] *= 1 + DRIFT_PER_MINUTE * minutes
        for place, until_ms in self._frozen.items():
            if ts_ms < until_ms:
                shown[place] = self.shown[place]
        return shown

    def decode(self, point: Point) -> float:
        """What a client reads at *point* now [unit]."""
        return point.encoding.decode(self.image[point.address : point.end].tolist())

    def carried(self, address: int, count: int) -> Iterator[Carried]:
        """The values that an answer with these registers carries for the first time.

        A value counts once per scan, an entry of a log once at all, however often it is read;
        a part of a value is not a value.
        """
        for point in self.points:
            whole = address <= point.address and point.end <= address + count
            if whole and point.address not in self._carried:
                self._carried.add(point.address)
                yield Carried(point.path, self.clock_ms, self.decode(point))
        for ring in self.rings:
            for entry in ring.entries:
                at, key = ring.slot(entry), (ring.log.measure, entry.number)
                whole = address <= at and at + ENTRY_WORDS <= address + count
                if whole and key not in self._carried_log:
                    self._carried_log.add(key)
                    yield Carried(ring.log.paths[entry.place], entry.ts_ms, entry.amount)

    def remember(self) -> dict[str, object]:
        """What outlives a power cut: logs, and by how much totalisers were set back."""
        return {
            "logs": {
                ring.log.measure: [
                    [entry.number, entry.place, entry.ts_ms, entry.amount] for entry in ring.entries
                ]
                for ring in self.rings
            },
            "set_back": {str(place): offset for place, offset in self._set_back.items()},
        }

    def recall(self, plain: object) -> None:
        """Take up what `remember` gave.

        Raises
        ------
        ValueError
            It is not of this PLC.
        """
        match plain:
            case {"logs": Mapping() as logs, "set_back": Mapping() as set_back}:
                if logs.keys() != {ring.log.measure for ring in self.rings}:
                    raise ValueError(f"{self.name} logs no {', '.join(logs)}")
                self.rings = tuple(
                    Ring(ring.log, tuple(Entry(*entry) for entry in logs[ring.log.measure]))
                    for ring in self.rings
                )
                self._set_back = {int(place): offset for place, offset in set_back.items()}
            case _:
                raise ValueError(f"nothing that {self.name} would remember")


def _groups(points: Sequence[Point]) -> list[tuple[Encoding, list[int], IntArray]]:
    """The places and the registers, a row each, of all points with the same encoding."""
    found = []
    for encoding in dict.fromkeys(point.encoding for point in points):
        places = [place for place, point in enumerate(points) if point.encoding == encoding]
        first = np.array([points[place].address for place in places], np.int64)
        registers: IntArray = first[:, None] + np.arange(encoding.words)
        found.append((encoding, places, registers))
    return found


def _write(image: Words, ring: Ring) -> None:
    if not ring.entries:
        return
    head = ring.log.head
    image[head : head + _HEAD.words] = _HEAD.encode(ring.entries[-1].number)
    for entry in ring.entries:
        at = ring.slot(entry)
        raw = _ENTRY.pack(entry.number, entry.place, 0, entry.ts_ms // 1000, entry.amount)
        image[at : at + ENTRY_WORDS] = words_of(raw)
