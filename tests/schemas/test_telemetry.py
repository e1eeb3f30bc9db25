"""The plain JSON lane."""

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import PayloadError, SenderError, TopicError
from schemas.quality import Quality
from schemas.reading import Reading
from schemas.telemetry import asset_of, decode

TOPIC = "telemetry/smelter/line-1/pot-01"
MS = 1_795_255_200_000
VOLTAGE = "smelter/line-1/pot-01/voltage"


def readings(message: object, topic: str = TOPIC) -> list[Reading]:
    """What *message* carries."""
    return list(decode(topic, json.dumps(message).encode()))


@pytest.mark.parametrize(
    "ts", [MS, "2026-11-21T10:00:00Z", "2026-11-21T15:00:00+05:00", "2026-11-21T10:00:00.000Z"]
)
def test_one_instant_in_every_spelling(ts: object) -> None:
    """Epoch milliseconds and ISO 8601 with any offset are the same instant."""
    assert readings({"ts": ts, "values": {"voltage": 4.21}}) == [Reading(VOLTAGE, MS, 4.21)]


def test_many_values_and_many_samples() -> None:
    """Order is kept; each value is named by its measure below the topic's asset."""
    message = {
        "readings": [
            {"ts": MS, "values": {"voltage": 4.2, "anode_effect": True}},
            {"ts": MS + 1000, "values": {"voltage": {"value": 4.3, "quality": 64}}},
        ]
    }

    assert readings(message) == [
        Reading(VOLTAGE, MS, 4.2),
        Reading("smelter/line-1/pot-01/anode_effect", MS, 1.0),
        Reading(VOLTAGE, MS + 1000, 4.3, Quality.UNCERTAIN),
    ]


def test_no_value_is_bad_unless_said_otherwise() -> None:
    """A bare null is a reading of bad quality, not a good nothing."""
    assert readings({"ts": MS, "values": {"voltage": None}}) == [
        Reading(VOLTAGE, MS, None, Quality.BAD)
    ]


@pytest.mark.parametrize(
    ("message", "where"),
    [
        ({"values": {"voltage": 1}}, "ts"),
        ({"ts": MS}, "values"),
        ({"ts": MS, "values": {}}, "values"),
        ({"ts": "2026-11-21T10:00:00", "values": {"voltage": 1}}, "ts"),
        ({"ts": -1, "values": {"voltage": 1}}, "ts"),
        ({"ts": MS + 0.5, "values": {"voltage": 1}}, "ts"),
        ({"ts": True, "values": {"voltage": 1}}, "ts"),
        ({"ts": MS, "values": {"voltage": "4.2 V"}}, "values.voltage"),
        ({"ts": MS, "values": {"voltage": {"value": 1, "quality": 501}}}, "values.voltage"),
        ({"ts": MS, "values": {"voltage": {"quality": 192}}}, "values.voltage"),
        ({"ts": MS, "values": {"voltage": 1}, "unit": "V"}, "unit"),
        ({"readings": []}, "readings"),
        ([], "payload"),
        ("text", "payload"),
        (None, "payload"),
    ],
)
def test_a_wrong_message_says_where(message: object, where: str) -> None:
    """The path of the first thing wrong is in the message that the sender will be shown."""
    with pytest.raises(PayloadError, match=f"telemetry JSON at {where}"):
        readings(message)


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_a_number_that_is_none_is_refused(number: str) -> None:
    """JSON has no NaN; a value that overflows a double is none either."""
    with pytest.raises(PayloadError):
        list(decode(TOPIC, f'{{"ts": {MS}, "values": {{"voltage": {number}}}}}'.encode()))


@pytest.mark.parametrize(
    "topic", ["telemetry", "telemetry/", "telemetr/x", "", "spBv1.0/a/NDATA/b"]
)
def test_other_topics_are_not_ours(topic: str) -> None:
    """The lane begins below telemetry/."""
    with pytest.raises(TopicError):
        asset_of(topic)


@given(st.binary(max_size=200))
def test_any_bytes_are_decoded_or_refused(payload: bytes) -> None:
    """No byte string gets another error out of the decoder than the sender's."""
    with suppress(SenderError):
        list(decode(TOPIC, payload))


@given(
    st.dictionaries(
        st.from_regex(r"[a-z_]{1,8}", fullmatch=True),
        st.floats(allow_nan=False, allow_infinity=False),
        min_size=1,
        max_size=30,
    ),
    st.integers(0, 253_402_300_799_999),
)
def test_what_was_sent_is_read(values: dict[str, float], ts: int) -> None:
    """Every double and every millisecond arrives exactly."""
    assert readings({"ts": ts, "values": values}) == [
        Reading(f"smelter/line-1/pot-01/{measure}", ts, value) for measure, value in values.items()
    ]
