"""The host's STATE."""

from ingest.event import Publish, Subscribe
from ingest.session import HostSession, SessionPolicy
from schemas.sparkplug.state import HostState

STATE = "spBv1.0/STATE/ertis"


def session() -> HostSession:
    """A host that listens to two groups."""
    return HostSession("ertis", ["north", "south"], SessionPolicy(), lambda: 0.0)


def state(message: object) -> HostState:
    """The STATE that *message* says."""
    assert isinstance(message, Publish)
    assert (message.topic, message.qos, message.retain) == (STATE, 1, True)
    return HostState.decode(message.payload)


def test_birth_has_the_will_s_time() -> None:
    """tck-id-host-topic-phid-birth-payload-timestamp: will and birth say the same instant."""
    host = session()
    will = host.will(1000)

    *_, birth = host.connected(1000, 1200)

    assert state(will) == HostState(online=False, timestamp=1000)
    assert state(birth) == HostState(online=True, timestamp=1000)


def test_subscribes_before_it_is_born() -> None:
    """tck-id-message-flow-phid-sparkplug-subscription: own STATE and groups, then the birth."""
    events = session().connected(1000, 1200)

    assert events[:-1] == [
        Subscribe(STATE, 1),
        Subscribe("spBv1.0/north/#", 1),
        Subscribe("spBv1.0/south/#", 1),
    ]
    assert isinstance(events[-1], Publish)


def test_each_connect_has_a_will_of_its_own_time() -> None:
    """tck-id-host-topic-phid-death-payload-timestamp-connect: a reconnect refreshes the will."""
    host = session()

    assert state(host.will(1000)).timestamp == 1000
    assert state(host.will(2000)).timestamp == 2000


def test_own_offline_state_is_answered_at_once() -> None:
    """tck-id-message-flow-hid-sparkplug-state-message-delivered: online again, same timestamp."""
    host = session()
    host.connected(1000, 1200)

    [answer] = host.receive(STATE, HostState(online=False, timestamp=900).encode(), 5000)

    assert state(answer) == HostState(online=True, timestamp=1000)


def test_own_online_state_and_other_hosts_need_no_answer() -> None:
    """Only our own offline matters."""
    host = session()
    host.connected(1000, 1200)

    assert host.receive(STATE, HostState(online=True, timestamp=1000).encode(), 5000) == []
    assert host.receive("spBv1.0/STATE/other", b"OFFLINE", 5000) == []


def test_after_its_death_nothing_is_guarded() -> None:
    """tck-id-host-topic-phid-death-payload-timestamp-disconnect-clean: now, and no answer to it."""
    host = session()
    host.connected(1000, 1200)

    death = host.leaving(9000)

    assert state(death) == HostState(online=False, timestamp=9000)
    assert host.receive(STATE, death.payload, 9001) == []
