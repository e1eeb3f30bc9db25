"""Modbus registers: what they hold, and the fewest requests that read them.

Source: MODBUS Application Protocol Specification V1.1b3: 125 registers (6.3, 6.4) or 2000 bits
(6.1, 6.2) a request at the most. The order of the words of a longer number is not part of it.
"""

import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from schemas.errors import CommandError

MAX_REGISTERS: Final = 125
MAX_BITS: Final = 2000


class Table(StrEnum):
    """The four tables of a Modbus device."""

    INPUT = "input"
    HOLDING = "holding"
    COIL = "coil"
    DISCRETE = "discrete"

    @property
    def of_bits(self) -> bool:
        """Whether an address holds one bit, not 16."""
        return self in (Table.COIL, Table.DISCRETE)

    @property
    def limit(self) -> int:
        """Addresses that one request may ask for."""
        return MAX_BITS if self.of_bits else MAX_REGISTERS


class WordOrder(StrEnum):
    """Which register of a longer number comes first."""

    BIG = "big"
    LITTLE = "little"


class ByteOrder(StrEnum):
    """Which byte of a register comes first: big in the standard, little in some meters."""

    BIG = "big"
    LITTLE = "little"


class RegisterType(StrEnum):
    """What a number is made of."""

    INT16 = "int16"
    UINT16 = "uint16"
    INT32 = "int32"
    UINT32 = "uint32"
    INT64 = "int64"
    UINT64 = "uint64"
    FLOAT32 = "float32"
    FLOAT64 = "float64"
    BOOL = "bool"

    @property
    def width(self) -> int:
        """Registers (for a coil or discrete input: bits) that it takes."""
        return _STRUCTS[self].size // 2


_STRUCTS: Final = {
    RegisterType.INT16: struct.Struct(">h"),
    RegisterType.UINT16: struct.Struct(">H"),
    RegisterType.INT32: struct.Struct(">i"),
    RegisterType.UINT32: struct.Struct(">I"),
    RegisterType.INT64: struct.Struct(">q"),
    RegisterType.UINT64: struct.Struct(">Q"),
    RegisterType.FLOAT32: struct.Struct(">f"),
    RegisterType.FLOAT64: struct.Struct(">d"),
    RegisterType.BOOL: struct.Struct(">H"),
}

#: Tables that a client may write to.
WRITABLE: Final = frozenset({Table.HOLDING, Table.COIL})

#: Types whose single bits have a meaning of their own.
UNSIGNED: Final = frozenset({RegisterType.UINT16, RegisterType.UINT32, RegisterType.UINT64})


@dataclass(frozen=True, slots=True)
class Point:
    """A number at its place: ``value = raw * scale + offset`` [unit of the tag].

    ``bits`` are the lowest and the highest bit of an unsigned number that are the tag; None is all.
    Of ``every`` scans one reads it.
    """

    path: str
    table: Table
    address: int
    type: RegisterType
    word_order: WordOrder = WordOrder.BIG
    scale: float = 1.0
    offset: float = 0.0
    byte_order: ByteOrder = ByteOrder.BIG
    bits: tuple[int, int] | None = None
    writable: bool = False
    every: int = 1

    @property
    def end(self) -> int:
        """The first address behind it."""
        return self.address + self.type.width

    def raw(self, words: Sequence[int], start: int) -> float:
        """The number as it stands in *words*, which were read from address *start* on."""
        mine = words[self.address - start : self.end - start]
        if self.type is RegisterType.BOOL:
            return float(any(mine))
        if self.word_order is WordOrder.LITTLE:
            mine = mine[::-1]
        order = "<" if self.byte_order is ByteOrder.LITTLE else ">"
        (number,) = _STRUCTS[self.type].unpack(struct.pack(f"{order}{len(mine)}H", *mine))
        if self.bits is not None:
            low, high = self.bits
            number = number >> low & (1 << high - low + 1) - 1
        return number  # type: ignore[no-any-return]  # struct knows the type only at run time

    def words(self, value: float) -> list[int]:
        """What the registers must hold to mean *value* [unit of the tag]; of a bit one word.

        Raises
        ------
        CommandError
            The type does not hold so large a number.
        """
        raw = (value - self.offset) / self.scale
        if self.type is RegisterType.BOOL:
            return [int(raw != 0)]
        whole = self.type not in (RegisterType.FLOAT32, RegisterType.FLOAT64)
        try:
            packed = _STRUCTS[self.type].pack(round(raw) if whole else raw)
        except (struct.error, OverflowError) as error:
            raise CommandError(f"{value:g} does not fit into a {self.type}") from error
        order = "<" if self.byte_order is ByteOrder.LITTLE else ">"
        words = list(struct.unpack(f"{order}{len(packed) // 2}H", packed))
        return words[::-1] if self.word_order is WordOrder.LITTLE else words

    def value(self, words: Sequence[int], start: int) -> float:
        """The number in the tag's unit."""
        return self.raw(words, start) * self.scale + self.offset


