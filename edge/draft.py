"""A first file for a device that nobody described yet: it loads, and an engineer goes on from it.

Two files are written: the agent's, and a plant model beside it with one asset that has a measure
for each place of the device. Units, kinds and names are not known to a protocol: they are to be
filled in, or the paths changed to those of a plant model that there is.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from schemas.errors import ConfigError

Keys = Mapping[str, str | int]


@dataclass(frozen=True, slots=True)
class Place:
    """Something that can be read: what it is called, its keys in the file, what it read now."""

    name: str
    keys: Keys
    now: str = ""


def write_draft(into: Path, device: str, source: Keys, places: Sequence[Place]) -> Path:
    """Write the agent's file *into*, and the plant model beside it, whose path is returned.

    Raises
    ------
    ConfigError
        One of the files is there already, or nothing was found to put into them.
    """
    plant = into.with_name(f"{into.stem}-plant.toml")
    if not places:
        raise ConfigError("--into", str(into), "nothing was found that could be read")
    for path in (into, plant):
        if path.exists():
            raise ConfigError("--into", str(path), "it is there already; name a new file")
    named = list(zip(_measures([place.name for place in places]), places, strict=True))
    asset = _word(device)
    plant.write_text("\n".join(_plant(asset, named)), encoding="utf-8")
    into.write_text("\n".join(_agent(plant.name, asset, device, source, named)), encoding="utf-8")
    return plant


def _agent(
    plant: str, asset: str, device: str, source: Keys, named: Sequence[tuple[str, Place]]
) -> Iterator[str]:
    yield f"plant = {_toml(plant)}"
    yield from ("", "[node]", 'group = "site"', f"id = {_toml(asset)}")
    yield from ("", "[[source]]", *_lines({"device": device, **source}))
    for measure, place in named:
        yield from ("", f"# read {place.now}" if place.now else "#", "[[source.tag]]")
        yield from _lines({"path": f"{asset}/{measure}", **place.keys})
    yield ""


def _plant(asset: str, named: Sequence[tuple[str, Place]]) -> Iterator[str]:
    yield from ("[site]", 'name = "site"', 'title = "Site"', 'time_zone = "UTC"', "")
    yield from ("[[asset]]", f'path = "{asset}"', 'level = "unit"', 'type = "device"')
    yield f'template = "{asset}"'
    for measure, place in named:
        yield from ("", f"[template.{asset}.{measure}]", f"title = {_toml(place.name)}")
        yield from ('unit = "1"  # to be filled in', 'kind = "gauge"', "stale_after_s = 60")
    yield ""


def _lines(keys: Keys) -> Iterator[str]:
    return (f"{key} = {_toml(value)}" for key, value in keys.items())


def _toml(value: str | int) -> str:
    """A basic string of TOML is one of JSON."""
    return json.dumps(value, ensure_ascii=False)


def _measures(names: Sequence[str]) -> list[str]:
    """A word of the plant model for each name, no two alike."""
    taken: set[str] = set()
    measures = []
    for name in names:
        measure, number = _word(name), 2
        while measure in taken:
            measure, number = f"{_word(name)}_{number}", number + 1
        taken.add(measure)
        measures.append(measure)
    return measures


def _word(name: str) -> str:
    """Lower-case a-z 0-9 _ -, starting with a letter or digit."""
    return re.sub(r"[^a-z0-9-]+", "_", name.lower()).strip("_-") or "x"
