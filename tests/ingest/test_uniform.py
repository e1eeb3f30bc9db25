"""Metrics read as arrays against the same metrics read by protobuf."""

from dataclasses import fields

import numpy as np
from hypothesis import assume, given
from hypothesis import strategies as st

from ingest.decode import decode, decode_any
from ingest.event import Data, Source
from ingest.frame import Columns, Frame
from ingest.metric_table import MetricTable
from ingest.uniform import runs
from schemas.errors import PayloadError
from schemas.sparkplug import payload as codec
from schemas.sparkplug.datatype import DataType
from schemas.sparkplug.sparkplug_b_pb2 import Metric, Payload

SOURCE = Source("park", "node", "plc")
#: Aliases on both sides of the lengths of a varint; the odd ones are floats.
ALIASES = (0, 1, 2, 126, 127, 128, 129, 300, 511)
POSITION, STRANGE = 65_535, 70_000

METRICS = st.builds(
    Metric,
    alias=st.one_of(st.sampled_from(ALIASES), st.sampled_from((POSITION, STRANGE, 2**40))),
    timestamp=st.one_of(st.just(1_795_000_000_000), st.integers(0, 2**64 - 1)),
    is_historical=st.sampled_from((None, None, True, False)),
    is_null=st.sampled_from((None, None, None, True)),
    double_value=st.floats(),
)


def table() -> MetricTable:
    """Doubles and floats, and a spool position."""
    metrics = [
        Metric(name=f"tag-{a}", alias=a, datatype=DataType.FLOAT if a % 2 else DataType.DOUBLE)
        for a in ALIASES
    ]
    metrics.append(Metric(name="Spool/Position", alias=POSITION, datatype=DataType.UINT64))
    names = {f"tag-{alias}": number for number, alias in enumerate(ALIASES, 1)}
    return MetricTable(SOURCE, Payload(metrics=metrics), lambda _, name: names.get(name))


TABLE = table()


def agree(raw: bytes) -> Frame:
    """Both ways make the same of *raw*, to the bit; returns it."""
    data = Data(SOURCE, "spBv1.0/park/DDATA/node/plc", codec.decode(raw), raw, 0)
    quick, exact = decode(data, TABLE), decode_any(data, TABLE)
    for column in fields(Columns):
        ours, theirs = getattr(quick.columns, column.name), getattr(exact.columns, column.name)
        assert ours.dtype == theirs.dtype
        assert np.array_equal(ours, theirs, equal_nan=column.name == "value")
    assert list(quick.texts) == list(exact.texts)
    for name in ("received", "letters", "position", "unknown_alias", "historical"):
        assert getattr(quick, name) == getattr(exact, name)
    return quick


def number(alias: int, ts_ms: int, value: float, *, historical: bool = False) -> Metric:
    """A good number of the tag *alias*."""
    made = Metric(alias=alias, timestamp=ts_ms, is_historical=historical or None)
    setattr(made, "float_value" if alias % 2 else "double_value", value)
    return made


@given(st.lists(METRICS, max_size=12), st.integers(0, 2**64 - 1))
def test_both_ways_agree_on_any_metrics(metrics: list[Metric], ts_ms: int) -> None:
    """Any aliases, times, flags and values, in the field of their type or another's."""
    agree(Payload(timestamp=ts_ms, seq=1, metrics=metrics).SerializeToString())


@given(
    st.lists(
        st.tuples(st.sampled_from(ALIASES), st.integers(2**36, 2**42 - 1), st.floats(width=32)),
        min_size=1,
        max_size=12,
    ),
    st.booleans(),
    st.integers(0, 2**61),
)
def test_good_numbers_with_a_position(
    given_numbers: list[tuple[int, int, float]], historical: bool, position: int
) -> None:
    """A spool's frame comes out with its readings, its position and its flag."""
    metrics = [number(*one, historical=historical) for one in given_numbers]
    metrics.append(Metric(alias=POSITION, timestamp=1, long_value=position))
    frame = agree(Payload(timestamp=5, metrics=metrics, seq=3).SerializeToString())
    assert frame.received == len(given_numbers)
    assert frame.position == (position or None)
    assert frame.historical is historical


@given(st.data())
def test_both_ways_agree_on_mutated_frames(data: st.DataObject) -> None:
    """Bytes changed, put in or taken out anywhere: what protobuf still reads, both read alike."""
    metrics = [number(alias, 1_795_000_000_000 + alias, alias / 2) for alias in ALIASES]
    raw = Payload(timestamp=1_795_000_000_000, metrics=metrics, seq=9).SerializeToString()
    place = data.draw(st.integers(0, len(raw)))
    change, dropped = data.draw(st.binary(max_size=3)), data.draw(st.integers(0, 3))
    mutated = raw[:place] + change + raw[place + dropped :]
    try:
        codec.decode(mutated)
    except PayloadError:
        assume(condition=False)
    agree(mutated)


def test_a_scan_of_doubles_is_one_run() -> None:
    """Aliases of one length make one run, read whole; so the quick way is indeed taken."""
    metrics = [number(alias, 1_795_000_000_000, 1.5) for alias in range(200, 300, 2)]
    raw = Payload(timestamp=1, metrics=metrics, seq=200).SerializeToString()
    (run,) = runs(raw, len(metrics))
    assert run.alias.tolist() == list(range(200, 300, 2))
    assert set(run.ts_ms.tolist()) == {1_795_000_000_000}
    assert set(run.value.tolist()) == {1.5}
    assert run.field == "double_value"
    assert not run.historical