@dataclass(frozen=True, slots=True)
class Entry:
    """One event of a log, as it stands in the ring."""

    number: int
    place: int
    time_s: int
    amount: float


@dataclass(frozen=True, slots=True)
class EventLog:
    """A ring of events in a PLC, so that an agent that was away misses none.

    ``head`` holds the running number of the newest entry as uint32, 0 when there is none. Entry *k*
    (from 1 on) stands at ``address + ((k - 1) % entries) * 8``: uint32 number, uint16 place in
    ``paths``, uint16 spare, uint32 seconds since 1970, float32 amount.
    """

    name: str
    paths: Sequence[str]
    table: Table
    head: int
    address: int
    entries: int

    WIDTH = 8
    _ENTRY = struct.Struct(">IHHIf")

    @property
    def end(self) -> int:
        """The first address behind the ring."""
        return self.address + self.entries * self.WIDTH

    def spans(self, first: int, last: int) -> list[tuple[int, int]]:
        """The (address, registers) that hold the entries *first* to *last*, oldest first."""
        most = MAX_REGISTERS // self.WIDTH
        spans: list[tuple[int, int]] = []
        number = first
        while number <= last:
            slot = (number - 1) % self.entries
            run = min(last - number + 1, self.entries - slot, most)
            spans.append((self.address + slot * self.WIDTH, run * self.WIDTH))
            number += run
        return spans

    def parse(self, words: Sequence[int]) -> list[Entry]:
        """The entries in *words*, which begin at the start of one."""
        packed = struct.pack(f">{len(words)}H", *words)
        return [
            Entry(number, place, time_s, amount)
            for number, place, _spare, time_s, amount in self._ENTRY.iter_unpack(packed)
        ]


@dataclass(frozen=True, slots=True)
class Block:
    """One request: neighbouring points of one table."""

    table: Table
    start: int
    count: int
    points: Sequence[Point]


def plan(points: Iterable[Point], max_gap: int = 0) -> list[Block]:
    """The requests that read *points*, in as few as their places allow.

    A request reads over up to *max_gap* addresses that nobody asked for: quicker, but some devices
    refuse a request that touches an address that they do not have.
    """
    blocks: list[Block] = []
    members: list[Point] = []
    for point in sorted(points, key=lambda point: (point.table, point.address, point.end)):
        if members and not _fits(members, point, max_gap):
            blocks.append(_block(members))
            members = []
        members.append(point)
    if members:
        blocks.append(_block(members))
    return blocks


def _fits(members: Sequence[Point], point: Point, max_gap: int) -> bool:
    end = max(member.end for member in members)
    return (
        point.table is members[0].table
        and point.address <= end + max_gap
        and max(point.end, end) - members[0].address <= point.table.limit
    )


def _block(members: Sequence[Point]) -> Block:
    start = members[0].address
    count = max(member.end for member in members) - start
    return Block(members[0].table, start, count, tuple(members))
