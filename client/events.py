"""Server-sent events out of the lines of a stream (HTML Living Standard, 9.2.6)."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Event:
    """One event of the live stream; ``data`` is what its JSON says."""

    name: str
    id: str
    data: dict[str, Any]


def events(lines: Iterable[str]) -> Iterator[Event]:
    """The events of *lines*; comments, which keep a connection alive, are passed over."""
    fields: dict[str, list[str]] = {}
    for line in lines:
        if line:
            name, _, value = line.partition(":")
            fields.setdefault(name, []).append(value.removeprefix(" "))
            continue
        if "data" in fields:
            data = json.loads("\n".join(fields["data"]))
            yield Event(fields.get("event", ["message"])[-1], fields.get("id", [""])[-1], data)
        fields = {}
