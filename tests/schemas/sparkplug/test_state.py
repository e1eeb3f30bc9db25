"""The STATE message of a host application."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import PayloadError
from schemas.sparkplug.state import HostState


@given(st.booleans(), st.integers(0, 2**63))
def test_what_was_sent_is_read(online: bool, timestamp: int) -> None:
    """Both fields survive."""
    state = HostState(online=online, timestamp=timestamp)

    assert HostState.decode(state.encode()) == state


def test_the_words_of_the_specification() -> None:
    """tck-id-payloads-state-birth-payload: exactly these two names, JSON types as there."""
    assert HostState(online=True, timestamp=3).encode() == b'{"online":true,"timestamp":3}'


@pytest.mark.parametrize(
    "payload",
    [
        b"ONLINE",
        b"",
        b"{}",
        b'{"online": true}',
        b'{"online": "true", "timestamp": 3}',
        b'{"online": 1, "timestamp": 3}',
        b'{"online": true, "timestamp": "3"}',
        b'{"online": true, "timestamp": 3.5}',
        b'{"online": true, "timestamp": -1}',
        b"\xff\xfe",
    ],
)
def test_other_payloads_are_refused(payload: bytes) -> None:
    """Sparkplug 2's bare words say no time; wrong types say nothing."""
    with pytest.raises(PayloadError, match="STATE"):
        HostState.decode(payload)
