"""Commit Through: how far each spooling node's frames are in the database.

Per node two sets of positions are kept. ``committed``: they are in the database (or the node gave
them up). ``taken``: those, and what is on its way there; a frame that comes again meanwhile is a
duplicate and need not be written. The command is cumulative, so it is sent at an interval and not
for each frame; one that gets lost (it is QoS 0) is made good by the next, and a node that sends a
committed frame again is told again.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from ingest.event import Publish, Source, Spool
from ingest.positions import HIGHEST_POSITION, Ranges
from schemas.sparkplug import payload as codec
from schemas.sparkplug.datatype import DataType
from schemas.sparkplug.node import COMMIT_THROUGH
from schemas.sparkplug.sparkplug_b_pb2 import Payload
from schemas.sparkplug.topic import MessageType, Topic


@dataclass(slots=True)
class _Node:
    spool_id: str
    commit_alias: int | None = None
    committed: Ranges = field(default_factory=Ranges)
    taken: Ranges = field(default_factory=Ranges)
    next_ms: int = 0


class Acknowledgements:
    """The positions of all spooling nodes. One thread owns it."""

    def __init__(self, interval_ms: int) -> None:
        self._interval_ms = interval_ms
        self._nodes: dict[Source, _Node] = {}
        self._owed: set[Source] = set()

    def restore(self, node: Source, spool_id: str, committed: Ranges) -> None:
        """Take over what the database says."""
        self._nodes[node] = _Node(spool_id, committed=Ranges(committed), taken=Ranges(committed))

    def born(self, node: Source, spool: Spool) -> list[tuple[int, int]]:
        """A spooling node was born; returns the half-open ranges that it dropped uncommitted.

        A new spool starts the count anew. What is told on this birth is told at once, because the
        node may have missed it while it was away.
        """
        known = self._nodes.get(node)
        if known is None or known.spool_id != spool.id:
            known = self._nodes[node] = _Node(spool.id)
        known.commit_alias = spool.commit_alias
        self._owed.add(node)
        return self.dropped(node, spool.first)

    def dropped(self, node: Source, first: int) -> list[tuple[int, int]]:
        """The node's spool starts at *first* now: what it lost below counts as committed.

        Returns the half-open ranges that had not been taken.
        """
        known = self._nodes.get(node)
        if known is None or not 1 < first < HIGHEST_POSITION:
            return []
        holes = known.taken.missing(1, first)
        for start, end in holes:
            known.committed.add(start, end)
            known.taken.add(start, end)
        return holes

    def missing(self, node: Source, start: int, end: int) -> list[tuple[int, int]]:
        """The half-open ranges of [start, end) that are neither committed nor on their way."""
        known = self._nodes.get(node)
        return [] if known is None else known.taken.missing(start, end)

    def spool_of(self, node: Source) -> str | None:
        """The id of the node's spool; None if it has none."""
        known = self._nodes.get(node)
        return None if known is None else known.spool_id

    def take(self, node: Source, position: int) -> bool:
        """Whether the frame at *position* is new; if not, the node is told again."""
        known = self._nodes[node]
        if position in known.taken:
            self._owed.add(node)
            return False
        known.taken.add(position)
        return True

    def committed(self, node: Source, spool_id: str, positions: Ranges) -> None:
        """The frames at *positions* are in the database."""
        known = self._nodes.get(node)
        if known is None or known.spool_id != spool_id:
            return
        for start, end in positions:
            known.committed.add(start, end)
        self._owed.add(node)

    def due(self, now_ms: int) -> Iterator[Publish]:
        """The commands to send now, each node at most once an interval."""
        for source in list(self._owed):
            node = self._nodes[source]
            if now_ms < node.next_ms:
                continue
            self._owed.remove(source)
            node.next_ms = now_ms + self._interval_ms
            if through := node.committed.through():
                yield _commit_through(source, node, through, now_ms)


def _commit_through(source: Source, node: _Node, through: int, now_ms: int) -> Publish:
    """NCMD by alias where the birth gave one (tck-id-payloads-alias-data-cmd-requirement)."""
    value = codec.metric(
        through,
        DataType.UINT64,
        now_ms,
        name=COMMIT_THROUGH if node.commit_alias is None else None,
        alias=node.commit_alias,
    )
    topic = Topic(source.group, MessageType.NCMD, source.node)
    message = Payload(timestamp=now_ms, metrics=[value])
    return Publish(str(topic), message.SerializeToString())
