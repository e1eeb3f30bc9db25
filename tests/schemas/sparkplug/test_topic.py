"""Sparkplug topics."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import TopicError
from schemas.sparkplug.topic import MessageType, Topic, state_host, state_topic

IDS = st.text(st.characters(exclude_characters="+/#\0", exclude_categories=["Cs"]), min_size=1)


@given(IDS, st.sampled_from(MessageType), IDS, IDS)
def test_what_was_written_is_read(group: str, kind: MessageType, node: str, device: str) -> None:
    """Any ids of the specification survive, spaces and Cyrillic among them."""
    topic = Topic(group, kind, node, device if kind.of_device else None)

    assert Topic.parse(str(topic)) == topic


@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    """Nothing but TopicError comes out, and what is read writes itself again."""
    with suppress(TopicError):
        assert str(Topic.parse(text)) == text


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("spBv1.0/g/NDATA", "is not spBv1.0/group/type/node"),
        ("spBv1.0/g/NDATA/n/d/e", "is not spBv1.0/group/type/node"),
        ("spAv1.0/g/NDATA/n", "is not spBv1.0/group/type/node"),
        ("spBv1.0/g/ndata/n", "'ndata' is no Sparkplug message type"),
        ("spBv1.0/g/STATE/n", "'STATE' is no Sparkplug message type"),
        ("spBv1.0//NDATA/n", "group id ''"),
        ("spBv1.0/g/DDATA/n/", "device id ''"),
        ("spBv1.0/g/NDATA/n/d", "device ids belong to the D types"),
        ("spBv1.0/g/DDATA/n", "device ids belong to the D types"),
    ],
)
def test_a_wrong_topic_says_what_is_wrong(text: str, said: str) -> None:
    """The part at fault is in the message."""
    with pytest.raises(TopicError, match=said):
        Topic.parse(text)


@pytest.mark.parametrize("reserved", ["+", "/", "#"])
def test_reserved_characters_do_not_get_out(reserved: str) -> None:
    """tck-id-topic-structure-namespace-valid-group-id and its kin: neither built nor sent."""
    with pytest.raises(TopicError):
        Topic(f"a{reserved}b", MessageType.NDATA, "n")
    with pytest.raises(TopicError):
        state_topic(f"a{reserved}b")


def test_the_state_topic() -> None:
    """A host's own topic is no edge topic, and edge topics name no host."""
    assert state_topic("ertis") == "spBv1.0/STATE/ertis"
    assert state_host("spBv1.0/STATE/ertis") == "ertis"
    assert state_host("spBv1.0/STATE/") is None
    assert state_host("spBv1.0/STATE/a/b") is None
    assert state_host("STATE/ertis") is None
    assert state_host("spBv1.0/g/NDATA/n") is None
