"""Whatever happens on the way, everything committed arrives, and the spool is emptied."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from edge.delivery import Limits
from edge.lifecycle import State
from tests.edge.conversation import Conversation
from tests.edge.host import rebirth


class Way(RuleBasedStateMachine):
    """Readings, losses, cuts, kills, rebirths, drops and acknowledgements in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.talk = Conversation(
            limits=Limits(window_frames=3, replay_readings_per_s=2_000, ack_timeout_s=10)
        )
        self.value = 0.0
        self.owed: list[int] = []

    @property
    def connected(self) -> bool:
        """Whether there is a connection."""
        return self.talk.session.state is not State.OFFLINE

    @rule(tag=st.sampled_from(["line/a", "line/b", "meter/e"]), count=st.integers(1, 3))
    def read(self, tag: str, count: int) -> None:
        """A device shows new values."""
        device = "meter" if tag == "meter/e" else "plc"
        values = [self.value + place for place in range(count)]
        self.value += count
        self.talk.read(*values, tag=tag, **{device: True})

    @rule(device=st.sampled_from(["plc", "meter"]))
    def lose_device(self, device: str) -> None:
        """A device does not answer."""
        self.talk.links(**{device: False})

    @rule(lossy=st.booleans())
    def network(self, lossy: bool) -> None:
        """The network begins or ceases to lose messages. It does not lose half a session:
        after it the connection is another one.
        """  # noqa: D205 - two thoughts
        if self.connected and self.talk.lossy and not lossy:
            self.talk.lose_connection()
        self.talk.lossy = lossy

    @precondition(lambda self: not self.connected)
    @rule()
    def connect(self) -> None:
        """The broker is reached."""
        self.talk.connect()

    @precondition(lambda self: self.connected)
    @rule()
    def cut(self) -> None:
        """The connection breaks."""
        self.talk.lose_connection()

    @rule()
    def kill(self) -> None:
        """The process is killed; what is in the store is all that it finds again."""
        self.talk.restart()

    @precondition(lambda self: self.connected)
    @rule(online=st.booleans())
    def state(self, online: bool) -> None:
        """The host comes or goes."""
        self.talk.state(online=online)

    @precondition(lambda self: self.connected)
    @rule()
    def rebirth(self) -> None:
        """The host asks for births."""
        self.talk.command(rebirth())

    @precondition(lambda self: self.connected)
    @rule()
    def commit(self) -> None:
        """The host commits what it has; its acknowledgement may come late."""
        self.owed.append(self.talk.ledger.through)

    @precondition(lambda self: self.connected and self.owed)
    @rule(data=st.data())
    def acknowledge(self, data: st.DataObject) -> None:
        """One of the acknowledgements arrives."""
        self.talk.acknowledge(data.draw(st.sampled_from(self.owed)))

    @rule(seconds=st.sampled_from([0.1, 1.0, 11.0]))
    def wait(self, seconds: float) -> None:
        """Time goes by."""
        self.talk.wait(seconds)

    @precondition(lambda self: self.talk.store.frames)
    @rule()
    def drop(self) -> None:
        """The spool lets go of its oldest frame."""
        self.talk.drop(1)

    @invariant()
    def nothing_is_deleted_that_the_host_does_not_have(self) -> None:
        """Each position is on disk, at the host, or was dropped and counted."""
        store = self.talk.store
        known = set(store.frames) | self.talk.ledger.positions | store.dropped
        assert known == set(range(1, store.following))

    @invariant()
    def seq_counts_on(self) -> None:
        """Within a session no seq is left out (tck-id-payloads-sequence-num-incrementing)."""
        last = None
        for message in self.talk.ledger.messages:
            if not message.payload.HasField("seq"):
                last = None
                continue
            seq = message.payload.seq
            assert seq == 0 or last is None or seq == (last + 1) % 256
            last = seq

    def teardown(self) -> None:
        """With a network that works and a host that acknowledges, all of it arrives."""
        talk = self.talk
        if self.connected:
            talk.lose_connection()
        talk.lossy = False
        talk.connect()
        talk.wait(1)
        talk.state(online=True)
        for _ in range(400):
            if not talk.store.frames:
                break
            talk.answer()
            talk.wait(1)
        assert not talk.store.frames
        arrived = {(reading.tag, reading.value) for reading in talk.ledger.readings}
        assert len(talk.ledger.positions | talk.store.dropped) == talk.store.following - 1
        if not talk.store.dropped:
            assert arrived == {(reading.tag, reading.value) for reading in talk.store.committed}


TestWay = Way.TestCase
TestWay.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
