"""Addresses of a Siemens S7: where a variable stands, what it is, and the fewest requests.

Data types: IEC 61131-3 in the sizes of STEP 7; all numbers are big-endian. An answer of the
smallest PDU (240 bytes) carries 222 bytes of data: a request for no more is one answer of any CPU,
so no number is torn between two.
"""

import re
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

MAX_BYTES: Final = 222

_ADDRESS: Final = re.compile(
    r"(?:DB(?P<db>\d+)\.(?:DB[XBWD])?|(?P<area>[MIQ])[BWD]?)(?P<byte>\d+)(?:\.(?P<bit>[0-7]))?"
)


class Area(StrEnum):
    """Where variables stand."""

    DATA_BLOCK = "DB"
    MEMORY = "M"
    INPUT = "I"
    OUTPUT = "Q"


class S7Type(StrEnum):
    """What a variable is."""

    BOOL = "BOOL"
    BYTE = "BYTE"
    USINT = "USINT"
    SINT = "SINT"
    WORD = "WORD"
    UINT = "UINT"
    INT = "INT"
    DWORD = "DWORD"
    UDINT = "UDINT"
    DINT = "DINT"
    TIME = "TIME"
    LWORD = "LWORD"
    ULINT = "ULINT"
    LINT = "LINT"
    REAL = "REAL"
    LREAL = "LREAL"

    @property
    def size(self) -> int:
        """Bytes that it takes."""
        return _STRUCTS[self].size


_STRUCTS: Final = {
    S7Type.BOOL: struct.Struct(">B"),
    S7Type.BYTE: struct.Struct(">B"),
    S7Type.USINT: struct.Struct(">B"),
    S7Type.SINT: struct.Struct(">b"),
    S7Type.WORD: struct.Struct(">H"),
    S7Type.UINT: struct.Struct(">H"),
    S7Type.INT: struct.Struct(">h"),
    S7Type.DWORD: struct.Struct(">I"),
    S7Type.UDINT: struct.Struct(">I"),
    S7Type.DINT: struct.Struct(">i"),
    S7Type.TIME: struct.Struct(">i"),
    S7Type.LWORD: struct.Struct(">Q"),
    S7Type.ULINT: struct.Struct(">Q"),
    S7Type.LINT: struct.Struct(">q"),
    S7Type.REAL: struct.Struct(">f"),
    S7Type.LREAL: struct.Struct(">d"),
}


@dataclass(frozen=True, slots=True)
class Address:
    """A byte, or a bit of it, in an area; ``db`` is the number of a data block, else 0."""

    area: Area
    db: int
    byte: int
    bit: int | None = None

    @classmethod
    def parse(cls, text: str) -> "Address":
        """``DB10.DBD4`` or ``DB10.4``, ``DB10.DBX4.3``, ``MW20``, ``I0.7``, ``Q1.0``.

        The letter of the size (X B W D) is read over: the type says the size, and of LREAL and LINT
        there is none.

        Raises
        ------
        ValueError
            No such form.
        """
        found = _ADDRESS.fullmatch(text)
        if found is None:
            raise ValueError(text)
        bit = None if found["bit"] is None else int(found["bit"])
        area = Area.DATA_BLOCK if found["db"] else Area(found["area"])
        return cls(area, int(found["db"] or 0), int(found["byte"]), bit)

    def __str__(self) -> str:
        head = f"DB{self.db}." if self.area is Area.DATA_BLOCK else self.area.value
        return f"{head}{self.byte}" if self.bit is None else f"{head}{self.byte}.{self.bit}"

    def moved(self, count: int) -> "Address":
        """*count* bytes on or, of a bit, *count* bits."""
        if self.bit is None:
            return replace(self, byte=self.byte + count)
        bits = self.byte * 8 + self.bit + count
        return replace(self, byte=bits // 8, bit=bits % 8)


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable that is a tag: ``value = number * scale + offset`` [unit of the tag]."""

    path: str
    address: Address
    type: S7Type
    scale: float = 1.0
    offset: float = 0.0

    @property
    def end(self) -> int:
        """The first byte behind it."""
        return self.address.byte + self.type.size

    def value(self, data: bytes | bytearray, start: int) -> float:
        """The number in *data*, which was read from byte *start* on."""
        (number,) = _STRUCTS[self.type].unpack_from(data, self.address.byte - start)
        if self.address.bit is not None:
            number = number >> self.address.bit & 1
        return float(number * self.scale + self.offset)


@dataclass(frozen=True, slots=True)
class Block:
    """One request: neighbouring variables of one area."""

    area: Area
    db: int
    start: int
    count: int
    variables: Sequence[Variable]


def plan(variables: Iterable[Variable], max_gap: int) -> list[Block]:
    """The requests that read *variables*, reading over up to *max_gap* bytes in between."""
    blocks: list[Block] = []
    for one in sorted(variables, key=lambda one: (_place(one), one.address.byte, one.end)):
        last = blocks[-1] if blocks else None
        if last is not None and (last.area, last.db) == _place(one):
            end = max(last.start + last.count, one.end)
            near = one.address.byte <= last.start + last.count + max_gap
            if near and end - last.start <= MAX_BYTES:
                blocks[-1] = replace(last, count=end - last.start, variables=(*last.variables, one))
                continue
        blocks.append(Block(*_place(one), one.address.byte, one.type.size, (one,)))
    return blocks


def _place(variable: Variable) -> tuple[Area, int]:
    return variable.address.area, variable.address.db
