"""The monitor: silent about a life by the rules, and told by every rule that is broken."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.sparkplug.datatype import DataType
from schemas.sparkplug.monitor import Monitor, Violation
from schemas.sparkplug.node import BD_SEQ, REBIRTH
from schemas.sparkplug.payload import QUALITY_KEY, metric
from schemas.sparkplug.sparkplug_b_pb2 import Metric, Payload
from schemas.sparkplug.topic import MessageType
from tests.sparkplug.register import PREFIX, STATEMENTS
from tests.sparkplug.story import story
from tests.sparkplug.test_commands import commit_through, rebirth_request


@dataclass(frozen=True)
class Heard:
    """One message as a monitor hears it."""

    topic: str
    payload: Payload
    qos: int = 0
    retained: bool = False


Life = list[Heard]


def life() -> Life:
    """The story of a node, and a host with its commands; fresh copies that may be changed."""
    heard = [
        Heard(each.text, Payload.FromString(each.payload.SerializeToString()), each.qos)
        for each in story().messages
    ]
    commands = [
        Heard(each.topic, Payload.FromString(each.payload))
        for each in (rebirth_request(), commit_through())
    ]
    return heard + commands


def violations(messages: Life, *, complete: bool = True) -> list[Violation]:
    """What a monitor says of all of them."""
    monitor = Monitor(complete=complete)
    return [
        violation
        for each in messages
        for violation in monitor.see(
            each.topic, each.payload.SerializeToString(), each.qos, retained=each.retained
        )
    ]


def first(messages: Life, kind: str) -> int:
    """The place of the first message of *kind* behind the first births."""
    return next(place for place, each in enumerate(messages) if each.topic.split("/")[2] == kind)


def named(payload: Payload, name: str) -> Metric:
    """A metric of a birth."""
    return next(each for each in payload.metrics if each.name == name)


def changed(kind: str, change: Callable[[Payload], object]) -> Callable[[Life], None]:
    """*change* the first message of *kind*."""

    def apply(messages: Life) -> None:
        change(messages[first(messages, kind)].payload)

    return apply


def sent(kind: str, **otherwise: int | bool) -> Callable[[Life], None]:
    """The first message of *kind* is sent otherwise."""

    def apply(messages: Life) -> None:
        place = first(messages, kind)
        messages[place] = replace(messages[place], **otherwise)  # type: ignore[arg-type]

    return apply


def without(kind: str) -> Callable[[Life], None]:
    """The first message of *kind* is missing."""

    def apply(messages: Life) -> None:
        del messages[first(messages, kind)]

    return apply


def set_quality(payload: Payload, quality: int, type_: int = DataType.INT32) -> None:
    """A Quality property on the first metric."""
    payload.metrics[0].properties.keys.append(QUALITY_KEY)
    payload.metrics[0].properties.values.add(type=type_, int_value=quality)


def same_case(payload: Payload) -> None:
    """A second name that differs in case alone."""
    payload.metrics.append(metric(1.0, DataType.DOUBLE, 1, name="LINE/A", alias=999))


def moved(messages: Life) -> None:
    """Another node of the group, whose name differs in case alone."""
    place = first(messages, "NCMD")
    messages[place] = replace(messages[place], topic="spBv1.0/pavlodar/NCMD/Potline-1")


def reborn(messages: Life) -> None:
    """A birth at the end whose bdSeq is behind that of the one before."""
    messages.append(messages[first(messages, "NBIRTH")])
    named(messages[-1].payload, BD_SEQ).long_value = 200


BROKEN: list[tuple[str, Callable[[Life], object]]] = [
    ("payloads-nbirth-qos", sent("NBIRTH", qos=1)),
    ("payloads-dbirth-qos", sent("DBIRTH", qos=1)),
    ("payloads-ndata-qos", sent("NDATA", qos=1)),
    ("payloads-ddata-qos", sent("DDATA", qos=2)),
    ("topics-ddeath-mqtt", sent("DDEATH", qos=1)),
    ("payloads-ndeath-will-message-qos", sent("NDEATH", qos=0)),
    ("payloads-ncmd-qos", sent("NCMD", qos=1)),
    ("payloads-nbirth-retain", sent("NBIRTH", retained=True)),
    ("payloads-ddata-retain", sent("DDATA", retained=True)),
    ("payloads-ndeath-will-message-retain", sent("NDEATH", retained=True)),
    ("payloads-nbirth-timestamp", changed("NBIRTH", lambda p: p.ClearField("timestamp"))),
    ("payloads-ddata-timestamp", changed("DDATA", lambda p: p.ClearField("timestamp"))),
    ("payloads-ncmd-timestamp", changed("NCMD", lambda p: p.ClearField("timestamp"))),
    ("payloads-sequence-num-always-included", changed("DDATA", lambda p: p.ClearField("seq"))),
    ("payloads-sequence-num-incrementing", changed("DDATA", lambda p: setattr(p, "seq", 200))),
    ("payloads-sequence-num-incrementing", without("NDATA")),
    ("topics-nbirth-seq-num", changed("NBIRTH", lambda p: setattr(p, "seq", 1))),
    ("payloads-ncmd-seq", changed("NCMD", lambda p: setattr(p, "seq", 1))),
    ("payloads-ndeath-seq", changed("NDEATH", lambda p: setattr(p, "seq", 1))),
    ("topics-ndeath-payload", changed("NDEATH", lambda p: p.ClearField("metrics"))),
    (
        "topics-nbirth-bdseq-included",
        changed("NBIRTH", lambda p: setattr(named(p, BD_SEQ), "name", "x")),
    ),
    (
        "payloads-nbirth-bdseq",
        changed("NBIRTH", lambda p: setattr(named(p, BD_SEQ), "datatype", DataType.UINT64)),
    ),
    (
        "payloads-ndeath-bdseq",
        changed("NDEATH", lambda p: setattr(p.metrics[0], "long_value", 7)),
    ),
    (
        "topics-nbirth-rebirth-metric",
        changed("NBIRTH", lambda p: setattr(named(p, REBIRTH), "name", "x")),
    ),
    (
        "payloads-nbirth-rebirth-req",
        changed("NBIRTH", lambda p: setattr(named(p, REBIRTH), "boolean_value", True)),
    ),
    (
        "operational-behavior-data-commands-rebirth-name-aliases",
        changed("NBIRTH", lambda p: setattr(named(p, REBIRTH), "alias", 998)),
    ),
    (
        "payloads-name-requirement",
        changed("DDATA", lambda p: p.metrics.append(Metric(timestamp=1, is_historical=True))),
    ),
    (
        "payloads-name-birth-data-requirement",
        changed("DDATA", lambda p: p.metrics[-1].ClearField("timestamp")),
    ),
    (
        "payloads-alias-birth-requirement",
        changed("DBIRTH", lambda p: p.metrics[0].ClearField("name")),
    ),
    (
        "payloads-metric-datatype-req",
        changed("DBIRTH", lambda p: p.metrics[0].ClearField("datatype")),
    ),
    (
        "payloads-metric-datatype-not-req",
        changed("DDATA", lambda p: setattr(p.metrics[0], "datatype", 10)),
    ),
    (
        "operational-behavior-data-publish-dbirth-values",
        changed("DBIRTH", lambda p: setattr(p.metrics[0], "is_null", not p.metrics[0].is_null)),
    ),
    (
        "payloads-propertyset-keys-array-size",
        changed("DDATA", lambda p: p.metrics[0].properties.keys.append("x")),
    ),
    ("payloads-propertyset-quality-value-value", changed("DDATA", lambda p: set_quality(p, 64))),
    (
        "payloads-propertyset-quality-value-type",
        changed("DDATA", lambda p: set_quality(p, 0, DataType.INT64)),
    ),
    (
        "operational-behavior-data-publish-dbirth-order",
        changed(
            "DDATA",
            lambda p: p.metrics.extend(
                [Metric(alias=1, timestamp=9), Metric(alias=1, timestamp=8)]
            ),
        ),
    ),
    (
        "operational-behavior-data-publish-dbirth",
        changed("DDATA", lambda p: setattr(p.metrics[0], "alias", 77)),
    ),
    (
        "payloads-alias-data-cmd-requirement",
        changed("DDATA", lambda p: setattr(p.metrics[0], "name", "line/a")),
    ),
    ("payloads-alias-uniqueness", changed("DBIRTH", lambda p: setattr(p.metrics[0], "alias", 100))),
    ("case-sensitivity-metric-names", changed("DBIRTH", same_case)),
    ("case-sensitivity-sparkplug-ids", moved),
    (
        "payloads-ndata-order",
        lambda messages: messages.insert(0, messages[first(messages, "NDATA")]),
    ),
    (
        "message-flow-device-birth-publish-nbirth-wait",
        lambda messages: messages.insert(0, messages[first(messages, "DBIRTH")]),
    ),
    ("payloads-ddata-order", without("DBIRTH")),
    (
        "topics-nbirth-bdseq-increment",
        reborn,
    ),
    ("topic-structure", lambda messages: messages.append(Heard("spBv1.0/g/NDATA/n/d", Payload()))),
]


def test_a_life_by_the_rules_gives_no_cause() -> None:
    """Births, data, history, deaths, a rebirth, two connections, commands."""
    assert violations(life()) == []


@pytest.mark.parametrize(("rule", "breaks"), BROKEN, ids=[rule for rule, _ in BROKEN])
def test_what_is_broken_is_told(rule: str, breaks: Callable[[Life], object]) -> None:
    """By the id of the statement, whatever else follows from it."""
    messages = life()
    breaks(messages)
    told = violations(messages)

    assert rule in {each.rule for each in told}
    assert {PREFIX + each.rule for each in told} <= STATEMENTS.keys()


def test_who_comes_late_accuses_nobody() -> None:
    """Without the births nothing can be told, until the next NBIRTH."""
    messages = life()
    again = [place for place, each in enumerate(messages) if "/NBIRTH/" in each.topic][1]

    assert violations(messages[20:], complete=False) == []
    assert violations(messages[20:], complete=True) != []
    del messages[again + 1]
    assert violations(messages[20:], complete=False) != []


def test_after_an_interruption_a_node_begins_anew() -> None:
    """What was missed is nobody's fault."""
    messages = life()
    monitor = Monitor(complete=True)
    for place, each in enumerate(messages):
        if place == 10:
            monitor.interrupted()
        elif place < 10 or place > 15:
            payload = each.payload.SerializeToString()
            assert monitor.see(each.topic, payload, each.qos, retained=False) == []


