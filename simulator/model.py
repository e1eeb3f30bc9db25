"""What every simulated process offers to the PLC that stands before it.

A model is pure: it owns no clock, no socket and no generator. One `step` carries a frozen state
from one scan to the next, in this order:

1. what the last scan showed is taken as held over the time since, and added to the totals;
   events of the last scan are added too;
2. new values are drawn for the new scan.

So the totals of a state cover everything before its scan and nothing of it: the difference of the
totals of two scans is the half-open span ``[first, second)``, as in every bucket of Ertis.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Protocol, TypeVar

State = TypeVar("State")

Totals = dict[str, dict[str, float]]
"""Running totals: asset path -> quantity with its unit in the name -> total since the start."""

LOG_ENTRIES = 64
"""How many events a log keeps: 5 h of taps at one in 300 s."""


@dataclass(frozen=True, slots=True)
class Event:
    """An entry of an event log: ``amount`` at the ``place``-th logged tag, at ``ts_ms`` [ms]."""

    number: int
    place: int
    ts_ms: int
    amount: float


class Model(Protocol[State]):
    """A process as pure functions over its state."""

    @property
    def logged(self) -> Sequence[str]:
        """The paths of the event tags, in the order of `Event.place`."""

    def start(self, now_ms: int, rng: Random) -> State:
        """A plausible state at *now_ms* [ms] with all totals at zero."""

    def step(self, state: State, now_ms: int, dt_s: float, rng: Random) -> State:
        """The state at *now_ms*, after the values of *state* were held for *dt_s* [s]."""

    def values(self, state: State) -> Mapping[str, float]:
        """What the sensors show, by tag path, in the tag's unit and always in the same order."""

    def events(self, state: State) -> Sequence[Event]:
        """The newest entries of the event log, oldest first."""

    def totals(self, state: State) -> Totals:
        """The exact running totals up to the scan of *state*."""

    def upset(self, state: State, place: int, duration_s: float) -> State:
        """Upset the *place*-th unit (from 1) for *duration_s* [s], from the next scan on.

        Raises
        ------
        ValueError
            There is no such unit.
        """
