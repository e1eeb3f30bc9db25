"""Payloads to columns."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.decode import decode
from ingest.event import Data, Source
from ingest.frame import Frame
from ingest.metric_table import MetricTable
from schemas.errors import SenderError
from schemas.quality import Quality
from schemas.sparkplug import payload as codec
from schemas.sparkplug.datatype import DataType
from schemas.sparkplug.payload import metric
from schemas.sparkplug.sparkplug_b_pb2 import DataSet, Metric, Payload

SOURCE = Source("pavlodar", "potline-1", "plc")
#: Tag ids by name; the metric "stranger" is declared but measures no tag.
TAGS = {"voltage": 1, "flag": 2, "count": 3, "recipe": 4, "small": 5, "table": 6, "level": 7}
DECLARED = {
    "voltage": DataType.DOUBLE,
    "flag": DataType.BOOLEAN,
    "count": DataType.UINT32,
    "recipe": DataType.STRING,
    "small": DataType.INT8,
    "table": DataType.DATASET,
    "level": DataType.FLOAT,
    "stranger": DataType.DOUBLE,
    "Spool/Position": DataType.UINT64,
}
ALIASES = {name: alias for alias, name in enumerate(DECLARED)}


def table() -> MetricTable:
    """The births of the source; aliases count from 0."""
    birth = Payload(
        metrics=[
            Metric(name=name, alias=ALIASES[name], datatype=datatype)
            for name, datatype in DECLARED.items()
        ]
    )
    return MetricTable(SOURCE, birth, lambda _, name: TAGS.get(name))


def read(*metrics: Metric, ts_ms: int = 1000) -> Frame:
    """What a DDATA of *metrics* comes to."""
    message = Payload(timestamp=ts_ms, seq=1, metrics=metrics)
    raw = message.SerializeToString()
    data = Data(SOURCE, "spBv1.0/pavlodar/DDATA/potline-1/plc", codec.decode(raw), raw, 2000)
    return decode(data, table())


def given_metric(name: str, value: float | str | None, **more: Any) -> Metric:  # noqa: ANN401
    """A metric as an edge of ours sends it."""
    return metric(value, DECLARED[name], 1000, alias=ALIASES[name], **more)


def rows(frame: Frame) -> list[tuple[int, int, float | None, int]]:
    """The columns as (tag, ms, value, quality)."""
    columns = frame.columns
    return [
        (int(tag), int(ts), None if null else float(value), int(quality))
        for tag, ts, value, null, quality in zip(
            columns.tag_id,
            columns.ts_ms,
            columns.value,
            columns.null,
            columns.quality,
            strict=True,
        )
    ]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("voltage", 4.25),
        ("voltage", 0.0),
        ("voltage", -0.0),
        ("flag", True),
        ("flag", False),
        ("count", 4_294_967_295),
        ("count", 0),
        ("small", -5),
        ("small", 0),
        ("level", 0.5),
    ],
)
def test_values_of_each_type(name: str, value: float) -> None:
    """Each type's value, zero among them, arrives as the number it is."""
    assert rows(read(given_metric(name, value))) == [(TAGS[name], 1000, float(value), 192)]


@pytest.mark.parametrize(
    ("name", "fields", "value"),
    [
        ("small", {"int_value": 251}, -5.0),
        ("small", {"int_value": 4_294_967_291}, -5.0),
        ("small", {"long_value": 251}, -5.0),
        ("count", {"long_value": 7}, 7.0),
        ("voltage", {"float_value": 0.5}, 0.5),
        ("level", {"double_value": 0.5}, 0.5),
    ],
)
def test_peers_ways_with_a_value(name: str, fields: dict[str, Any], value: float) -> None:
    """Sign extension of any width, and the other field of the same kind."""
    assert rows(read(Metric(alias=ALIASES[name], timestamp=1000, **fields))) == [
        (TAGS[name], 1000, value, 192)
    ]


def test_null_is_no_value_and_not_good() -> None:
    """``is_null`` wins over a value that stands beside it; a null that claims good is bad."""
    beside = Metric(alias=ALIASES["voltage"], timestamp=1000, is_null=True, double_value=9.0)

    assert rows(read(given_metric("voltage", None), beside)) == [(1, 1000, None, 0)] * 2


