"""Numbers in registers."""

import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.register import Encoding, bytes_of, single, words_of


def test_high_word_comes_first() -> None:
    """The words of known numbers, by hand."""
    assert Encoding("uint32").encode(0x0001_0002) == [1, 2]
    assert Encoding("float32").encode(1.0) == [0x3F80, 0]
    assert Encoding("int16", scale=0.1).encode(-0.1) == [0xFFFF]


@given(st.floats(width=32, allow_nan=False))
def test_a_single_survives(value: float) -> None:
    """What is a 32-bit float already comes back bit for bit."""
    encoding = Encoding("float32")

    assert single(value) == value
    assert struct.pack(">d", encoding.decode(encoding.encode(value))) == struct.pack(">d", value)


@given(st.integers(-32768, 32767))
def test_scale_is_applied_as_a_client_does(raw: int) -> None:
    """Decoding multiplies the raw number by the scale and nothing else."""
    encoding = Encoding("int16", scale=0.1)

    assert encoding.decode(words_of(struct.pack(">h", raw))) == raw * 0.1
    assert encoding.encode(raw * 0.1) == words_of(struct.pack(">h", raw))


@given(st.binary(max_size=40).filter(lambda data: len(data) % 2 == 0))
def test_words_and_bytes_are_inverse(data: bytes) -> None:
    """Any even number of bytes."""
    assert bytes_of(words_of(data)) == data


@pytest.mark.parametrize(
    ("encoding", "values"),
    [
        (Encoding("float32"), [0.0, -1.5, 4.123456]),
        (Encoding("uint32"), [0.0, 65_536.0, 4294967295.0]),
        (Encoding("uint16", 0.01), [0.0, 12.34, 655.35]),
        (Encoding("int16", 0.1), [-3.2, 0.0, 145.6]),
    ],
)
def test_many_at_once_are_as_one(encoding: Encoding, values: list[float]) -> None:
    """Rows of registers as `encode` gives them, and `shown` is what comes back of them."""
    rows = encoding.encode_all(np.array(values)).tolist()

    assert rows == [encoding.encode(value) for value in values]
    assert encoding.shown(np.array(values)).tolist() == [encoding.decode(row) for row in rows]


def test_words_counts_registers() -> None:
    """One register is 16 bits."""
    assert [Encoding(kind).words for kind in ("uint16", "float32", "uint64")] == [1, 2, 4]


def test_a_number_too_great_for_its_register_is_an_error() -> None:
    """Nothing is cut off silently."""
    with pytest.raises(struct.error):
        Encoding("uint32").encode(2**32)
