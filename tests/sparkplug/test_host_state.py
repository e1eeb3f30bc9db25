"""The STATE of a host application, and its MQTT session."""

import json
from collections.abc import Iterator

import pytest

from ingest.broker import HostLink
from ingest.event import Publish, Subscribe
from ingest.inbox import Connected, Inbox
from ingest.session import HostSession, SessionPolicy
from schemas.settings import MqttSettings
from tests.fixtures.until import until
from tests.sparkplug.recorder import Connect, Disconnect, Published, Recorder, Subscribed
from tests.sparkplug.register import tck

STATE = "spBv1.0/STATE/ertis"


def make_host() -> HostSession:
    """The host ``ertis`` of one group."""
    return HostSession("ertis", ["pavlodar"], SessionPolicy(), lambda: 0.0)


def perform(link: HostLink, host: HostSession, will_ms: int) -> None:
    """What the intake does when the connection is up."""
    for event in host.connected(will_ms, will_ms):
        if isinstance(event, Subscribe):
            link.subscribe(event.topic, event.qos)
        else:
            assert isinstance(event, Publish)
            link.publish(event)


def connected(inbox: Inbox) -> int:
    """Wait for a connection; the time of its will."""
    found = until(
        lambda: [each for each in inbox.take(0.1) if isinstance(each, Connected)], "CONNACK"
    )
    return found[0].will_ms


@pytest.fixture(scope="module")
def wire() -> Iterator[Recorder]:
    """Two connections: the first is cut, the second ended on purpose at 5,000,000,000,000 ms."""
    with Recorder() as recorder:
        inbox, host = Inbox(1_000_000), make_host()
        settings = MqttSettings(host="127.0.0.1", port=recorder.port)
        link = HostLink(settings, "ertis", inbox, host.will)
        link.open()
        for count in (1, 2):
            perform(link, host, connected(inbox))
            until(lambda: len(recorder.published("STATE")) == count, "the birth")  # noqa: B023 - asked at once
            if count == 1:
                host.disconnected(0)
                recorder.cut()
        link.close(host.leaving(5_000_000_000_000))
        until(lambda: isinstance(recorder.packets[-1], Disconnect), "the end")
        yield recorder


def wills(wire: Recorder) -> list[Published]:
    """The will of each CONNECT."""
    found = [each.will for each in wire.packets if isinstance(each, Connect)]
    assert len(found) == 2
    return [each for each in found if each is not None]


def births(wire: Recorder) -> list[Published]:
    """The first publication of each connection."""
    return [
        next(each for each in packets if isinstance(each, Published))
        for packets in wire.connections
    ]


def death(wire: Recorder) -> Published:
    """The last publication."""
    return wire.published("STATE")[-1]


def said(state: Published | Publish) -> tuple[bool, int]:
    """The words of a STATE, which are exactly two and of these types."""
    found = json.loads(state.payload)
    assert set(found) == {"online", "timestamp"}
    assert type(found["online"]) is bool
    assert type(found["timestamp"]) is int
    return found["online"], found["timestamp"]


@tck("conformance-primary-host", "intro-sparkplug-host-state", "components-ph-state")
def test_a_host_says_where_it_stands(wire: Recorder) -> None:
    """Online on each connection, offline at the end."""
    assert [said(each)[0] for each in wire.published("STATE")] == [True, True, False]


@tck("operational-behavior-host-application-host-id")
def test_the_client_id_is_the_host_id(wire: Recorder) -> None:
    """A broker admits one client of an id: so two hosts of one id cannot both be connected."""
    assert {each.client_id for each in wire.packets if isinstance(each, Connect)} == {
        "ertis-host-ertis"
    }


@tck("message-flow-phid-sparkplug-clean-session-50")
def test_every_connect_is_a_clean_start(wire: Recorder) -> None:
    """Without session expiry, the second one too."""
    found = [each for each in wire.packets if isinstance(each, Connect)]

    assert [(each.clean_start, each.expiry_s) for each in found] == [(True, 0)] * 2


@tck("message-flow-phid-sparkplug-clean-session-311")
def test_mqtt_5_is_spoken(wire: Recorder) -> None:
    """What is said of MQTT 3.1.1 does not apply."""
    assert {each.version for each in wire.packets if isinstance(each, Connect)} == {5}


@tck(
    "message-flow-phid-sparkplug-subscription",
    "payloads-state-subscribe",
    "host-topic-phid-birth-sub-required",
)
def test_subscriptions_come_before_the_birth(wire: Recorder) -> None:
    """Own STATE and every message of the group."""
    for packets in wire.connections:
        assert packets[1:3] == [Subscribed(STATE, 1), Subscribed("spBv1.0/pavlodar/#", 1)]
        assert isinstance(packets[3], Published)


@tck(
    "host-topic-phid-birth-message",
    "host-topic-phid-birth-required",
    "message-flow-phid-sparkplug-state-publish",
    "operational-behavior-host-application-connect-birth",
    "payloads-state-birth",
    "operational-behavior-primary-application-state-with-multiple-servers-state",
)
def test_the_first_publication_is_the_birth(wire: Recorder) -> None:
    """On every connection."""
    assert [(each.topic, said(each)[0]) for each in births(wire)] == [(STATE, True)] * 2


@tck("host-topic-phid-birth-topic", "operational-behavior-host-application-connect-birth-topic")
def test_birth_topic(wire: Recorder) -> None:
    """``spBv1.0/STATE/host``."""
    assert {each.topic for each in births(wire)} == {"spBv1.0/STATE/ertis"}


