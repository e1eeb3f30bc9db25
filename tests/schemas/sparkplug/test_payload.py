"""Payloads: ours, those of peers, and bytes that are none."""

import zlib
from contextlib import suppress

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from schemas.errors import PayloadError
from schemas.quality import Quality, main_quality
from schemas.sparkplug.datatype import DataType
from schemas.sparkplug.payload import (
    COMPRESSED,
    OPC_QUALITY_KEY,
    QUALITY_KEY,
    QUALITY_MARK,
    decode,
    inflate,
    metric,
    read_quality,
)
from schemas.sparkplug.sparkplug_b_pb2 import Metric, Payload

MS = 1_795_255_200_000


def frame() -> bytes:
    """A payload with a bit of everything."""
    return Payload(
        timestamp=MS,
        seq=7,
        metrics=[
            metric(4.21, DataType.DOUBLE, MS, name="pot-01/voltage", alias=1),
            metric(None, DataType.DOUBLE, MS, alias=2, quality=Quality.BAD),
            metric(-5, DataType.INT8, MS, alias=3, quality=Quality.UNCERTAIN),
            metric("anode", DataType.STRING, MS, name="text"),
            metric(value=True, datatype=DataType.BOOLEAN, ts_ms=MS, alias=4),
        ],
    ).SerializeToString()


def walk(payload: Payload) -> None:
    """Touch what a reader touches."""
    for got in payload.metrics:
        read_quality(got)
        assert got.name is not None


def test_a_payload_survives_the_wire() -> None:
    """Sequence, time, names, aliases, values."""
    got = decode(frame())

    assert (got.seq, got.timestamp, len(got.metrics)) == (7, MS, 5)
    assert [one.alias for one in got.metrics] == [1, 2, 3, 0, 4]
    assert got.metrics[0].double_value == 4.21
    assert got.metrics[1].is_null


def test_data_carries_no_datatype() -> None:
    """Births name metrics with their type; data goes by alias alone."""
    born, data = decode(frame()).metrics[:2]

    assert born.datatype == DataType.DOUBLE
    assert not data.HasField("datatype")
    assert not data.HasField("name")


@pytest.mark.parametrize("end", range(len(frame())))
def test_a_truncated_payload_is_decoded_or_refused(end: int) -> None:
    """Cut at any byte: PayloadError, or fewer metrics; never another error."""
    with suppress(PayloadError):
        walk(decode(frame()[:end]))


@given(st.integers(0, len(frame()) - 1), st.integers(0, 255))
def test_a_mutated_payload_is_decoded_or_refused(at: int, byte: int) -> None:
    """Any one byte changed to any other."""
    changed = bytearray(frame())
    changed[at] = byte
    with suppress(PayloadError):
        walk(decode(bytes(changed)))


@given(st.binary(max_size=400))
@example(b"\x12\x02\x0a\x05")
@example(b"\xff" * 50)
@example(b'{"timestamp": 1}')
def test_any_bytes_are_decoded_or_refused(payload: bytes) -> None:
    """No bytes get another error out of the decoder than the sender's."""
    with suppress(PayloadError):
        walk(decode(payload))


@pytest.mark.parametrize("payload", [b"\x12\x05\x0a", b"ONLINE", b"\xff\xff", b'{"a": 1}'])
def test_what_is_no_payload_is_refused(payload: bytes) -> None:
    """The message says how many bytes they were."""
    with pytest.raises(PayloadError, match=f"{len(payload)} bytes are not a Sparkplug payload"):
        decode(payload)


@pytest.mark.parametrize("quality", Quality)
def test_qualities_survive(quality: Quality) -> None:
    """Uncertain too, which Sparkplug itself cannot say."""
    made = metric(1.0, DataType.DOUBLE, MS, alias=1, quality=quality)

    assert read_quality(Metric.FromString(made.SerializeToString())) is quality


@given(st.integers(0, 255))
def test_any_opc_code_keeps_its_meaning(code: int) -> None:
    """Sub-status codes arrive as their main code."""
    assert read_quality(metric(1.0, DataType.DOUBLE, MS, quality=code)) is main_quality(code)


@pytest.mark.parametrize("quality", [0, 24, 64, 68, 192, 216, 500])
def test_only_codes_of_the_specification_are_sent_as_quality(quality: int) -> None:
    """0, 192 or 500 (tck-id-payloads-propertyset-quality-value-value), whatever ours is."""
    properties = metric(1.0, DataType.DOUBLE, MS, quality=quality).properties
    values = dict(zip(properties.keys, properties.values, strict=True))

    if quality == Quality.GOOD:
        assert values == {}
    else:
        assert values[QUALITY_KEY].int_value in {0, 192, 500}
        assert all(value.type == DataType.INT32 for value in values.values())


def test_the_mark_stands_in_every_payload_with_a_quality() -> None:
    """The quick search in the bytes never misses a metric that is not good."""
    for quality in (Quality.BAD, Quality.UNCERTAIN, Quality.STALE):
        made = Payload(metrics=[metric(1.0, DataType.DOUBLE, MS, alias=1, quality=quality)])
        assert QUALITY_MARK in made.SerializeToString()
    good = Payload(metrics=[metric(1.0, DataType.DOUBLE, MS, alias=1)])
    assert QUALITY_MARK not in good.SerializeToString()


def test_a_quality_in_the_long_field() -> None:
    """A peer that writes the property as Int64 is understood."""
    got = Metric()
    got.properties.keys.append(QUALITY_KEY)
    got.properties.values.add(type=DataType.INT64, long_value=500)

    assert read_quality(got) is Quality.STALE


def test_properties_of_unequal_length() -> None:
    """More keys than values, or the other way round: what pairs up counts."""
    got = Metric()
    got.properties.keys.extend(["Quality", OPC_QUALITY_KEY])
    got.properties.values.add(type=DataType.INT32, int_value=0)

    assert read_quality(got) is Quality.BAD


def test_no_property_means_good() -> None:
    """Sparkplug leaves the quality out when all is well."""
    assert read_quality(Metric(double_value=1.0)) is Quality.GOOD


def compressed(inner: bytes, wbits: int = zlib.MAX_WBITS) -> Payload:
    """A payload that carries another one, as Tahu's clients make it."""
    deflater = zlib.compressobj(wbits=wbits)
    body = deflater.compress(inner) + deflater.flush()
    return Payload(uuid=COMPRESSED, body=body)


@pytest.mark.parametrize("wbits", [zlib.MAX_WBITS, zlib.MAX_WBITS + 16], ids=["zlib", "gzip"])
def test_compressed_payloads(wbits: int) -> None:
    """By either algorithm; what it is called in the payload does not matter."""
    assert inflate(compressed(frame(), wbits)) == frame()


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "no end after 0"),
        (b"\x00\x01\x02", "incorrect header"),
        (zlib.compress(bytes(100))[:-6], "no end after"),
        (zlib.compress(bytes((32 << 20) + 1)), "more than 33554432"),
    ],
    ids=["empty", "noise", "cut", "bomb"],
)
def test_compressed_payloads_that_are_none(body: bytes, said: str) -> None:
    """Refused, and a bomb before it fills the memory."""
    with pytest.raises(PayloadError, match=said):
        inflate(Payload(uuid=COMPRESSED, body=body))


@given(st.binary(max_size=80))
def test_any_body_is_inflated_or_refused(body: bytes) -> None:
    """No bytes get another error out of it than the sender's."""
    with suppress(PayloadError):
        inflate(Payload(uuid=COMPRESSED, body=body))
