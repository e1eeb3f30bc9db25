"""Values of every data type, as we send them and as other codecs do."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.sparkplug.datatype import INTEGERS, NUMERIC, VALUE_FIELDS, DataType, read_value
from schemas.sparkplug.payload import metric
from schemas.sparkplug.sparkplug_b_pb2 import Metric

RANGES = {
    DataType.INT8: (-(2**7), 2**7 - 1),
    DataType.INT16: (-(2**15), 2**15 - 1),
    DataType.INT32: (-(2**31), 2**31 - 1),
    DataType.INT64: (-(2**63), 2**63 - 1),
    DataType.UINT8: (0, 2**8 - 1),
    DataType.UINT16: (0, 2**16 - 1),
    DataType.UINT32: (0, 2**32 - 1),
    DataType.UINT64: (0, 2**64 - 1),
    DataType.DATETIME: (0, 2**64 - 1),
}
INTEGER = st.sampled_from(sorted(RANGES)).flatmap(
    lambda kind: st.tuples(st.just(kind), st.integers(*RANGES[kind]))
)


def sent(value: float | str | None, datatype: DataType) -> Metric:
    """The metric after its way over the wire."""
    return Metric.FromString(metric(value, datatype, 0, name="x").SerializeToString())


def carrying(field: str, raw: float) -> Metric:
    """A metric whose value stands in that field of the wire."""
    made = Metric()
    setattr(made, field, raw)
    return made


@given(INTEGER)
def test_every_integer_survives(case: tuple[DataType, int]) -> None:
    """The whole range of each type, its ends included."""
    datatype, value = case

    assert read_value(sent(value, datatype), datatype) == value


@pytest.mark.parametrize("datatype", RANGES)
def test_the_ends_of_each_range(datatype: DataType) -> None:
    """Hypothesis may miss them; these must not break."""
    for value in RANGES[datatype]:
        assert read_value(sent(value, datatype), datatype) == value


@given(st.floats(allow_nan=False))
def test_every_double_survives(value: float) -> None:
    """To the last bit, infinities included."""
    assert read_value(sent(value, DataType.DOUBLE), DataType.DOUBLE) == value


@given(st.floats(width=32, allow_nan=False))
def test_every_float_survives(value: float) -> None:
    """A 32-bit number stays the number that it is."""
    assert read_value(sent(value, DataType.FLOAT), DataType.FLOAT) == value


@pytest.mark.parametrize("value", [True, False])
def test_booleans_survive(value: bool) -> None:
    """And stay booleans."""
    assert read_value(sent(value, DataType.BOOLEAN), DataType.BOOLEAN) is value


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_text_survives(value: str) -> None:
    """The empty string too: it is a value, not a null."""
    for datatype in (DataType.STRING, DataType.TEXT, DataType.UUID):
        assert read_value(sent(value, datatype), datatype) == value


@pytest.mark.parametrize("datatype", sorted(VALUE_FIELDS))
def test_null_survives(datatype: DataType) -> None:
    """Each type can say that it has no value."""
    assert read_value(sent(None, datatype), datatype) is None


#: How a codec may put an integer on the wire: the width to which it extends it, and the field.
PEERS = [
    (datatype, width, field)
    for datatype, (_, high) in RANGES.items()
    for width in (8, 16, 32, 64)
    for field, room in (("int_value", 32), ("long_value", 64))
    if high.bit_length() <= width <= room
]


@pytest.mark.parametrize(("datatype", "width", "field"), PEERS)
@given(data=st.data())
def test_integers_of_other_codecs(
    datatype: DataType, width: int, field: str, data: st.DataObject
) -> None:
    """Peers extend the sign to the type's width or any wider one, and use either field."""
    value = data.draw(st.integers(*RANGES[datatype]))

    assert read_value(carrying(field, value & ((1 << width) - 1)), datatype) == value


@pytest.mark.parametrize(
    ("field", "raw", "datatype", "value"),
    [
        ("int_value", 251, DataType.INT8, -5),
        ("int_value", 4294967291, DataType.INT8, -5),
        ("long_value", 18446744073709551611, DataType.INT8, -5),
        ("int_value", 65531, DataType.INT16, -5),
        ("int_value", 4294967291, DataType.INT16, -5),
        ("int_value", 4294967291, DataType.INT32, -5),
        ("long_value", 18446744073709551611, DataType.INT32, -5),
        ("long_value", 18446744073709551611, DataType.INT64, -5),
        ("long_value", 4000000000, DataType.UINT32, 4000000000),
        ("int_value", 4000000000, DataType.UINT32, 4000000000),
        ("int_value", 7, DataType.INT64, 7),
        ("int_value", 7, DataType.UINT64, 7),
        ("float_value", 1.5, DataType.DOUBLE, 1.5),
        ("double_value", 1.5, DataType.FLOAT, 1.5),
    ],
)
def test_what_peers_were_seen_to_send(
    field: str, raw: float, datatype: DataType, value: float
) -> None:
    """pysparkplug, aiospb, Tahu and the npm codec disagree; all of them are understood."""
    assert read_value(carrying(field, raw), datatype) == value


def test_null_wins_over_a_value() -> None:
    """A peer that sends both means null."""
    assert read_value(Metric(is_null=True, double_value=3.0), DataType.DOUBLE) is None


@pytest.mark.parametrize("datatype", sorted(set(DataType) - set(VALUE_FIELDS)))
def test_types_without_a_reading_are_refused(datatype: DataType) -> None:
    """Arrays, data sets, templates and unknowns carry no reading."""
    with pytest.raises(LookupError, match=datatype.name):
        read_value(Metric(bytes_value=b"x"), datatype)


@pytest.mark.parametrize("datatype", sorted(VALUE_FIELDS))
def test_a_value_of_another_type_is_refused(datatype: DataType) -> None:
    """The message names what was expected and what was there."""
    wrong = (
        Metric(double_value=1.0)
        if datatype not in (DataType.DOUBLE, DataType.FLOAT)
        else Metric(string_value="1")
    )
    with pytest.raises(LookupError, match=f"{datatype.name} expected, found"):
        read_value(wrong, datatype)


def test_no_value_at_all_is_refused() -> None:
    """Neither a value nor is_null: nothing was sent."""
    with pytest.raises(LookupError, match="no value"):
        read_value(Metric(), DataType.DOUBLE)


def test_numbers_are_the_types_of_readings() -> None:
    """What can be stored as a double, and nothing else."""
    assert {*INTEGERS, DataType.FLOAT, DataType.DOUBLE, DataType.BOOLEAN} == NUMERIC
    assert DataType.STRING not in NUMERIC
