"""The life of an edge node as its host sees it: states, what moves them, and the table of moves.

For each edge node the host is in one of four states. ``UNBORN``: nothing
the node says can be understood, because its births (names, types, aliases) are not known; so it is
before the first NBIRTH and after the host itself was away, when a birth may have been missed.
``LIVE``: births are known and the sequence is complete. ``GAPPED``: births are known and a message
is waited for, since it may only have been overtaken; values are handed on meanwhile, for a store
by (tag, time) cares about no order (Sparkplug 3.0 chapter 5, "Message Ordering"). ``STALE``: the
node is dead; a DATA now means that its birth was missed, and its old aliases must not be trusted.

Births lead to ``LIVE`` from everywhere, deaths to ``STALE``. Where the table says so, the host asks
the node for its births.
"""

from collections import deque
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Final

from ingest.event import Data, Source
from ingest.order import Arrival, Order


class NodeState(Enum):
    """What the host knows of a node."""

    UNBORN = auto()
    LIVE = auto()
    GAPPED = auto()
    STALE = auto()


class Trigger(Enum):
    """What happens to a node."""

    BIRTH = auto()
    DEATH = auto()
    IN_ORDER = auto()
    AHEAD = auto()
    FILLED = auto()
    REPEATED = auto()
    OVERDUE = auto()


@dataclass(frozen=True, slots=True)
class Step:
    """The next state, and whether births are asked for."""

    to: NodeState
    ask: bool = False


_LIVE, _STALE = Step(NodeState.LIVE), Step(NodeState.STALE)
_GAPPED = Step(NodeState.GAPPED)
_ASK_UNBORN, _ASK_STALE = Step(NodeState.UNBORN, ask=True), Step(NodeState.STALE, ask=True)
_MESSAGES: Final = (Trigger.IN_ORDER, Trigger.AHEAD, Trigger.FILLED, Trigger.REPEATED)

TRANSITIONS: Final[dict[NodeState, dict[Trigger, Step]]] = {
    NodeState.UNBORN: {
        Trigger.BIRTH: _LIVE,
        Trigger.DEATH: _STALE,
        **dict.fromkeys(_MESSAGES, _ASK_UNBORN),
    },
    NodeState.LIVE: {
        Trigger.BIRTH: _LIVE,
        Trigger.DEATH: _STALE,
        Trigger.IN_ORDER: _LIVE,
        Trigger.REPEATED: _LIVE,
        Trigger.AHEAD: _GAPPED,
    },
    NodeState.GAPPED: {
        Trigger.BIRTH: _LIVE,
        Trigger.DEATH: _STALE,
        Trigger.AHEAD: _GAPPED,
        Trigger.REPEATED: _GAPPED,
        Trigger.FILLED: _LIVE,
        Trigger.OVERDUE: Step(NodeState.LIVE, ask=True),
    },
    NodeState.STALE: {
        Trigger.BIRTH: _LIVE,
        Trigger.DEATH: _STALE,
        **dict.fromkeys(_MESSAGES, _ASK_STALE),
    },
}

#: The states in which a node's values mean something.
UNDERSTOOD: Final = frozenset({NodeState.LIVE, NodeState.GAPPED})
ARRIVALS: Final = {arrival: Trigger[arrival.name] for arrival in Arrival}


@dataclass(slots=True)
class Node:
    """What is known of one edge node."""

    source: Source
    state: NodeState = NodeState.UNBORN
    bd_seq: int | None = None
    spooling: bool = False
    order: Order | None = None
    devices: set[str] = field(default_factory=set)
    held: deque[Data] = field(default_factory=deque)
