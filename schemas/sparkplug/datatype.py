"""Sparkplug data types with the wire field, and the way, in which each carries its value.

Source: Sparkplug 3.0 chapter 6, "Data Types". Arrays, data sets and templates are known by number
and skipped by the readers here: they carry no reading.
"""

from collections.abc import Callable
from enum import IntEnum
from typing import Final

from schemas.sparkplug.sparkplug_b_pb2 import Metric


class DataType(IntEnum):
    """The specification's numbers."""

    UNKNOWN = 0
    INT8 = 1
    INT16 = 2
    INT32 = 3
    INT64 = 4
    UINT8 = 5
    UINT16 = 6
    UINT32 = 7
    UINT64 = 8
    FLOAT = 9
    DOUBLE = 10
    BOOLEAN = 11
    STRING = 12
    DATETIME = 13
    TEXT = 14
    UUID = 15
    DATASET = 16
    BYTES = 17
    FILE = 18
    TEMPLATE = 19
    PROPERTY_SET = 20
    PROPERTY_SET_LIST = 21
    INT8_ARRAY = 22
    INT16_ARRAY = 23
    INT32_ARRAY = 24
    INT64_ARRAY = 25
    UINT8_ARRAY = 26
    UINT16_ARRAY = 27
    UINT32_ARRAY = 28
    UINT64_ARRAY = 29
    FLOAT_ARRAY = 30
    DOUBLE_ARRAY = 31
    BOOLEAN_ARRAY = 32
    STRING_ARRAY = 33
    DATETIME_ARRAY = 34


def _signed(bits: int) -> Callable[[int], int]:
    """Undo two's complement: peers sign-extend to 8, 16, 32 or 64 bits, so mask before."""
    mask, sign = (1 << bits) - 1, 1 << (bits - 1)
    return lambda raw: ((raw & mask) ^ sign) - sign


def _unsigned(bits: int) -> Callable[[int], int]:
    mask = (1 << bits) - 1
    return lambda raw: raw & mask


#: How the integer on the wire becomes the number meant, by data type.
INTEGERS: Final[dict[DataType, Callable[[int], int]]] = {
    DataType.INT8: _signed(8),
    DataType.INT16: _signed(16),
    DataType.INT32: _signed(32),
    DataType.INT64: _signed(64),
    DataType.UINT8: _unsigned(8),
    DataType.UINT16: _unsigned(16),
    DataType.UINT32: _unsigned(32),
    DataType.UINT64: _unsigned(64),
    DataType.DATETIME: _unsigned(64),
}

#: The `oneof value` fields in which a peer may put each type. The first is the specification's;
#: the npm codec puts UInt32 into long_value, so integers are read from either.
VALUE_FIELDS: Final[dict[DataType, tuple[str, ...]]] = {
    **dict.fromkeys((DataType.INT8, DataType.INT16, DataType.INT32), ("int_value", "long_value")),
    **dict.fromkeys(
        (DataType.UINT8, DataType.UINT16, DataType.UINT32), ("int_value", "long_value")
    ),
    **dict.fromkeys(
        (DataType.INT64, DataType.UINT64, DataType.DATETIME), ("long_value", "int_value")
    ),
    DataType.FLOAT: ("float_value", "double_value"),
    DataType.DOUBLE: ("double_value", "float_value"),
    DataType.BOOLEAN: ("boolean_value",),
    **dict.fromkeys((DataType.STRING, DataType.TEXT, DataType.UUID), ("string_value",)),
}

NUMERIC: Final = frozenset({*INTEGERS, DataType.FLOAT, DataType.DOUBLE, DataType.BOOLEAN})


def read_value(metric: Metric, datatype: DataType) -> float | str | None:
    """The value that *metric* carries as *datatype*; None if it is null.

    Raises
    ------
    LookupError
        The value is not of that type, or the type carries no reading.
    """
    if metric.is_null:
        return None
    field = metric.WhichOneof("value")
    if field is None or field not in VALUE_FIELDS.get(datatype, ()):
        raise LookupError(f"{datatype.name} expected, found {field or 'no value'}")
    value: float | str = getattr(metric, field)
    if (convert := INTEGERS.get(datatype)) and isinstance(value, int):
        return convert(value)
    return value if isinstance(value, (int, float)) else text(value)


def text(given: str | bytes) -> str:
    """A string field of a payload; protobuf gives bytes where a peer sent what is not UTF-8."""
    return given.decode(errors="backslashreplace") if isinstance(given, bytes) else given


def write_value(metric: Metric, datatype: DataType, value: float | str | None) -> None:
    """Put *value* into *metric* as *datatype*; None becomes ``is_null``."""
    if value is None:
        metric.is_null = True
        return
    if datatype in INTEGERS:
        width = 64 if VALUE_FIELDS[datatype][0] == "long_value" else 32
        value = int(value) & ((1 << width) - 1)
    setattr(metric, VALUE_FIELDS[datatype][0], value)
