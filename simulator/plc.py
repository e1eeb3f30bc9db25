"""The registers of one PLC, and the scan that renews them.

Input registers (function 04), the image:

===========  ==================================================================================
0 to 3       time of the scan: uint64, UTC [ms]; repeated by no other register
from 4       the tags, one behind the other without gaps, so that one request of at most 125
             registers carries one whole scan with its time
1000, 1001   event log: uint32 number of the newest entry, 0 while there is none
from 1002    its ring: entry k stands at 1002 + ((k - 1) % 64) * 8 as uint32 number, uint16 place,
             uint16 spare, uint32 seconds since 1970, float32 amount; an empty slot is all zero
===========  ==================================================================================

A new image is built beside the old one and takes its place in one assignment: an answer comes from
one scan or from another, never from both.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from struct import Struct

from simulator.model import LOG_ENTRIES, Event
from simulator.register import Encoding, words_of

FLOAT = Encoding("float32")

ENCODINGS: Mapping[str, Encoding] = {
    "anode_effect": Encoding("uint16"),
    "available": Encoding("uint16"),
    "energy": Encoding("uint32"),
    "temperature": Encoding("int16", scale=0.1),
}
"""How a measure stands in registers, where it is not a float32."""

CLOCK = Encoding("uint64")
FIRST_TAG = CLOCK.words
LOG_HEAD = 1000
LOG_RING = LOG_HEAD + 2
_ENTRY = Struct(">IHHIf")
ENTRY_WORDS = _ENTRY.size // 2


@dataclass(frozen=True, slots=True)
class Point:
    """Where a tag stands among the input registers."""

    path: str
    address: int
    encoding: Encoding

    @property
    def end(self) -> int:
        """The address behind its last register."""
        return self.address + self.encoding.words


@dataclass(frozen=True, slots=True)
class Carried:
    """A value that an answer carried to a client: tag, source time [ms], value [unit]."""

    tag: str
    ts_ms: int
    value: float


def lay_out(paths: Sequence[str]) -> tuple[Point, ...]:
    """The points of *paths*, one behind the other."""
    points, address = [], FIRST_TAG
    for path in paths:
        point = Point(path, address, ENCODINGS.get(path.rpartition("/")[2], FLOAT))
        points.append(point)
        address = point.end
    return tuple(points)


class Plc:
    """The PLC called *name*: the tags at *paths*, and the event tags *logged* in its ring.

    ``image`` holds the input registers from 0 on.
    """

    def __init__(self, name: str, paths: Sequence[str], logged: Sequence[str]) -> None:
        self.name = name
        self.points = lay_out(paths)
        self.logged = tuple(logged)
        self.ts_ms = 0
        self.log: tuple[Event, ...] = ()
        self.end = LOG_RING + LOG_ENTRIES * ENTRY_WORDS if logged else self.points[-1].end
        self.image = [0] * self.end
        self._frozen: dict[int, int] = {}
        self._carried: set[int] = set()
        self._carried_log: set[int] = set()

    @property
    def tags(self) -> int:
        """How many tags it serves, event tags included."""
        return len(self.points) + len(self.logged)

    @property
    def spans(self) -> tuple[tuple[int, int], ...]:
        """First address and length of each run of registers that can be read."""
        live = (0, self.points[-1].end)
        return (live, (LOG_HEAD, self.end - LOG_HEAD)) if self.logged else (live,)

    def freeze(self, address: int, until_ms: int) -> None:
        """Hold the point that starts at *address* as it stands, until the scan at *until_ms*.

        Raises
        ------
        ValueError
            No point starts there.
        """
        if all(point.address != address for point in self.points):
            raise ValueError(f"no tag of {self.name} starts at input register {address}")
        self._frozen[address] = until_ms

    def scan(self, ts_ms: int, values: Mapping[str, float], log: Sequence[Event]) -> None:
        """Renew all registers: *values* by path, *log* the newest events, at *ts_ms* [ms]."""
        image = [0] * self.end
        image[:FIRST_TAG] = CLOCK.encode(ts_ms)
        for point in self.points:
            held = self._frozen.get(point.address, 0) > ts_ms
            image[point.address : point.end] = (
                self.image[point.address : point.end]
                if held
                else point.encoding.encode(values[point.path])
            )
        self.log = tuple(log)[-LOG_ENTRIES:]
        if self.log:
            image[LOG_HEAD:LOG_RING] = Encoding("uint32").encode(self.log[-1].number)
        for event in self.log:
            at = _slot(event)
            image[at : at + ENTRY_WORDS] = words_of(
                _ENTRY.pack(event.number, event.place, 0, event.ts_ms // 1000, event.amount)
            )
        self.image, self.ts_ms = image, ts_ms
        self._carried.clear()
        self._carried_log.intersection_update(event.number for event in self.log)

    def decode(self, point: Point) -> float:
        """What a client reads at *point* now [unit]."""
        return point.encoding.decode(self.image[point.address : point.end])

    def carried(self, address: int, count: int) -> Iterator[Carried]:
        """The values that an answer with these registers carries for the first time.

        A value counts once per scan, an entry of the log once at all, however often it is read;
        a part of a value is not a value.
        """
        for point in self.points:
            whole = address <= point.address and point.end <= address + count
            if whole and point.address not in self._carried:
                self._carried.add(point.address)
                yield Carried(point.path, self.ts_ms, self.decode(point))
        for event in self.log:
            at = _slot(event)
            whole = address <= at and at + ENTRY_WORDS <= address + count
            if whole and event.number not in self._carried_log:
                self._carried_log.add(event.number)
                yield Carried(self.logged[event.place], event.ts_ms, event.amount)


def _slot(event: Event) -> int:
    return LOG_RING + (event.number - 1) % LOG_ENTRIES * ENTRY_WORDS
