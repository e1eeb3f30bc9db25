"""What the file says of any device, and what becomes of it beside the plant model.

Each protocol has a package: ``table`` what stands in the file, resolved to a `Device`; ``source``
what opens it. Only the latter imports the protocol's library, so that an edge box holds the
libraries of its own devices alone.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, model_validator

from edge.exception import Rule
from edge.source import Source
from schemas.errors import ConfigError, PlantError
from schemas.plant.model import Plant, Tag
from schemas.plant.ranges import expand
from schemas.reading import Interpolation

Id = r"^[^/+#]+$"


Given = TypeVar("Given", bound="TagSection")


class Section(BaseModel):
    """A table of the file: its keys are known, and fixed once read."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class TagSection(Section):
    """``[[source.tag]]``: what is said of a tag, or of a range of them, whatever the protocol."""

    path: str
    deadband: float | None = Field(default=None, ge=0)
    deadband_percent: float | None = Field(
        default=None, ge=0, le=100, description="of the tag's range in the plant model"
    )
    swinging_door: float | None = Field(
        default=None, gt=0, description="how far a reading may be off the reported line"
    )
    max_silence_s: float | None = Field(default=None, ge=0)

    @model_validator(mode="after")
    def _check_one_measure(self) -> Self:
        if len({"deadband", "deadband_percent", "swinging_door"} & self.model_fields_set) > 1:
            raise ValueError("keep one of deadband, deadband_percent and swinging_door")
        return self

    def deadband_of(self, tag: Tag, key: str) -> float:
        """In the unit of *tag*; percent are of its range (OPC UA Part 8, PercentDeadband)."""
        if self.deadband is not None:
            return self.deadband
        if self.deadband_percent is None:
            return tag.deadband
        if tag.low is None or tag.high is None:
            right = f"{tag.path} has no limits in the plant model; give it some, or a deadband"
            raise ConfigError(f"{key}.deadband_percent", self.deadband_percent, right)
        return self.deadband_percent / 100 * (tag.high - tag.low)


@dataclass(frozen=True, slots=True)
class Device(ABC):
    """One device of the file: its Sparkplug device id, and how each of its tags is reported."""

    device: str
    rules: Mapping[str, Rule]

    @property
    def paths(self) -> Sequence[str]:
        """Every tag of the device, in the file's order."""
        return list(self.rules)

    @property
    def writable(self) -> Sequence[str]:
        """The tags that may be written; their source then is a `WritableSource`."""
        return ()

    @abstractmethod
    def place(self, path: str) -> str:
        """Where the tag stands in the device, in the words of its protocol."""

    @abstractmethod
    def open(self, marks: Mapping[str, int]) -> Source:
        """The source that reads it; *marks* are those kept by the spool.

        Raises
        ------
        ConfigError
            The extra that reads this type of device is not installed.
        """


class SourceSection(Section):
    """``[[source]]``: what is said of a device, whatever the protocol."""

    device: str = Field(pattern=Id)
    tags: str | None = Field(
        default=None, description="CSV file with more of [[source.tag]], beside this file"
    )
    connected: str | None = Field(
        default=None, description="tag of kind state: 1 while the device answers, 0 while not"
    )

    def moved(self, host: str, port: int) -> Self:
        """The same device at another address, as ``--source`` asks."""
        return self.model_copy(update={"host": host, "port": port})

    @abstractmethod
    def resolve(self, plant: Plant, key: str) -> Device:
        """The device beside the plant model; messages start with *key*.

        Raises
        ------
        ConfigError
            A tag that the plant does not have, or that cannot stand where it is said to.
        """


def measured_tag(plant: Plant, path: str, key: str) -> Tag:
    """The tag at *path* of the plant; one that is computed cannot be measured."""
    try:
        tag = plant.tag(path)
    except PlantError as unknown:
        raise ConfigError(key, path, unknown.right) from unknown
    if tag.derivation is not None:
        raise ConfigError(key, path, "it is computed from other tags; remove it here")
    return tag


def rule_of(tag: Tag, given: TagSection | None = None, key: str = "") -> Rule:
    """How *tag* is reported: by the plant's word, and by the file's where it says more.

    A third of ``stale_after`` leaves room for a lost scan and a slow one.

    Raises
    ------
    ConfigError
        A percentage of no range; a line through a tag that is none.
    """
    linear = tag.interpolation is Interpolation.LINEAR
    deadband, silence_s, deviation = tag.deadband, tag.stale_after_s / 3, None
    if given is not None:
        if given.swinging_door is not None and not linear:
            right = f"{tag.path} holds its value between readings; give it a deadband"
            raise ConfigError(f"{key}.swinging_door", given.swinging_door, right)
        silence_s = silence_s if given.max_silence_s is None else given.max_silence_s
        deadband = given.deadband_of(tag, key)
        deviation = given.swinging_door
    return Rule(deadband, int(silence_s * 1000), linear, deviation)


def each_tag(
    tables: Sequence[Given], plant: Plant, key: str, rules: dict[str, Rule]
) -> Iterator[tuple[Given, Sequence[str], str]]:
    """Each of *tables* with the paths that its range stands for and its key; fills *rules*."""
    for number, given in enumerate(tables):
        where = f"{key}.tag.{number}"
        paths = expand(given.path)
        for path in paths:
            tag = measured_tag(plant, path, f"{where}.path")
            add_rule(rules, path, rule_of(tag, given, where), where)
        yield given, paths, where


def add_rule(rules: dict[str, Rule], path: str, rule: Rule, key: str) -> None:
    """Add the rule of *path*, which may stand in a device once."""
    if path in rules:
        raise ConfigError(f"{key}.path", path, "it is listed twice; keep one")
    rules[path] = rule


def abreast(text: str, paths: Sequence[str], key: str) -> Sequence[str]:
    """*text* with its ranges written out, one for each of *paths*."""
    places = expand(text)
    if len(places) != len(paths):
        raise ConfigError(key, text, f"it stands for {len(places)} places, path for {len(paths)}")
    return places


@contextmanager
def extra(name: str, source: str) -> Iterator[None]:
    """Imports that the extra *name* brings, for devices of type *source*."""
    try:
        yield
    except ModuleNotFoundError as missing:
        raise ConfigError(
            "source.type",
            source,
            f"it needs {missing.name}, which is not installed: pip install 'ertis[{name}]'",
        ) from missing
