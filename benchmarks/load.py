"""The load of the ingest benchmark: readings of a plant as frames or messages, made beforehand.

Reading k of every tag is dated k seconds after the first; values are random, seeded.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from schemas.plant.file import parse_plant
from schemas.plant.model import Plant
from schemas.sparkplug.datatype import DataType
from schemas.sparkplug.node import (
    BD_SEQ,
    COMMIT_THROUGH,
    REBIRTH,
    SPOOL_FIRST,
    SPOOL_ID,
    SPOOL_POSITION,
)
from schemas.sparkplug.payload import metric
from schemas.sparkplug.sparkplug_b_pb2 import Metric, Payload

MEASURES: Final = 25
GROUP: Final = "bench"
POSITION_ALIAS: Final = 65_535


def plant(tags: int) -> Plant:
    """A plant with that many tags (a multiple of `MEASURES`), 25 on each unit."""
    return parse_plant(plant_text(tags))


def plant_text(tags: int) -> str:
    """Its file."""
    measures = "".join(
        f'[template.unit.m{number:02d}]\ntitle = "Point"\nunit = "1"\nkind = "gauge"\n'
        "stale_after_s = 60\n"
        for number in range(MEASURES)
    )
    return (
        f'[site]\nname = "{GROUP}"\ntitle = "Benchmark"\ntime_zone = "UTC"\n'
        '[[asset]]\npath = "line"\nlevel = "line"\ntype = "line"\n'
        f'[[asset]]\npath = "line/unit-{{00001..{tags // MEASURES:05d}}}"\nlevel = "unit"\n'
        f'type = "unit"\ntemplate = "unit"\n{measures}'
    )


@dataclass(frozen=True, slots=True)
class Frame:
    """A spool's frame: DDATA without its seq, which is counted when it goes out."""

    device: str
    payload: bytes
    readings: int


@dataclass(frozen=True, slots=True)
class Edge:
    """One spooling edge node: its devices with the paths of their tags, and its frames."""

    node: str
    devices: dict[str, Sequence[str]]
    frames: Sequence[Frame]


def edges(
    paths: Sequence[str],
    *,
    nodes: int,
    rounds: int,
    frame: int,
    first_ms: int,
    seed: int,
    name: str = "edge",
    historical: bool = False,
) -> list[Edge]:
    """The tags spread over *nodes*, each with a device; *rounds* readings of each tag."""
    made = []
    for number, part in enumerate(np.array_split(np.array(paths), nodes)):
        names = part.tolist()
        values = np.random.default_rng(seed + number).normal(100.0, 5.0, (rounds, len(names)))
        frames = list(_frames(values, frame, first_ms, historical=historical))
        made.append(Edge(f"{name}-{number}", {"plc": names}, frames))
    return made


def _frames(
    values: np.ndarray[tuple[int, int], np.dtype[np.float64]],
    size: int,
    first_ms: int,
    *,
    historical: bool,
) -> Iterator[Frame]:
    position = 0
    for number, row in enumerate(values.tolist()):
        ts_ms = first_ms + number * 1000
        for start in range(0, len(row), size):
            position += 1
            part = row[start : start + size]
            metrics = [
                Metric(
                    alias=start + place + 1,
                    timestamp=ts_ms,
                    is_historical=historical or None,
                    double_value=value,
                )
                for place, value in enumerate(part)
            ]
            metrics.append(metric(position, DataType.UINT64, ts_ms, alias=POSITION_ALIAS))
            payload = Payload(timestamp=ts_ms, metrics=metrics).SerializeToString()
            yield Frame("plc", payload, len(part))


def node_birth(now_ms: int, bd_seq: int, spool_id: str) -> Payload:
    """An NBIRTH of a spooling node."""
    return Payload(
        timestamp=now_ms,
        metrics=[
            metric(bd_seq, DataType.INT64, now_ms, name=BD_SEQ),
            metric(value=False, datatype=DataType.BOOLEAN, ts_ms=now_ms, name=REBIRTH),
            metric(0, DataType.UINT64, now_ms, name=COMMIT_THROUGH),
            metric(spool_id, DataType.STRING, now_ms, name=SPOOL_ID),
            metric(1, DataType.UINT64, now_ms, name=SPOOL_FIRST),
        ],
    )


def device_birth(now_ms: int, paths: Sequence[str]) -> Payload:
    """A DBIRTH: aliases count from 1 in the order of *paths*."""
    metrics = [
        metric(None, DataType.DOUBLE, now_ms, name=path, alias=place + 1)
        for place, path in enumerate(paths)
    ]
    metrics.append(metric(0, DataType.UINT64, now_ms, name=SPOOL_POSITION, alias=POSITION_ALIAS))
    return Payload(timestamp=now_ms, metrics=metrics)
