"""Numbers in Modbus registers: 16-bit words, big-endian, the high word first."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from struct import Struct
from typing import Final

import numpy as np
import numpy.typing as npt

from simulator.noise import FloatArray

_STRUCTS = {
    "int16": Struct(">h"),
    "uint16": Struct(">H"),
    "int32": Struct(">i"),
    "uint32": Struct(">I"),
    "uint64": Struct(">Q"),
    "float32": Struct(">f"),
}

Words = npt.NDArray[np.uint16]


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

    def encode_all(self, values: FloatArray) -> Words:
        """The registers of *values*, a row each."""
        numbers = values / self.scale
        if self.type != "float32":
            numbers = np.rint(numbers)
        # "int16" and the others are numpy's names too.
        raw = numbers.astype(np.dtype(self.type).newbyteorder(">"))
        return raw.view(">u2").astype(np.uint16).reshape(-1, self.words)

    def decode(self, words: Sequence[int]) -> float:
        """The value in *words*, as a client computes it."""
        number: float = _STRUCTS[self.type].unpack(bytes_of(words))[0]
        return number * self.scale

    def shown(self, values: FloatArray) -> FloatArray:
        """What a client reads where the process has *values*."""
        if self.type == "float32":
            return (values / self.scale).astype(np.float32).astype(np.float64) * self.scale
        return np.rint(values / self.scale) * self.scale


FLOAT: Final = Encoding("float32")
_FLAG: Final = Encoding("uint16")
_COUNTER: Final = Encoding("uint32")

ENCODINGS: Final[Mapping[str, Encoding]] = {
    **dict.fromkeys(("anode_effect", "operating", "running", "planned"), _FLAG),
    **dict.fromkeys(("available", "curtailed"), _FLAG),
    **dict.fromkeys(("energy", "alumina_fed", "alf3_fed"), _COUNTER),
    **dict.fromkeys(("alumina_produced", "alumina_on_spec"), Encoding("uint32", 0.001)),
    "metal_inventory": Encoding("uint16"),
    "voltage_target": Encoding("uint16", 0.001),
    "temperature": Encoding("int16", 0.1),
    "bath_temperature": Encoding("uint16", 0.1),
    **dict.fromkeys(("bath_excess_alf3", "bath_alumina", "bath_caf2"), Encoding("int16", 0.01)),
    **dict.fromkeys(("metal_iron", "metal_silicon"), Encoding("uint16", 0.001)),
    **dict.fromkeys(
        ("bauxite_alumina", "bauxite_iron", "mud_alumina", "mud_iron"), Encoding("uint16", 0.01)
    ),
}
"""How a measure stands in registers, where it is not a float32: assays with the resolution of the
laboratory, totalisers in whole steps."""


def encoding_of(measure: str) -> Encoding:
    """How *measure* stands in registers."""
    return ENCODINGS.get(measure, FLOAT)


def shown(measure: str, values: FloatArray) -> FloatArray:
    """What a client reads of *measure* where the process has *values*.

    Processes draw their values through it, so that the truth is summed from the very numbers that
    stand in the registers.
    """
    return encoding_of(measure).shown(values)


def single(value: float) -> float:
    """The nearest 32-bit float of *value*."""
    return float(np.float32(value))


def words_of(data: bytes) -> list[int]:
    """The registers that hold *data*, whose length is even."""
    return [int.from_bytes(data[at : at + 2]) for at in range(0, len(data), 2)]


def bytes_of(words: Sequence[int]) -> bytes:
    """The bytes in *words*."""
    return b"".join(int(word).to_bytes(2) for word in words)
