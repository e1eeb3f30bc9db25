"""What every simulated process offers to the PLCs that stand before it.

A process is pure: it owns no clock, no socket and no generator. One `step` carries a frozen state
from one scan to the next, in this order:

1. what the last scan showed is taken as held over the time since, and added to the totals;
   events and doses of the last scan are added too;
2. new values are drawn for the new scan.

So the totals of a state cover everything before its scan and nothing of it: the difference of the
totals of two scans is the half-open span ``[first, second)``, as in every bucket of Ertis.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias, TypeVar

import numpy as np

from simulator.command import Fault
from simulator.noise import FloatArray, IntArray

State = TypeVar("State")

Totals: TypeAlias = dict[str, dict[str, float]]
"""Running totals: asset path -> quantity with its unit in the name -> total since the start."""

Sums: TypeAlias = Mapping[str, FloatArray]
"""Running totals of units of one type: quantity with its unit in the name -> total of each unit."""


@dataclass(frozen=True, slots=True)
class Moment:
    """A scan: its time [ms] and the time since the last one [s].

    ``load_kw`` and ``generation_kw`` are of the processes that were stepped before in this scan.
    """

    now_ms: int
    dt_s: float
    load_kw: float = 0.0
    generation_kw: float = 0.0


@dataclass(frozen=True, slots=True)
class Power:
    """What a process draws and what it generates at a scan [kW]."""

    load_kw: float = 0.0
    generation_kw: float = 0.0


@dataclass(frozen=True, slots=True)
class Event:
    """An ``amount`` of the event tag at ``path``, at the scan that shows it."""

    path: str
    amount: float


@dataclass(frozen=True, slots=True)
class Disturbance:
    """A fault of the process itself: at ``assets``, at a ``level`` [%], until ``until_ms`` [ms]."""

    fault: Fault
    assets: Sequence[str]
    level: float
    until_ms: int


class Process(Protocol[State]):
    """A process as pure functions over its state."""

    @property
    def paths(self) -> Sequence[str]:
        """The paths of all tags but events, in the order of `values`."""

    def start(self, now_ms: int, rng: np.random.Generator) -> State:
        """A plausible state at *now_ms* [ms] with all totals at zero."""

    def step(self, state: State, moment: Moment, rng: np.random.Generator) -> State:
        """The state at *moment*, after the values of *state* were held since its scan."""

    def values(self, state: State) -> FloatArray:
        """What the sensors show, in the tags' units, as a client decodes it."""

    def events(self, state: State) -> Sequence[Event]:
        """What happened at this scan."""

    def power(self, state: State) -> Power:
        """What the process draws and generates from this scan on."""

    def totals(self, state: State) -> Totals:
        """The exact running totals up to the scan of *state*."""

    def disturb(self, state: State, disturbance: Disturbance) -> State:
        """The state with *disturbance*, which shows from the next scan on.

        Raises
        ------
        ValueError
            There is no such unit, or it cannot be disturbed so.
        """


def refuse(disturbance: Disturbance) -> ValueError:
    """The error for a disturbance that a process does not know."""
    return ValueError(f"{disturbance.fault.name.lower()} means nothing to {disturbance.assets}")


def units(disturbance: Disturbance, known: Sequence[str]) -> list[int]:
    """The places among *known* units that *disturbance* is about.

    Raises
    ------
    ValueError
        It is about none of them.
    """
    found = [known.index(asset) for asset in disturbance.assets if asset in known]
    if not found:
        raise refuse(disturbance)
    return found


def until(times: IntArray, places: Sequence[int], until_ms: int) -> IntArray:
    """*times* [ms] with *until_ms* at *places*."""
    changed = times.copy()
    changed[list(places)] = until_ms
    return changed


def added(sums: Sums, amounts: Mapping[str, FloatArray]) -> dict[str, FloatArray]:
    """*sums* with *amounts* of the same quantities added; an empty one starts at them."""
    return {name: sums.get(name, 0.0) + amount for name, amount in amounts.items()}


def summed(totals: Totals, amounts: Iterable[tuple[str, Mapping[str, float]]]) -> Totals:
    """*totals* with *amounts* by asset added; an asset without totals starts at them."""
    grown = dict(totals)
    for path, given in amounts:
        before = totals.get(path, {})
        grown[path] = {name: before.get(name, 0.0) + value for name, value in given.items()}
    return grown


def per_unit(paths: Sequence[str], sums: Sums) -> Iterator[tuple[str, dict[str, float]]]:
    """The totals of each unit at *paths*."""
    columns = {name: values.tolist() for name, values in sums.items()}
    for place, path in enumerate(paths):
        yield path, {name: values[place] for name, values in columns.items()}


def tag_paths(assets: Sequence[str], measures: Sequence[str]) -> tuple[str, ...]:
    """The tags of *assets*, all of one measure and then all of the next."""
    return tuple(f"{asset}/{measure}" for measure in measures for asset in assets)
