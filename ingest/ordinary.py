"""Ordinary messages of the JSON lane, many at once.

Ordinary is what a device sends day after day: one sample, a time in milliseconds or as
``2026-11-21T10:00:00.000Z``, plain numbers, each of a known tag, in the same order as before. The
columns are those that `ingest.lane.decode` makes; any other message is left to that.
"""

import re
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from typing import Any, Final

import numpy as np
import orjson
from numpy.typing import NDArray

from ingest.frame import Columns
from ingest.inbox import Message
from ingest.lane import TagId
from schemas.instant import to_ms
from schemas.quality import Quality
from schemas.telemetry import TOPIC_PREFIX

_KEYS: Final = {"ts", "values"}
_INSTANT: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?Z", re.ASCII)
_LATEST_MS: Final = 2**62
#: Up to there every integer is a double.
_LARGEST: Final = 2**53
_MOST_MESSAGES: Final = 256


@dataclass(frozen=True, slots=True)
class _Sample:
    tag_ids: NDArray[np.int32]
    ts_ms: int
    values: Sequence[float]


@dataclass(frozen=True, slots=True)
class _Measures:
    """The measures that an asset sent last, and their tags."""

    names: list[str]
    tag_ids: NDArray[np.int32]


class Ordinary:
    """Reads ordinary messages; knows the tags by their paths from *ids*."""

    def __init__(self, ids: TagId) -> None:
        self._ids = ids
        self._measures: dict[str, _Measures] = {}

    def take(self, waiting: deque[Message]) -> tuple[deque[Message], Columns | None]:
        """Take the ordinary messages that *waiting* begins with, with all their readings."""
        samples: list[_Sample] = []
        for message in waiting:
            sample = self._sample(message.topic, message.payload)
            if sample is None or len(samples) == _MOST_MESSAGES:
                break
            samples.append(sample)
        taken = deque(waiting.popleft() for _ in samples)
        return taken, _columns(samples) if samples else None

    def _sample(self, topic: str, payload: bytes) -> _Sample | None:
        if b'"readings"' in payload:
            return None
        try:
            given = orjson.loads(payload)
        except orjson.JSONDecodeError:
            return None
        if type(given) is not dict or given.keys() != _KEYS:
            return None
        ts_ms, values = _time(given["ts"]), given["values"]
        if ts_ms is None or type(values) is not dict or not _plain(values.values()):
            return None
        measures = self._measures.get(topic)
        names = list(values)
        if measures is None or measures.names != names:
            measures = self._learn(topic, names)
        if measures is None:
            return None
        return _Sample(measures.tag_ids, ts_ms, list(values.values()))

    def _learn(self, topic: str, names: list[str]) -> _Measures | None:
        asset = topic.removeprefix(TOPIC_PREFIX)
        tag_ids = [self._ids.get(f"{asset}/{name}", -1) for name in names]
        if not asset or not names or -1 in tag_ids:
            return None
        measures = self._measures[topic] = _Measures(names, np.array(tag_ids, np.int32))
        return measures


def _time(given: Any) -> int | None:  # noqa: ANN401 - whatever JSON has there
    if type(given) is int:
        return given if 0 <= given <= _LATEST_MS else None
    if type(given) is not str or not _INSTANT.fullmatch(given):
        return None
    try:
        return to_ms(datetime.fromisoformat(given))
    except ValueError:
        return None


def _plain(values: Any) -> bool:  # noqa: ANN401 - the view of a dict
    types = set(map(type, values))
    if types == {float}:
        return True
    return types <= {float, int} and all(-_LARGEST <= value <= _LARGEST for value in values)


def _columns(samples: Sequence[_Sample]) -> Columns:
    tag_id = np.concatenate([sample.tag_ids for sample in samples])
    count = len(tag_id)
    lengths = [len(sample.values) for sample in samples]
    return Columns(
        tag_id,
        np.repeat(np.array([sample.ts_ms for sample in samples], np.int64), lengths),
        np.fromiter(chain.from_iterable(sample.values for sample in samples), np.float64, count),
        np.zeros(count, np.bool_),
        np.full(count, Quality.GOOD, np.int16),
        np.arange(count, dtype=np.int32),
    )
