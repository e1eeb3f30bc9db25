"""The states of an edge node's session, and every move between them.

There are four states. OFFLINE: no MQTT connection. WAITING: connected and subscribed, but the
primary host has not said that it is online, so nothing may be published. BORN: the births are out
and data flows. LEAVING: NDEATH and DISCONNECT are out, the end of the connection is awaited.
`TRANSITIONS` holds every move between them and is the only place where the state changes.

Events that come from outside may come at any time: a rebirth request while WAITING is not an error
but has no effect, and the table says so with an empty list of steps. An event that has no entry is
a fault of the caller.
"""

from collections.abc import Mapping, Sequence
from enum import Enum, auto
from typing import Final


class State(Enum):
    """Where the session stands."""

    OFFLINE = auto()
    WAITING = auto()
    BORN = auto()
    LEAVING = auto()


class Event(Enum):
    """What moves it."""

    CONNECTED = auto()
    DISCONNECTED = auto()
    HOST_ONLINE = auto()
    HOST_OFFLINE = auto()
    REBIRTH = auto()
    LEAVE = auto()


class Step(Enum):
    """What is done on the way."""

    SUBSCRIBE = auto()
    BIRTH = auto()
    REWIND = auto()
    DEATH = auto()
    PART = auto()


Moves = Mapping[Event, tuple[State, Sequence[Step]]]

TRANSITIONS: Final[Mapping[State, Moves]] = {
    State.OFFLINE: {
        Event.CONNECTED: (State.WAITING, [Step.SUBSCRIBE]),
        Event.LEAVE: (State.OFFLINE, []),
    },
    State.WAITING: {
        Event.HOST_ONLINE: (State.BORN, [Step.BIRTH, Step.REWIND]),
        Event.HOST_OFFLINE: (State.WAITING, []),
        Event.REBIRTH: (State.WAITING, []),
        # Nothing was born: the first message of a node is a birth, so only the broker says the
        # will (tck-id-principles-birth-certificates-order).
        Event.LEAVE: (State.LEAVING, [Step.PART]),
        Event.DISCONNECTED: (State.OFFLINE, []),
    },
    State.BORN: {
        Event.HOST_ONLINE: (State.BORN, [Step.REWIND]),  # it restarted and may have forgotten
        Event.HOST_OFFLINE: (State.LEAVING, [Step.DEATH, Step.PART]),
        Event.REBIRTH: (State.BORN, [Step.BIRTH, Step.REWIND]),
        Event.LEAVE: (State.LEAVING, [Step.DEATH, Step.PART]),
        Event.DISCONNECTED: (State.OFFLINE, []),
    },
    State.LEAVING: {
        Event.HOST_ONLINE: (State.LEAVING, []),
        Event.HOST_OFFLINE: (State.LEAVING, []),
        Event.REBIRTH: (State.LEAVING, []),
        Event.LEAVE: (State.LEAVING, []),
        Event.DISCONNECTED: (State.OFFLINE, []),
    },
}
