"""The JSON lane, decoded and acknowledged."""

import json
import threading
from collections import deque

from hypothesis import given
from hypothesis import strategies as st

from ingest import lane
from ingest.broker import LaneLink
from ingest.inbox import Connected, Inbox, Message
from ingest.letter import Fault
from schemas.settings import MqttSettings
from tests.fixtures.broker import Broker
from tests.fixtures.proxy import Proxy
from tests.fixtures.until import until
from tests.ingest.edge import Edge

TAGS = {"a/b/x": 1, "a/b/y": 2}
TOPIC = "telemetry/a/b"


@given(st.binary(max_size=60) | st.text(max_size=60).map(str.encode))
def test_noise_is_one_letter(payload: bytes) -> None:
    """Any bytes: a letter with the reason, never an exception."""
    frame = lane.decode(TOPIC, payload, 5, TAGS)

    assert frame.received == len(frame.columns) + sum(each.readings for each in frame.letters)


@given(
    st.lists(
        st.tuples(
            st.integers(0, 2**70),
            st.dictionaries(
                st.sampled_from(["x", "y", "z"]),
                st.one_of(st.none(), st.floats(allow_nan=False, allow_infinity=False)),
                min_size=1,
            ),
        ),
        min_size=1,
        max_size=4,
    )
)
def test_every_reading_has_one_fate(samples: list[tuple[int, dict[str, float | None]]]) -> None:
    """Mapped values are columns, others letters; a letter reads again as what it was."""
    document = {"readings": [{"ts": ts, "values": values} for ts, values in samples]}

    frame = lane.decode(TOPIC, json.dumps(document).encode(), 5, TAGS)

    strange = sum("z" in values for _, values in samples)
    assert frame.received == sum(len(values) for _, values in samples)
    assert len(frame.columns) == frame.received - strange
    for letter in frame.letters:
        again = lane.decode(TOPIC, letter.payload, 5, {**TAGS, "a/b/z": 3})
        assert again.columns.tag_id.tolist() == [3] * strange


def test_letter_of_some_places() -> None:
    """Rejected readings alone, as a message of the same topic."""
    payload = b'{"ts": 7, "values": {"x": 1.5, "y": {"value": 2, "quality": 64}}}'

    letter = lane.letter(TOPIC, payload, 9, Fault("future", "why", [1]))

    again = lane.decode(TOPIC, letter.payload, 9, TAGS).columns
    assert (again.tag_id.tolist(), again.value.tolist(), again.quality.tolist()) == ([2], [2], [64])


class Desk:
    """A lane whose messages a test acknowledges by hand."""

    def __init__(self, host: str, port: int) -> None:
        self.inbox = Inbox(1_000_000)
        self.messages: deque[Message] = deque()
        self.link = LaneLink(
            MqttSettings(host=host, port=port), "test", self.inbox, unacknowledged=50
        )
        self.link.open()

    def collect(self, count: int) -> list[str]:
        """Wait for that many messages; their payloads, as text."""

        def enough() -> bool:
            taken = self.inbox.take(0.01)
            self.messages += [each for each in taken if isinstance(each, Message)]
            return len(self.messages) >= count

        until(enough, f"{count} messages")
        return [message.payload.decode() for message in self.messages]

    def whole_sequence(self) -> list[str]:
        """The payloads so far, once the last of them is there."""
        found = self.collect(0)
        return found if "3" in found else []

    def acknowledge(self, place: int) -> None:
        """The message there is done with."""
        receipt = self.messages[place].receipt
        assert receipt is not None
        receipt()


def test_unacknowledged_messages_come_again(broker: Broker) -> None:
    """After a cut wire: in order, and a receipt of before acknowledges nothing of after."""
    proxy = Proxy(broker.host, broker.port)
    desk = Desk(proxy.host, proxy.port)
    until(lambda: desk.link.connected, "the lane to connect")
    device = Edge(broker.host, broker.port, ())
    try:
        device.publish_raw("telemetry/probe", b"probe", qos=1)
        desk.collect(1)
        desk.acknowledge(0)
        desk.messages.clear()
        for number in range(4):
            device.publish_raw("telemetry/a", str(number).encode(), qos=1)
        assert desk.collect(4) == ["0", "1", "2", "3"]
        desk.acknowledge(1)  # out of order: waits for 0
        desk.acknowledge(0)
        until(lambda: not desk.link._receipts or len(desk.link._receipts) == 2, "two left")

        old = desk.messages.copy()
        desk.messages.clear()
        proxy.cut()
        until(lambda: not desk.link.connected, "the cut to be noticed")
        proxy.resume()

        again = until(desk.whole_sequence, "messages up to 3")
        # An acknowledgement that the cut swallowed brings its message back; none may be missing.
        assert again in (["2", "3"], ["1", "2", "3"], ["0", "1", "2", "3"])
        for message in old:  # of the old connection: must not acknowledge anything of the new one
            if message.receipt is not None:
                message.receipt()
        assert len(desk.link._receipts) == len(again)
    finally:
        desk.link.close()
        device.close()
        proxy.close()


def test_full_inbox_makes_the_network_thread_wait() -> None:
    """Bounded in bytes; closing lets the waiting thread go."""
    inbox = Inbox(500)
    inbox.put(Message("t", bytes(400), 0))
    thread = threading.Thread(target=inbox.put, args=(Message("u", b"", 0),))
    thread.start()

    assert len(inbox.take(0.0)) == 1
    assert len(inbox.take(5.0)) == 1
    thread.join()

    inbox.put(Message("t", bytes(400), 0))
    thread = threading.Thread(target=inbox.put, args=(Connected(1),))
    thread.start()
    inbox.close()
    thread.join()