@tck("host-topic-phid-birth-qos", "operational-behavior-host-application-connect-birth-qos")
def test_birth_qos(wire: Recorder) -> None:
    """1."""
    assert [each.qos for each in births(wire)] == [1, 1]


@tck("host-topic-phid-birth-retain", "operational-behavior-host-application-connect-birth-retained")
def test_birth_retain(wire: Recorder) -> None:
    """On: nodes that connect later must see it."""
    assert [each.retain for each in births(wire)] == [True, True]


@tck(
    "host-topic-phid-birth-payload",
    "message-flow-phid-sparkplug-state-publish-payload",
    "operational-behavior-host-application-connect-birth-payload",
    "payloads-state-birth-payload",
)
def test_birth_payload(wire: Recorder) -> None:
    """JSON in UTF-8: online true, and a time."""
    for each in births(wire):
        online, timestamp = said(each)
        assert online
        assert timestamp > 0


@tck(
    "host-topic-phid-birth-payload-timestamp",
    "message-flow-phid-sparkplug-state-publish-payload-timestamp",
)
def test_the_birth_has_the_time_of_the_will(wire: Recorder) -> None:
    """Of the same connection."""
    assert [said(each)[1] for each in births(wire)] == [said(each)[1] for each in wills(wire)]


@tck(
    "message-flow-hid-sparkplug-state-message-delivered",
)
def test_a_late_will_is_answered_at_once() -> None:
    """Online again with the time of the will of this connection; own online is not answered."""
    host = make_host()
    *_, birth = host.connected(7, 7)
    late = host.will(3)
    assert isinstance(birth, Publish)

    assert host.receive(STATE, birth.payload, 8) == []
    assert host.receive(STATE, late.payload, 9) == [birth]
    assert said(birth) == (True, 7)


@tck("operational-behavior-host-application-connect-will", "payloads-state-will-message")
def test_every_connect_leaves_a_will(wire: Recorder) -> None:
    """That says offline."""
    assert [said(each)[0] for each in wills(wire)] == [False, False]


@tck("operational-behavior-host-application-connect-will-topic", "host-topic-phid-death-required")
def test_will_topic(wire: Recorder) -> None:
    """That of the births."""
    assert {each.topic for each in wills(wire)} == {STATE}


@tck("operational-behavior-host-application-connect-will-qos", "payloads-state-will-message-qos")
def test_will_qos(wire: Recorder) -> None:
    """1."""
    assert [each.qos for each in wills(wire)] == [1, 1]


@tck(
    "operational-behavior-host-application-connect-will-retained",
    "payloads-state-will-message-retain",
)
def test_will_retain(wire: Recorder) -> None:
    """On: it replaces the birth."""
    assert [each.retain for each in wills(wire)] == [True, True]


@tck("payloads-state-will-message-payload", "host-topic-phid-death-payload")
def test_will_payload(wire: Recorder) -> None:
    """JSON in UTF-8: online false, and a time."""
    for each in wills(wire):
        online, timestamp = said(each)
        assert not online
        assert timestamp > 0


@tck(
    "host-topic-phid-death-payload-timestamp-connect",
    "operational-behavior-host-application-connect-will-payload",
)
def test_the_will_has_the_time_of_its_connect(wire: Recorder) -> None:
    """Asked for anew at each attempt, so that the second is later than the first."""
    first, second = (said(each)[1] for each in wills(wire))

    assert first < second
    assert said(make_host().will(123)) == (False, 123)


@tck("operational-behavior-host-application-multi-server-timestamp")
def test_each_server_has_times_of_its_own() -> None:
    """A host on two brokers is two sessions: what one does leaves the other's STATE alone."""
    north, south = make_host(), make_host()
    north.connected(7, 7)
    south.connected(9, 9)
    north.disconnected(10)
    late = south.will(3).payload

    (again,) = south.receive(STATE, late, 11)
    assert isinstance(again, Publish)
    assert said(again) == (True, 9)
    assert north.receive(STATE, late, 11) == []


@tck(
    "operational-behavior-host-application-termination",
    "operational-behavior-host-application-disconnect-intentional",
)
def test_leaving_says_offline_then_disconnect(wire: Recorder) -> None:
    """In this order; the DISCONNECT has reason 0, which cancels the will."""
    farewell, end = wire.connections[-1][-2:]

    assert isinstance(farewell, Published)
    assert said(farewell)[0] is False
    assert end == Disconnect(0)


@tck("host-topic-phid-death-topic", "operational-behavior-host-application-death-topic")
def test_death_topic(wire: Recorder) -> None:
    """``spBv1.0/STATE/host``."""
    assert death(wire).topic == "spBv1.0/STATE/ertis"


@tck("host-topic-phid-death-qos", "operational-behavior-host-application-death-qos")
def test_death_qos(wire: Recorder) -> None:
    """1."""
    assert death(wire).qos == 1


@tck("host-topic-phid-death-retain", "operational-behavior-host-application-death-retained")
def test_death_retain(wire: Recorder) -> None:
    """On: it replaces the birth."""
    assert death(wire).retain


@tck("operational-behavior-host-application-death-payload")
def test_death_payload(wire: Recorder) -> None:
    """JSON in UTF-8: online false, and a time."""
    assert said(death(wire))[0] is False


@tck(
    "host-topic-phid-death-payload-timestamp-disconnect-clean",
    "host-topic-phid-death-payload-timestamp-disconnect-with-no-disconnect-packet",
)
def test_the_death_has_the_time_of_leaving(wire: Recorder) -> None:
    """Not that of the will; whether a DISCONNECT follows it or not."""
    assert said(death(wire))[1] == 5_000_000_000_000
