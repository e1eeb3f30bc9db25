"""What a birth declares, as arrays in which a payload's metrics are looked up all at once."""

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ingest.event import Source
from schemas.sparkplug.datatype import INTEGERS, NUMERIC, VALUE_FIELDS, DataType, text
from schemas.sparkplug.node import (
    BD_SEQ,
    COMMIT_THROUGH,
    REBIRTH,
    SPOOL_FIRST,
    SPOOL_ID,
    SPOOL_POSITION,
)
from schemas.sparkplug.sparkplug_b_pb2 import Metric, Payload

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
        self.label = str(source)
        self.undeclared = count
        self.names: list[str] = [text(metric.name) for metric in birth.metrics]
        self.datatypes: list[DataType] = [_datatype(m.datatype) for m in birth.metrics]
        self.by_name = {name: slot for slot, name in enumerate(self.names) if name}
        self.field = np.full(count + 1, "double_value", object)
        self.text: NDArray[np.bool_] = np.zeros(count + 1, np.bool_)
        self.whole: NDArray[np.bool_] = np.zeros(count + 1, np.bool_)
        for slot, datatype in enumerate(self.datatypes):
            self.text[slot] = datatype in _TEXTS
            self.whole[slot] = datatype in INTEGERS
            if datatype in NUMERIC:
                self.field[slot] = VALUE_FIELDS[datatype][0]
        self.by_alias = {
            metric.alias: slot
            for slot, metric in enumerate(birth.metrics)
            if metric.HasField("alias")
        }
        self.numeric = not bool(self.text.any())
        self.rename(resolve)

    def rename(self, resolve: Resolve) -> None:
        """Look the tags up (again)."""
        tags = [
            _tag(self.source, name, datatype, resolve)
            for name, datatype in zip(self.names, self.datatypes, strict=True)
        ]
        self.tag_id: NDArray[np.int32] = np.array([*tags, UNDECLARED], np.int32)
        self.plain = bool(np.all(self.field[self.tag_id > 0] == "double_value"))
        self._tags_by_field = {
            field: self._tags_by_alias(field) for field in ("double_value", "float_value")
        }

    def slots(self, metrics: Sequence[Metric]) -> list[int]:
        """The slot of each metric: by alias, or by name where it has none."""
        by_alias, undeclared = self.by_alias, self.undeclared
        slots = [by_alias.get(metric.alias, undeclared) for metric in metrics]
        if undeclared in slots or 0 in by_alias:
            for place, metric in enumerate(metrics):
                if not metric.HasField("alias"):  # it reads as 0
                    slots[place] = self.by_name.get(metric.name, undeclared)
        return slots

    def tags(self, field: str, aliases: NDArray[np.uint32]) -> NDArray[np.int32]:
        """The tags of *aliases* that carry their values in *field*; 0 for all others."""
        return self._tags_by_field[field].take(aliases, mode="clip")

    def _tags_by_alias(self, field: str) -> NDArray[np.int32]:
        """The tag of each alias below a bound, lest a stray one cost memory; 0 at the end."""
        bound = 4 * len(self.names) + 64
        tags = np.zeros(bound + 1, np.int32)
        for alias, slot in self.by_alias.items():
            if alias < bound and self.field[slot] == field and not self.text[slot]:
                tags[alias] = max(int(self.tag_id[slot]), 0)
        return tags

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
