"""Numbers in Modbus registers: 16-bit words, big-endian, the high word first."""

from collections.abc import Sequence
from dataclasses import dataclass
from struct import Struct

_STRUCTS = {
    "int16": Struct(">h"),
    "uint16": Struct(">H"),
    "int32": Struct(">i"),
    "uint32": Struct(">I"),
    "uint64": Struct(">Q"),
    "float32": Struct(">f"),
}
_SINGLE = _STRUCTS["float32"]


def single(value: float) -> float:
    """The nearest 32-bit float of *value*.

    Models draw their values through it, so that the truth is summed from the very numbers that
    stand in the registers.
    """
    nearest: float = _SINGLE.unpack(_SINGLE.pack(value))[0]
    return nearest


@dataclass(frozen=True, slots=True)
class Encoding:
    """How a tag stands in registers: value [unit] = number of ``type`` * ``scale``."""

    type: str
    scale: float = 1.0

    @property
    def words(self) -> int:
        """How many registers it takes."""
        return _STRUCTS[self.type].size // 2

    def encode(self, value: float) -> list[int]:
        """The registers of *value*; an integer type rounds to its resolution."""
        number = value / self.scale
        return words_of(
            _STRUCTS[self.type].pack(number if self.type == "float32" else round(number))
        )

    def decode(self, words: Sequence[int]) -> float:
        """The value in *words*, as a client computes it."""
        number: float = _STRUCTS[self.type].unpack(bytes_of(words))[0]
        return number * self.scale


def words_of(data: bytes) -> list[int]:
    """The registers that hold *data*, whose length is even."""
    return [int.from_bytes(data[at : at + 2]) for at in range(0, len(data), 2)]


def bytes_of(words: Sequence[int]) -> bytes:
    """The bytes in *words*."""
    return b"".join(word.to_bytes(2) for word in words)
