"""The ledger of gaps: every span whose readings are missing, with its cause and times.

*Nodes with a spool* number their frames, so a missing one is known by its position: lower than one
that came, or announced by the birth (``Spool/Position``). A hole is entered when it is a few
seconds old, for frames overtake each other; at once after an absence. The transaction that commits
the last missing position closes the row (`ingest.transaction`). What the node says it dropped, or
what went with its spool, never closes: those readings are gone.

*Foreign nodes* have no positions. A hole in their sequence and the time from a death, or from our
own absence, to the next birth are entered when they end and stay open by design: Sparkplug does not
say what an ``is_historical`` message makes complete, so nobody could know that nothing is missing.

*The JSON lane* has no sequence: nothing is claimed.

Times are the source's, of the last reading before and the first one after, as far as known.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ingest.acks import Acknowledgements
from ingest.buffer import Gap, Vital
from ingest.event import Source, Spool
from ingest.positions import Ranges

_VITAL_EVERY_MS: Final = 5_000


class Cause(StrEnum):
    """Why readings are missing."""

    DELIVERY = "delivery"
    """Frames of a live node did not come; they are sent again."""
    DEFERRED = "deferred"
    """We had no room for them; they are sent again."""
    NODE_OFFLINE = "node_offline"
    HOST_AWAY = "host_away"
    """We were not connected to the broker, or not running."""
    BACKLOG = "backlog"
    """A node was born for the first time, with frames in its spool."""
    DROPPED = "dropped"
    """The node's spool was full or the frames were too old: gone."""
    LOST = "lost"
    """The node came back with another spool: gone."""
    SEQUENCE = "sequence"
    """Messages of a foreign node did not come: gone."""
    REFUSED = "refused"
    """We had no room for readings of a foreign node: gone."""


@dataclass(frozen=True, slots=True)
class KnownNode:
    """An edge node of an earlier run; ``spool_id`` is None for one that keeps no spool."""

    source: Source
    spool_id: str | None
    committed: Ranges
    online: bool
    newest_ms: int | None
    open_gaps: tuple[Gap, ...]


@dataclass(frozen=True, slots=True)
class _Hole:
    first: int
    end: int
    from_ms: int | None
    to_ms: int | None
    ripe_ms: int
    cause: Cause


@dataclass(slots=True)
class _Node:
    spool_id: str | None = None
    highest: int = 0
    newest_ms: int | None = None
    away: tuple[Cause, int] | None = None
    deferred: bool = False
    holes: list[_Hole] = field(default_factory=list)
    open_gaps: list[Gap] = field(default_factory=list)
    heard: bool = False