def test_quality_is_read_where_it_is_given() -> None:
    """One metric's quality is not its neighbour's."""
    frame = read(
        given_metric("voltage", 1.0),
        given_metric("level", 2.0, quality=Quality.BAD),
        given_metric("count", 3, quality=Quality.UNCERTAIN),
    )

    assert frame.columns.quality.tolist() == [192, 0, 64]


def test_missing_metric_time_is_the_payload_s() -> None:
    """Some peers give a time to the payload alone."""
    frame = read(Metric(alias=ALIASES["voltage"], double_value=1.0), ts_ms=77)

    assert rows(frame) == [(1, 77, 1.0, 192)]


def test_impossible_times_stay_impossible() -> None:
    """A time of 2^64 - 1 must not wrap into the past."""
    frame = read(Metric(alias=ALIASES["voltage"], timestamp=2**64 - 1, double_value=1.0))

    assert int(frame.columns.ts_ms[0]) == 2**62


def test_metric_by_name() -> None:
    """A peer without aliases; alias 0, which another metric has, is not meant."""
    frame = read(Metric(name="level", timestamp=1000, float_value=1.5))

    assert rows(frame) == [(TAGS["level"], 1000, 1.5, 192)]


def test_text_goes_its_own_way() -> None:
    """Strings are readings too, with their place among the others."""
    frame = read(given_metric("voltage", 1.0), given_metric("recipe", "A-7"))

    [text] = frame.texts
    assert (text.tag_id, text.ts_ms, text.value, text.quality) == (TAGS["recipe"], 1000, "A-7", 192)
    assert len(frame.columns) == 1
    assert frame.received == 2


def test_strings_that_are_not_utf_8() -> None:
    """A peer that sends Latin-1 is read with its odd bytes escaped."""
    latin = b"\xb0C"
    birth = Metric(alias=1, datatype=DataType.STRING)
    birth.MergeFromString(b"\x0a\x02" + latin)  # field 1: the name
    declared = Payload(metrics=[birth])
    sent = Metric(alias=1, timestamp=1000)
    sent.MergeFromString(b"\x7a\x02" + latin)  # field 15: the string value
    raw = Payload(timestamp=1000, seq=1, metrics=[sent]).SerializeToString()
    data_ = Data(SOURCE, "spBv1.0/pavlodar/DDATA/potline-1/plc", codec.decode(raw), raw, 2000)

    frame = decode(data_, MetricTable(SOURCE, declared, lambda _, name: int(name == "\\xb0C")))

    assert [text.value for text in frame.texts] == ["\\xb0C"]


def test_own_metrics_are_no_readings() -> None:
    """The spool position is read and not counted."""
    frame = read(given_metric("voltage", 1.0), given_metric("Spool/Position", 12))

    assert (frame.position, frame.received, len(frame.columns)) == (12, 1, 1)


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (Metric(alias=99, timestamp=1000, double_value=1.0), "alias"),
        (Metric(alias=2**64 - 1, timestamp=1000, double_value=1.0), "alias"),
        (Metric(name="nobody", timestamp=1000, double_value=1.0), "alias"),
        (Metric(alias=ALIASES["stranger"], timestamp=1000, double_value=1.0), "unmapped"),
        (Metric(alias=ALIASES["table"], timestamp=1000, dataset_value=DataSet()), "datatype"),
        (Metric(alias=ALIASES["voltage"], timestamp=1000, string_value="4"), "type"),
        (Metric(alias=ALIASES["voltage"], timestamp=1000, boolean_value=True), "type"),
        (Metric(alias=ALIASES["voltage"], timestamp=1000), "type"),
        (Metric(alias=ALIASES["flag"], timestamp=1000, double_value=1.0), "type"),
        (Metric(alias=ALIASES["recipe"], timestamp=1000, double_value=1.0), "type"),
    ],
)
def test_bad_metric_leaves_its_neighbours(bad: Metric, reason: str) -> None:
    """One letter with just that metric; those before and after it are stored."""
    frame = read(given_metric("voltage", 1.0), bad, given_metric("level", 2.0))

    assert [row[0] for row in rows(frame)] == [TAGS["voltage"], TAGS["level"]]
    [letter] = frame.letters
    assert (letter.reason, letter.readings) == (reason, 1)
    [kept] = Payload.FromString(letter.payload).metrics
    kept.ClearField("name")
    kept.ClearField("datatype")
    bad.ClearField("name")
    assert kept == bad
    assert frame.received == 3
    assert frame.unknown_alias == (reason == "alias")


