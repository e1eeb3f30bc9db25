"""Areas of the plant, and the plant as somebody sees it who may see only some of them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

from api.pattern import compile_pattern
from schemas.db.catalogue import Catalogue
from schemas.plant.model import Asset, Plant, Tag

#: The type of an asset that only leads to what is seen. No KPI belongs to it: a sum over the part
#: of its tags that are seen would be a wrong number.
PART: Final = "part"


@dataclass(frozen=True, slots=True)
class Areas:
    """Assets by path or pattern, each with all below it: ``smelter``, ``smelter/*/pot-01?``."""

    patterns: tuple[str, ...]

    @property
    def whole(self) -> bool:
        """Whether this is the whole plant."""
        return "**" in self.patterns

    def hold(self, asset: str) -> bool:
        """Whether the asset at this path lies in one of the areas."""
        return any(_expression(pattern).fullmatch(asset) for pattern in self.patterns)


EVERYWHERE: Final = Areas(("**",))


@lru_cache(maxsize=1024)
def _expression(pattern: str) -> re.Pattern[str]:
    """What an area's pattern fits: the asset itself and all below it.

    Raises
    ------
    RequestError
        Too many wildcards.
    """
    top = compile_pattern("area", pattern.removesuffix("/**")).pattern
    return re.compile(f"{top}(/.*)?")


def seen(catalogue: Catalogue, areas: Areas) -> Catalogue:
    """*catalogue* with what lies in *areas* alone.

    A computed tag is seen by those who see all that it is made of. The assets above what is seen
    stay, as the way to it, and so do assets with hidden tags below; these are of the type `PART`.
    """
    plant = catalogue.plant
    if areas.whole:
        return catalogue
    tags = {path: tag for path, tag in plant.tags.items() if _shown(tag, plant, areas)}
    hidden = {plant.tags[path].asset for path in plant.tags.keys() - tags.keys()}
    inside = {path for path in plant.assets if areas.hold(path)}
    partly = _upward(hidden | (plant.assets.keys() - inside), plant.assets)
    assets = {
        path: replace(asset, type=PART) if path in partly else asset
        for path, asset in plant.assets.items()
        if path in _upward(inside, plant.assets) | {plant.name}
    }
    sources = {key: path for key, path in plant.sources.items() if path in inside}
    alarms = tuple(one for one in plant.alarms if one.asset in inside)
    targets = tuple(one for one in plant.targets if one.asset in inside)
    return Catalogue(
        replace(plant, assets=assets, tags=tags, sources=sources, alarms=alarms, targets=targets),
        {path: catalogue.tag_ids[path] for path in tags},
    )


def _shown(tag: Tag, plant: Plant, areas: Areas) -> bool:
    return areas.hold(tag.asset) and all(
        areas.hold(operand.asset) for operand in plant.made_of(tag.path)
    )


def _upward(paths: set[str], assets: Mapping[str, Asset]) -> set[str]:
    """*paths* and all assets above them."""
    found: set[str] = set()
    for path in paths:
        at: str | None = path
        while at is not None and at not in found:
            found.add(at)
            at = assets[at].parent
    return found
