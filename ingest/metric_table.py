"""What a birth declares, as arrays in which a payload's aliases are looked up all at once."""

from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ingest.event import Source
from schemas.sparkplug.datatype import INTEGERS, NUMERIC, VALUE_FIELDS, DataType
from schemas.sparkplug.node import (
    BD_SEQ,
    COMMIT_THROUGH,
    REBIRTH,
    SPOOL_FIRST,
    SPOOL_ID,
    SPOOL_POSITION,
)
from schemas.sparkplug.sparkplug_b_pb2 import Payload

#: The catalogue as ingest needs it: the tag that a metric of a source measures, if any.
Resolve = Callable[[Source, str], int | None]

#: What a slot holds in place of a tag id (those are positive).
UNMAPPED: Final = -1
OWN: Final = -2
UNSUPPORTED: Final = -3
UNDECLARED: Final = -4

OWN_METRICS: Final = frozenset(
    {BD_SEQ, REBIRTH, COMMIT_THROUGH, SPOOL_ID, SPOOL_FIRST, SPOOL_POSITION}
)
_TEXTS: Final = frozenset({DataType.STRING, DataType.TEXT, DataType.UUID})
_CONTROL: Final = ("Node Control/", "Device Control/", "Node Info/")


class MetricTable:
    """The metrics of one source, one slot each; the last slot stands for what none declares.

    ``tag_id`` int32 has the tag of each slot or one of the codes above; ``field`` the payload field
    of its value; ``text`` and ``whole`` say which slots carry strings and integers.
    """

    def __init__(self, source: Source, birth: Payload, resolve: Resolve) -> None:
        count = len(birth.metrics)
        self.source = source
        self.names: list[str] = [metric.name for metric in birth.metrics]
        self.datatypes: list[DataType] = [_datatype(m.datatype) for m in birth.metrics]
        self.by_name = {name: slot for slot, name in enumerate(self.names) if name}
        self.tag_id: NDArray[np.int32] = np.full(count + 1, UNDECLARED, np.int32)
        self.field = np.full(count + 1, "double_value", object)
        self.text: NDArray[np.bool_] = np.zeros(count + 1, np.bool_)
        self.whole: NDArray[np.bool_] = np.zeros(count + 1, np.bool_)
        for slot, (name, datatype) in enumerate(zip(self.names, self.datatypes, strict=True)):
            self.tag_id[slot] = _tag(source, name, datatype, resolve)
            self.text[slot] = datatype in _TEXTS
            self.whole[slot] = datatype in INTEGERS
            if datatype in NUMERIC:
                self.field[slot] = VALUE_FIELDS[datatype][0]
        declared = sorted(
            (metric.alias, slot)
            for slot, metric in enumerate(birth.metrics)
            if metric.HasField("alias")
        )
        self._aliases = np.array([alias for alias, _ in declared], np.uint64)
        self._slots = np.array([slot for _, slot in declared], np.int32)
        tags = self.tag_id[:-1]
        self.plain = bool(np.all(self.field[:-1][tags > 0] == "double_value"))
        self.numeric = not bool(self.text.any())
        self.unmapped = int(np.count_nonzero(tags == UNMAPPED))

    def slots(self, aliases: NDArray[np.uint64]) -> NDArray[np.int32]:
        """The slot of each alias; the last slot for those that none declares."""
        undeclared = len(self.names)
        if not len(self._aliases):
            return np.full(len(aliases), undeclared, np.int32)
        nearest = np.searchsorted(self._aliases, aliases)
        nearest[nearest == len(self._aliases)] = 0
        found: NDArray[np.int32] = np.where(
            self._aliases[nearest] == aliases, self._slots[nearest], np.int32(undeclared)
        )
        return found

    @property
    def tag_ids(self) -> NDArray[np.int32]:
        """The tags that the source measures, ascending."""
        return np.unique(self.tag_id[self.tag_id > 0])


def _datatype(number: int) -> DataType:
    try:
        return DataType(number)
    except ValueError:
        return DataType.UNKNOWN


def _tag(source: Source, name: str, datatype: DataType, resolve: Resolve) -> int:
    if name in OWN_METRICS or name.startswith(_CONTROL):
        return OWN
    tag = resolve(source, name)
    if tag is None:
        return UNMAPPED
    return tag if datatype in NUMERIC or datatype in _TEXTS else UNSUPPORTED
