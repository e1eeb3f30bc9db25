"""Registers to numbers, and points to requests."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.sources.modbus.registers import (
    ByteOrder,
    EventLog,
    Point,
    RegisterType,
    Table,
    WordOrder,
    plan,
)
from tests.edge.plc import words


@pytest.mark.parametrize(
    ("kind", "form", "number"),
    [
        (RegisterType.INT16, "h", -1234),
        (RegisterType.UINT16, "H", 65535),
        (RegisterType.INT32, "i", -100_000),
        (RegisterType.UINT32, "I", 4_000_000_000),
        (RegisterType.INT64, "q", -(2**50)),
        (RegisterType.UINT64, "Q", 2**52),
        (RegisterType.FLOAT32, "f", 4.25),
        (RegisterType.FLOAT64, "d", 4.2),
    ],
)
def test_types_are_read_in_both_word_orders(kind: RegisterType, form: str, number: float) -> None:
    """Every type comes out as it was packed, wherever it stands in the block."""
    packed = words(form, number)
    big = Point("a", Table.INPUT, 12, kind)
    little = Point("a", Table.INPUT, 12, kind, WordOrder.LITTLE)

    assert big.value([0, 0, *packed, 0], 10) == number
    assert little.value([0, 0, *reversed(packed), 0], 10) == number


def test_scale_and_offset_give_the_unit_of_the_tag() -> None:
    """Raw 215 at 0.1 - 20 is 1.5."""
    point = Point("a", Table.HOLDING, 0, RegisterType.INT16, scale=0.1, offset=-20.0)

    assert point.value([215], 0) == pytest.approx(1.5)


def test_a_bool_is_any_word_that_is_not_zero() -> None:
    """A register of 256 is true, of 0 false."""
    point = Point("a", Table.HOLDING, 0, RegisterType.BOOL)

    assert (point.value([256], 0), point.value([0], 0)) == (1.0, 0.0)


def test_neighbours_share_a_request_up_to_the_limit() -> None:
    """100 floats are 200 registers: two requests, none beyond 125."""
    points = [
        Point(f"a/{place}", Table.INPUT, 10 + 2 * place, RegisterType.FLOAT32)
        for place in range(100)
    ]

    assert [(block.start, block.count) for block in plan(points)] == [(10, 124), (134, 76)]


def test_gaps_are_read_over_only_when_allowed() -> None:
    """Two points eight addresses apart: two requests, or one where a gap of 8 is allowed."""
    points = [
        Point("a", Table.INPUT, 0, RegisterType.INT16),
        Point("b", Table.INPUT, 9, RegisterType.INT16),
    ]

    assert len(plan(points)) == 2
    assert [(block.start, block.count) for block in plan(points, 8)] == [(0, 10)]


POINTS = st.lists(
    st.builds(
        lambda table, address, kind: Point(
            "a", table, address, RegisterType.BOOL if table.of_bits else kind
        ),
        st.sampled_from(Table),
        st.integers(0, 600),
        st.sampled_from(RegisterType),
    ),
    max_size=60,
)


@given(POINTS, st.integers(0, 20))
def test_a_plan_reads_every_point_once_within_the_limits(points: list[Point], gap: int) -> None:
    """Whatever is asked for lies inside exactly one request of its table."""
    blocks = plan(points, gap)

    assert sorted(map(id, (point for block in blocks for point in block.points))) == sorted(
        map(id, points)
    )
    for block in blocks:
        assert block.count <= block.table.limit
        for point in block.points:
            assert point.table is block.table
            assert block.start <= point.address
            assert point.end <= block.start + block.count


@given(st.integers(1, 300), st.integers(1, 100), st.data())
def test_a_ring_is_read_in_order_without_leaving_it(
    first: int, entries: int, data: st.DataObject
) -> None:
    """The spans of entries first..last hold exactly their slots, oldest first."""
    last = first + data.draw(st.integers(0, entries - 1))
    log = EventLog("log", ("a",), Table.INPUT, 0, 100, entries)

    slots = [
        address + 8 * place
        for address, count in log.spans(first, last)
        for place in range(count // 8)
    ]

    assert slots == [100 + 8 * ((number - 1) % entries) for number in range(first, last + 1)]
    assert all(count <= 125 for _, count in log.spans(first, last))


def test_entries_of_a_ring_are_parsed() -> None:
    """An entry of 8 registers gives number, place, time and amount."""
    raw = struct.pack(">IHHIf", 7, 3, 0, 1_700_000_000, 2500.5)
    (entry,) = EventLog("log", ("a",), Table.INPUT, 0, 2, 64).parse(list(struct.unpack(">8H", raw)))

    assert (entry.number, entry.place, entry.time_s, entry.amount) == (7, 3, 1_700_000_000, 2500.5)


def test_bytes_may_be_swapped_inside_each_register() -> None:
    """0x4048F5C3 is 3.14 as ABCD; the others are how four makers send it."""
    layouts = {
        (WordOrder.BIG, ByteOrder.BIG): [0x4048, 0xF5C3],
        (WordOrder.LITTLE, ByteOrder.BIG): [0xF5C3, 0x4048],
        (WordOrder.BIG, ByteOrder.LITTLE): [0x4840, 0xC3F5],
        (WordOrder.LITTLE, ByteOrder.LITTLE): [0xC3F5, 0x4840],
    }
    for (word_order, byte_order), sent in layouts.items():
        point = Point("t", Table.INPUT, 0, RegisterType.FLOAT32, word_order, byte_order=byte_order)
        assert point.value(sent, 0) == pytest.approx(3.14, abs=1e-6)


@given(number=st.integers(0, 2**32 - 1), ends=st.tuples(st.integers(0, 31), st.integers(0, 31)))
def test_a_field_of_bits_is_cut_out_of_its_number(number: int, ends: tuple[int, int]) -> None:
    """As the text of the number's bits says it."""
    low, high = sorted(ends)
    point = Point("t", Table.INPUT, 0, RegisterType.UINT32, bits=(low, high))

    value = point.value([number >> 16, number & 0xFFFF], 0)

    assert value == int(f"{number:032b}"[31 - high : 32 - low], 2)
