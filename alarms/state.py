"""The states of an alarm and what leads from one to another: ANSI/ISA-18.2-2016, figure 2.

The letters are those of the figure. There are no latched alarms (E, F): nothing here trips. A
state for want of data is added: of an alarm whose value is stale nobody can say that it is normal.
"""

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Final


class State(StrEnum):
    """How an alarm stands."""

    NORMAL = "normal"  # A
    UNACKNOWLEDGED = "unacknowledged"  # B
    ACKNOWLEDGED = "acknowledged"  # C
    RETURNED = "returned"  # D, returned to normal, unacknowledged
    SHELVED = "shelved"  # G
    OUT_OF_SERVICE = "out_of_service"  # I
    UNKNOWN = "unknown"

    @property
    def annunciated(self) -> bool:
        """Whether an operator has to look at it."""
        return self in {State.UNACKNOWLEDGED, State.ACKNOWLEDGED, State.RETURNED}

    @property
    def active(self) -> bool:
        """Whether it rings or was acknowledged while the value is beyond its limit."""
        return self in {State.UNACKNOWLEDGED, State.ACKNOWLEDGED}


class Event(StrEnum):
    """What happens to an alarm."""

    RAISE = "raise"
    CLEAR = "clear"
    LOSE = "lose"  # the value is stale, bad or not there
    FIND = "find"
    ACKNOWLEDGE = "acknowledge"
    SHELVE = "shelve"
    UNSHELVE = "unshelve"
    REMOVE = "remove"  # from service
    RESTORE = "restore"


_S, _E = State, Event

#: What is not here does not happen: the process leaves the state as it is, a person is told no.
TRANSITIONS: Final[Mapping[tuple[State, Event], State]] = {
    (_S.NORMAL, _E.RAISE): _S.UNACKNOWLEDGED,
    (_S.NORMAL, _E.LOSE): _S.UNKNOWN,
    (_S.UNKNOWN, _E.RAISE): _S.UNACKNOWLEDGED,
    (_S.UNKNOWN, _E.FIND): _S.NORMAL,
    (_S.UNACKNOWLEDGED, _E.ACKNOWLEDGE): _S.ACKNOWLEDGED,
    (_S.UNACKNOWLEDGED, _E.CLEAR): _S.RETURNED,
    (_S.ACKNOWLEDGED, _E.CLEAR): _S.NORMAL,
    (_S.RETURNED, _E.ACKNOWLEDGE): _S.NORMAL,
    (_S.RETURNED, _E.RAISE): _S.UNACKNOWLEDGED,
    (_S.SHELVED, _E.UNSHELVE): _S.NORMAL,
    (_S.OUT_OF_SERVICE, _E.RESTORE): _S.NORMAL,
    **{
        (state, _E.SHELVE): _S.SHELVED
        for state in (_S.NORMAL, _S.UNACKNOWLEDGED, _S.ACKNOWLEDGED, _S.RETURNED, _S.UNKNOWN)
    },
    **{(state, _E.REMOVE): _S.OUT_OF_SERVICE for state in _S if state is not _S.OUT_OF_SERVICE},
}


def after(state: State, event: Event) -> State | None:
    """The state that *event* leads to; None where it leads nowhere."""
    return TRANSITIONS.get((state, event))


def settle(state: State, *, active: bool, known: bool) -> Iterator[tuple[Event, State]]:
    """What follows by itself until *state* tells the truth about the value, and no more.

    An alarm that comes back from the shelf while its value is beyond the limit rings; one that is
    acknowledged while nobody knows its value is not normal by that.
    """
    while True:
        for event in _wanted(active=active, known=known):
            if (found := after(state, event)) is not None:
                state = found
                yield event, state
                break
        else:
            return


def _wanted(*, active: bool, known: bool) -> tuple[Event, ...]:
    """What the value says, by turns."""
    if not known:
        return (Event.LOSE,)
    return (Event.RAISE,) if active else (Event.CLEAR, Event.FIND)
