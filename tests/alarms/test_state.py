"""The state machine against ANSI/ISA-18.2-2016, figure 2."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alarms.state import TRANSITIONS, Event, State, after, settle

states, events = st.sampled_from(State), st.sampled_from(Event)

#: The standard's own arrows, once more and by hand (latched and suppressed-by-design left out).
FIGURE_2 = [
    ("A", Event.RAISE, "B"),
    ("B", Event.ACKNOWLEDGE, "C"),
    ("B", Event.CLEAR, "D"),
    ("C", Event.CLEAR, "A"),
    ("D", Event.ACKNOWLEDGE, "A"),
    ("D", Event.RAISE, "B"),
    ("A", Event.SHELVE, "G"),
    ("B", Event.SHELVE, "G"),
    ("C", Event.SHELVE, "G"),
    ("D", Event.SHELVE, "G"),
    ("G", Event.UNSHELVE, "A"),
    ("G", Event.REMOVE, "I"),
    ("A", Event.REMOVE, "I"),
    ("B", Event.REMOVE, "I"),
    ("C", Event.REMOVE, "I"),
    ("D", Event.REMOVE, "I"),
    ("I", Event.RESTORE, "A"),
]
LETTERS = {
    "A": State.NORMAL,
    "B": State.UNACKNOWLEDGED,
    "C": State.ACKNOWLEDGED,
    "D": State.RETURNED,
    "G": State.SHELVED,
    "I": State.OUT_OF_SERVICE,
}


@pytest.mark.parametrize(("before", "event", "then"), FIGURE_2)
def test_the_figure(before: str, event: Event, then: str) -> None:
    """Every arrow is there."""
    assert after(LETTERS[before], event) is LETTERS[then]


def test_there_are_no_other_arrows() -> None:
    """But those of the state for want of data, which is ours."""
    of_figure = {(LETTERS[before], event) for before, event, _ in FIGURE_2}
    ours = {key for key in TRANSITIONS if State.UNKNOWN in {key[0], TRANSITIONS[key]}}

    assert of_figure | ours == set(TRANSITIONS)
    assert not of_figure & ours


@given(state=states, active=st.booleans(), known=st.booleans())
def test_settling_ends_and_tells_the_truth(state: State, active: bool, known: bool) -> None:
    """It stops, a second time it does nothing, and normal means known and within the limit."""
    reached = state
    for event, following in settle(state, active=active, known=known):
        assert after(reached, event) is following
        reached = following

    assert not list(settle(reached, active=active, known=known))
    if reached is State.NORMAL:
        assert known
        assert not active
    if known and active:
        assert reached in {
            State.UNACKNOWLEDGED,
            State.ACKNOWLEDGED,
            State.SHELVED,
            State.OUT_OF_SERVICE,
        }


@given(
    steps=st.lists(st.tuples(events, st.booleans(), st.booleans()), max_size=30),
)
def test_no_alarm_is_lost_without_a_person(steps: list[tuple[Event, bool, bool]]) -> None:
    """What rang and was not acknowledged never becomes normal by itself."""
    acts = {Event.ACKNOWLEDGE, Event.SHELVE, Event.UNSHELVE, Event.REMOVE, Event.RESTORE}
    state = State.NORMAL
    owed = False
    for event, active, known in steps:
        if event in acts and (found := after(state, event)) is not None:
            state, owed = found, False
        for _, following in settle(state, active=active, known=known):
            state = following
        owed = owed or state is State.UNACKNOWLEDGED
        if owed and state not in {State.SHELVED, State.OUT_OF_SERVICE}:
            assert state.annunciated
        if state is State.ACKNOWLEDGED:
            owed = False


def test_an_acknowledged_alarm_does_not_ring_again_for_want_of_data() -> None:
    """Active, lost, found and still active: nothing happens."""
    assert not list(settle(State.ACKNOWLEDGED, active=True, known=False))
    assert not list(settle(State.ACKNOWLEDGED, active=True, known=True))
