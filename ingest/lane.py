"""The plain JSON lane: messages of ``telemetry/<asset path>`` to columns.

`schemas.telemetry` reads the messages, one at a time; `ingest.ordinary` is the quick way of most.
"""

import json
from collections.abc import Mapping, Sequence

import numpy as np

from ingest.frame import Columns, Frame
from ingest.letter import Fault, Letter
from schemas import telemetry
from schemas.errors import SenderError
from schemas.quality import Quality, main_quality
from schemas.reading import Reading

#: The catalogue as the lane needs it: the id of a tag by its path, if there is one.
TagId = Mapping[str, int]

_LATEST_MS = 2**62


def decode(topic: str, payload: bytes, received_ms: int, tag_ids: TagId) -> Frame:
    """Read one message; never raises: what cannot be used is in the frame's letters."""
    try:
        readings = list(telemetry.decode(topic, payload))
    except SenderError as error:
        return Frame(1, letters=[Letter(received_ms, topic, payload, error.reason, str(error), 1)])
    columns = _columns(readings, tag_ids)
    mapped = columns.tag_id > 0
    if mapped.all():
        return Frame(len(readings), columns)
    strange = [reading for reading in readings if reading.tag not in tag_ids]
    detail = f"{strange[0].tag!r} is no tag here; add it to the plant model"
    letter = Letter(received_ms, topic, encode(strange), "unmapped", detail, len(strange))
    return Frame(len(readings), columns.pick(mapped), letters=[letter])


def letter(topic: str, payload: bytes, received_ms: int, fault: Fault) -> Letter:
    """The dead letter of some readings of a message that `decode` read."""
    readings = list(telemetry.decode(topic, payload))
    part = encode([readings[place] for place in fault.places])
    return Letter(received_ms, topic, part, fault.reason, fault.detail, len(fault.places))


def encode(readings: Sequence[Reading]) -> bytes:
    """A message of *readings* of one asset."""
    return json.dumps(
        {
            "readings": [
                {
                    "ts": reading.ts_ms,
                    "values": {
                        reading.tag.rpartition("/")[2]: {
                            "value": reading.value,
                            "quality": reading.quality,
                        }
                    },
                }
                for reading in readings
            ]
        }
    ).encode()


def _columns(readings: Sequence[Reading], tag_ids: TagId) -> Columns:
    null = np.array([reading.value is None for reading in readings], np.bool_)
    quality = np.array([main_quality(reading.quality) for reading in readings], np.int16)
    quality[null & (quality == Quality.GOOD)] = Quality.BAD
    return Columns(
        np.array([tag_ids.get(reading.tag, -1) for reading in readings], np.int32),
        np.array([min(reading.ts_ms, _LATEST_MS) for reading in readings], np.int64),
        np.array([reading.value for reading in readings], np.float64),
        null,
        quality,
        np.arange(len(readings), dtype=np.int32),
    )