class GapWatch:
    """What is missing of each node. One thread owns it; *acks* knows which positions came."""

    def __init__(self, acks: Acknowledgements, grace_ms: int) -> None:
        self._acks = acks
        self._grace_ms = grace_ms
        self._nodes: dict[Source, _Node] = {}
        self._next_vitals_ms = 0

    def restore(self, known: KnownNode, now_ms: int) -> None:
        """Take over what the database says; the node counts as away until its next birth."""
        cause = Cause.HOST_AWAY if known.online else Cause.NODE_OFFLINE
        node = self._nodes[known.source] = _Node(
            spool_id=known.spool_id,
            newest_ms=known.newest_ms,
            away=(cause, known.newest_ms or now_ms),
            open_gaps=list(known.open_gaps),
        )
        entered = [
            (gap.first_position, gap.last_position + 1)
            for gap in known.open_gaps
            if gap.first_position is not None and gap.last_position is not None
        ]
        settled = Ranges([*known.committed, *entered])
        node.highest = max((end - 1 for _, end in settled), default=0)
        node.holes = [
            _Hole(start, end, None, None, now_ms + self._grace_ms, cause)
            for start, end in settled.missing(1, node.highest + 1)
        ]

    def away(self, source: Source, cause: Cause, at_ms: int) -> None:
        """Nothing comes from the node of *source* from now on, unless it was away before."""
        node = self._nodes.setdefault(source.edge_node, _Node())
        node.away = node.away or (cause, at_ms)

    def born(
        self,
        source: Source,
        spool: Spool | None,
        dropped: list[tuple[int, int]],
        sent_ms: int,
        now_ms: int,
    ) -> list[Gap]:
        """The gaps that a birth of the node tells of; *dropped* are half-open ranges."""
        node = self._nodes.setdefault(source, _Node())
        away, node.away = node.away, None
        node.heard = True
        if spool is None:
            if away is None:
                return []
            cause, at_ms = away
            return [Gap(str(source), cause, node.newest_ms or at_ms, now_ms, now_ms)]
        first_time = node.spool_id != spool.id
        if first_time:
            node.spool_id, node.highest = spool.id, 0
            node.holes.clear()
            node.open_gaps.clear()
        gaps = [self._dropped(source, node, start, end, now_ms) for start, end in dropped]
        if spool.last > node.highest:
            cause = away[0] if away else Cause.BACKLOG if first_time else Cause.DELIVERY
            known = away is None and not first_time
            ripe_ms = now_ms + self._grace_ms if known else now_ms
            hole = _Hole(node.highest + 1, spool.last + 1, node.newest_ms, sent_ms, ripe_ms, cause)
            node.holes.append(hole)
            node.highest = spool.last
        return gaps + self._ripe(source, node, now_ms)

    def came(
        self, source: Source, position: int | None, ts_ms: NDArray[np.int64], now_ms: int
    ) -> None:
        """A frame was taken in, its readings of *ts_ms* in order, *position* if it has one."""
        node = self._nodes.setdefault(source.edge_node, _Node())
        node.heard = True
        if position is not None and position > node.highest:
            if position > node.highest + 1:
                cause = Cause.DEFERRED if node.deferred else Cause.DELIVERY
                to_ms = int(ts_ms[0]) if len(ts_ms) else None
                ripe_ms = now_ms + self._grace_ms
                hole = _Hole(node.highest + 1, position, node.newest_ms, to_ms, ripe_ms, cause)
                node.holes.append(hole)
            node.highest, node.deferred = position, False
        if len(ts_ms):
            node.newest_ms = max(node.newest_ms or 0, int(ts_ms[-1]))

    def deferred(self, source: Source) -> None:
        """A frame of the node was turned away."""
        self._nodes.setdefault(source.edge_node, _Node()).deferred = True

    def due(self, now_ms: int) -> list[Gap]:
        """The holes that have grown old enough to be entered."""
        return [
            gap
            for source, node in self._nodes.items()
            if node.holes
            for gap in self._ripe(source, node, now_ms)
        ]

    def vitals(self, now_ms: int, *, last: bool = False) -> list[Vital]:
        """What the database should know of the nodes that were heard, every few seconds."""
        if now_ms < self._next_vitals_ms and not last:
            return []
        self._next_vitals_ms = now_ms + _VITAL_EVERY_MS
        found = []
        for source, node in self._nodes.items():
            if node.heard:
                node.heard = False
                found.append(Vital(source, node.newest_ms, node.highest if node.spool_id else None))
        return found

    def _ripe(self, source: Source, node: _Node, now_ms: int) -> list[Gap]:
        """Enter what is still missing of each old hole, as one row."""
        gaps = []
        for hole in [each for each in node.holes if each.ripe_ms <= now_ms]:
            node.holes.remove(hole)
            if missing := self._acks.missing(source, hole.first, hole.end):
                first, last = missing[0][0], missing[-1][1] - 1
                times = (hole.from_ms, hole.to_ms, now_ms)
                gaps.append(Gap(str(source), hole.cause, *times, first, last, node.spool_id))
        node.open_gaps += gaps
        return gaps

    def _dropped(self, source: Source, node: _Node, start: int, end: int, now_ms: int) -> Gap:
        """A dropped range, with the times of the gap that it was part of, if it was in one."""
        from_ms, to_ms = node.newest_ms, now_ms
        for gap in node.open_gaps:
            if (gap.first_position or 0) < end and start <= (gap.last_position or 0):
                from_ms, to_ms = gap.from_ms, gap.to_ms or now_ms
        return Gap(
            str(source), Cause.DROPPED, from_ms, to_ms, now_ms, start, end - 1, node.spool_id
        )
