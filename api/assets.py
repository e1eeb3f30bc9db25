"""``/api/v1/assets``: the plant as its ISA-95 tree."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from api.formats import cached
from api.openapi import answers
from api.parameters import Asked
from api.pattern import compile_pattern
from api.same import Same
from api.store import Database
from kpi.binding import kpis_of
from kpi.catalogue.park import KPIS
from schemas.db.catalogue import Catalogue
from schemas.errors import NotFoundError, nearest
from schemas.plant.model import Asset, Level, Plant, Rating

router = APIRouter(prefix="/api/v1", tags=["plant"])


@dataclass(frozen=True, slots=True)
class AssetNode:
    """An asset with what hangs below it. ``kpis`` are the ids of the KPIs that it has."""

    path: str
    level: Level
    type: str
    title: str
    ratings: dict[str, Rating]
    measures: list[str]
    kpis: list[str]
    children: list["AssetNode"]


class AskedTree(Asked):
    """Which part of the tree; with filters, the branches that lead to what fits them."""

    root: str | None = Field(default=None, description="asset to start at; the site if left out")
    depth: int = Field(default=16, ge=0, description="levels below the root")
    level: Level | None = Field(default=None, description="only these, and what leads there")
    type: str | None = Field(default=None, description="only these, and what leads there, as pot")
    pattern: str = Field(default="**", description="path pattern such as smelter/*/pot-01?")


@router.get("/assets", summary="The tree of the plant", responses=answers(AssetNode))
def tree(request: Request, store: Database, asked: Annotated[AskedTree, Query()]) -> Response:
    """An asset with all below it; with filters, the branches that lead to what fits them."""
    catalogue = store.catalogue()
    start = find_asset(catalogue.plant, "root", asked.root or catalogue.plant.name)
    expression = compile_pattern("pattern", asked.pattern)

    def fits(asset: Asset) -> bool:
        return (
            asked.level in {None, asset.level}
            and asked.type in {None, asset.type}
            and expression.fullmatch(asset.path) is not None
        )

    def grown(asset: Asset, depth: int) -> AssetNode | None:
        below = catalogue.plant.children[asset.path] if depth else ()
        children = [node for child in below if (node := grown(child, depth - 1))]
        return _node(catalogue, asset, children) if children or fits(asset) else None

    if (node := grown(start, asked.depth)) is None:
        raise NotFoundError("pattern", asked.pattern, f"nothing from {start.path} on fits")
    return cached(request, node)


def _node(catalogue: Catalogue, asset: Asset, children: list[AssetNode]) -> AssetNode:
    return AssetNode(
        asset.path,
        asset.level,
        asset.type,
        asset.title,
        dict(asset.ratings),
        list(catalogue.measures[asset.path]),
        _kpis_at(catalogue, asset.path),
        children,
    )


def _kpis_at(catalogue: Catalogue, asset: str) -> list[str]:
    """The ids of the KPIs that *asset* has."""
    known = _known_kpis(Same(catalogue))
    if asset not in known:
        known[asset] = [kpi.id for kpi in kpis_of(KPIS, asset, catalogue.plant)]
    return known[asset]


# To see whether a KPI has a tag for every input takes a walk over all that is below an asset.
@lru_cache(maxsize=16)
def _known_kpis(known: Same[Catalogue]) -> dict[str, list[str]]:  # noqa: ARG001 - the key alone
    """The KPIs of the assets of a catalogue, as far as they were asked for."""
    return {}


def find_asset(plant: Plant, parameter: str, path: str) -> Asset:
    """The asset at *path*; `NotFoundError` names the nearest one if there is none."""
    if found := plant.assets.get(path):
        return found
    raise NotFoundError(parameter, path, nearest(path, plant.assets))
