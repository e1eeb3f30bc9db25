"""The plant: its assets as an ISA-95 tree and the tags that measure them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Final

from schemas.errors import PlantError, nearest
from schemas.plant.alarms import AlarmLimit
from schemas.plant.shifts import ShiftPattern
from schemas.plant.targets import Target
from schemas.reading import Interpolation, Kind


class Level(StrEnum):
    """Where an asset stands in the equipment hierarchy (IEC 62264-1, 5.3)."""

    SITE = "site"
    AREA = "area"
    LINE = "line"
    UNIT = "unit"


@dataclass(frozen=True, slots=True)
class Rating:
    """A fixed property of an asset, such as its rated power."""

    value: float
    unit: str


@dataclass(frozen=True, slots=True)
class Asset:
    """A node of the tree. ``type`` (potline, pot, wind_farm) decides which KPIs it has."""

    path: str
    level: Level
    type: str
    title: str
    parent: str | None
    ratings: Mapping[str, Rating] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Derivation:
    """How a tag is computed: a rule of `kpi.derivation` over other tags, by path and in order."""

    rule: str
    operands: tuple[str, ...]
    constants: Mapping[str, float] = field(default_factory=dict)


#: The rule of a tag that is the product of two others.
PRODUCT: Final = "product"


@dataclass(frozen=True, slots=True)
class Tag:
    """A point of the plant: ``<asset>/<measure>``.

    ``low`` and ``high`` [unit] bound what is physically possible. A change within ``deadband``
    [unit] is not reported. A silence beyond ``stale_after_s`` [s] is not covered by the last value.
    ``modulus`` [unit] is where a counter wraps; None if a decrease means a reset. ``max_rate``
    [unit/h] is faster than a counter can climb; None if any climb is believed (`kpi.counter`). A
    tag with a ``derivation`` is not measured but computed.
    """

    path: str
    asset: str
    measure: str
    title: str
    unit: str
    kind: Kind
    interpolation: Interpolation
    stale_after_s: float
    deadband: float = 0.0
    low: float | None = None
    high: float | None = None
    modulus: float | None = None
    max_rate: float | None = None
    derivation: Derivation | None = None

    @property
    def product(self) -> tuple[str, ...] | None:
        """The two tags whose product this one is; None if it is not."""
        if self.derivation is None or self.derivation.rule != PRODUCT:
            return None
        return self.derivation.operands


@dataclass(frozen=True)
class Plant:
    """A site with everything in it.

    ``sources`` maps the address ``group/node[/device]`` of a foreign Sparkplug source, whose metric
    names are not tag paths, to the asset that its metrics measure.
    """

    name: str
    title: str
    time_zone: str
    assets: Mapping[str, Asset]
    tags: Mapping[str, Tag]
    sources: Mapping[str, str] = field(default_factory=dict)
    shift_patterns: tuple[ShiftPattern, ...] = ()
    alarms: tuple[AlarmLimit, ...] = ()
    targets: tuple[Target, ...] = ()

    def asset(self, path: str) -> Asset:
        """The asset at *path*; `PlantError` names the nearest one if there is none."""
        if found := self.assets.get(path):
            return found
        raise PlantError("asset", path, nearest(path, self.assets))

    def tag(self, path: str) -> Tag:
        """The tag at *path*; `PlantError` names the nearest one if there is none."""
        if found := self.tags.get(path):
            return found
        raise PlantError("tag", path, nearest(path, self.tags))

    def made_of(self, path: str) -> Iterator[Tag]:
        """The measured tags that the tag at *path* is computed from; itself if it is measured."""
        tag = self.tag(path)
        if tag.derivation is None:
            yield tag
        else:
            for operand in tag.derivation.operands:
                yield from self.made_of(operand)

    @cached_property
    def children(self) -> Mapping[str, tuple[Asset, ...]]:
        """The assets directly below each asset, in the file's order."""
        below: dict[str, list[Asset]] = {path: [] for path in self.assets}
        for asset in self.assets.values():
            if asset.parent is not None:
                below[asset.parent].append(asset)
        return {path: tuple(assets) for path, assets in below.items()}

    @cached_property
    def measured(self) -> Mapping[str, frozenset[str]]:
        """What is measured at each asset or below it."""
        found: dict[str, set[str]] = {path: set() for path in self.assets}
        for tag in self.tags.values():
            found[tag.asset].add(tag.measure)
        # A path sorts before all that begins with it; the site, which they do not, has no parent.
        for path in sorted(self.assets, reverse=True):
            asset = self.assets[path]
            if asset.parent is not None:
                found[asset.parent] |= found[asset.path]
        return {path: frozenset(measures) for path, measures in found.items()}

    def subtree(self, path: str) -> Iterator[Asset]:
        """The asset at *path* and all below it, parents first."""
        asset = self.asset(path)
        yield asset
        for child in self.children[asset.path]:
            yield from self.subtree(child.path)