def test_letter_reads_alone() -> None:
    """A letter has the name and type that the alias stands for: it is its own birth."""
    frame = read(Metric(alias=ALIASES["stranger"], timestamp=1000, double_value=1.0))

    [letter] = frame.letters
    message = Payload.FromString(letter.payload)
    later = MetricTable(SOURCE, message, lambda _, name: {"stranger": 8}.get(name))
    again = decode(Data(SOURCE, "", message, letter.payload, 0), later)
    assert rows(again) == [(8, 1000, 1.0, 192)]


def test_faults_of_one_kind_share_a_letter() -> None:
    """A node with a hundred unmapped metrics makes one row a message, not a hundred."""
    strange = Metric(alias=ALIASES["stranger"], timestamp=1000, double_value=1.0)

    [letter] = read(*[strange] * 5).letters

    assert letter.readings == 5


def test_empty_message() -> None:
    """A node may say nothing."""
    assert read().received == 0


anything = st.one_of(
    st.floats().map(lambda value: {"double_value": value}),
    st.integers(0, 2**32 - 1).map(lambda value: {"int_value": value}),
    st.integers(0, 2**64 - 1).map(lambda value: {"long_value": value}),
    st.booleans().map(lambda value: {"boolean_value": value}),
    st.text(max_size=5).map(lambda value: {"string_value": value}),
    st.just({"is_null": True}),
    st.just({}),
)
metrics = st.builds(
    lambda value, alias, name, ts_ms: Metric(alias=alias, name=name, timestamp=ts_ms, **value),
    anything,
    st.one_of(st.none(), st.integers(0, 12), st.integers(0, 2**64 - 1)),
    st.one_of(st.none(), st.sampled_from([*DECLARED, "x", ""])),
    st.one_of(st.none(), st.integers(0, 2**64 - 1)),
)


@given(st.lists(metrics, max_size=8))
def test_every_metric_has_one_fate(sent: list[Metric]) -> None:
    """Stored, text, letter or own: each metric is exactly one of them, whatever it is."""
    frame = read(*sent)

    letters = sum(letter.readings for letter in frame.letters)
    assert frame.received == len(frame.columns) + len(frame.texts) + letters
    assert frame.received <= len(sent)
    assert np.isnan(frame.columns.value[frame.columns.null]).all()


@given(st.lists(metrics, max_size=4), st.lists(metrics, max_size=4), st.floats())
def test_neighbours_are_never_disturbed(
    before: list[Metric], after: list[Metric], value: float
) -> None:
    """A good metric is read the same between any others."""
    frame = read(*before, given_metric("voltage", value), *after)

    place = len(before)
    [found] = frame.columns.value[frame.columns.place == place].tolist()
    assert found == value or (math.isnan(found) and math.isnan(value))


@pytest.fixture(scope="module")
def mutate() -> Callable[[bytes, int, int], bytes]:
    """Overwrite one byte."""
    return lambda raw, place, byte: raw[:place] + bytes([byte]) + raw[place + 1 :]


WHOLE = Payload(
    timestamp=1000,
    seq=5,
    metrics=[
        given_metric("voltage", 4.2),
        given_metric("flag", value=True),
        given_metric("recipe", "A"),
        given_metric("level", 1.0, quality=Quality.BAD),
        given_metric("Spool/Position", 3),
    ],
).SerializeToString()


def survive(raw: bytes) -> None:
    """Decode *raw* or raise what a sender's fault raises."""
    try:
        message = codec.decode(raw)
    except SenderError:
        return
    frame = decode(Data(SOURCE, "t", message, raw, 0), table())
    assert frame.received >= len(frame.columns)


def test_every_truncation_is_survived() -> None:
    """Cut anywhere: an error of the sender or a frame, nothing else."""
    for end in range(len(WHOLE)):
        survive(WHOLE[:end])


@given(st.integers(0, len(WHOLE) - 1), st.integers(0, 255))
def test_every_changed_byte_is_survived(
    mutate: Callable[[bytes, int, int], bytes], place: int, byte: int
) -> None:
    """Any byte changed: likewise."""
    survive(mutate(WHOLE, place, byte))


@given(st.binary(max_size=200))
def test_noise_is_survived(raw: bytes) -> None:
    """Any bytes: likewise."""
    survive(raw)