@pytest.mark.parametrize(
    ("payload", "qos", "rules"),
    [
        (b'{"online":true,"timestamp":1}', 1, []),
        (b'{"online":true,"timestamp":1}', 0, ["host-topic-phid-birth-qos"]),
        (b"ONLINE", 1, ["payloads-state-birth-payload"]),
    ],
)
def test_states(payload: bytes, qos: int, rules: list[str]) -> None:
    """JSON at QoS 1."""
    told = Monitor().see("spBv1.0/STATE/ertis", payload, qos, retained=True)

    assert [each.rule for each in told] == rules


@pytest.mark.parametrize("kind", MessageType)
def test_what_is_no_payload(kind: MessageType) -> None:
    """The statement is one of those on the type's payload."""
    device = "/plc" if kind.of_device else ""
    (told,) = Monitor().see(f"spBv1.0/g/{kind}/n{device}", b"\xff\xff", 0, retained=False)

    assert PREFIX + told.rule in STATEMENTS
    assert "2 bytes are not a Sparkplug payload" in str(told)


@given(
    st.sampled_from(life()),
    st.data(),
    st.sampled_from(["NBIRTH", "DBIRTH", "NDATA", "DDATA", "NDEATH", "NCMD"]),
)
def test_any_bytes_are_taken(heard: Heard, data: st.DataObject, kind: str) -> None:
    """Mutated messages give violations of known statements or none, never another error."""
    raw = bytearray(heard.payload.SerializeToString())
    place = data.draw(st.integers(0, len(raw) - 1))
    raw[place] = data.draw(st.integers(0, 255))
    device = "/plc" if kind.startswith("D") else ""
    monitor = Monitor()
    for _ in range(2):
        told = monitor.see(f"spBv1.0/g/{kind}/n{device}", bytes(raw), 0, retained=False)
        assert {PREFIX + each.rule for each in told} <= STATEMENTS.keys()
